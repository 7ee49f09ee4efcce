"""What a replay opens of a session that is over."""
