"""Running sessions: one conversation, its frames and sound, its viewers."""
