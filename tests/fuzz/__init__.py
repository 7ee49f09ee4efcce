"""Property-based fuzzing of what strangers can send."""
