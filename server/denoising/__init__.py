"""What improves the regions that were drawn."""
