"""Text to motion: free descriptions find their motion primitive."""
