"""Players, publishers, relays and client libraries that nobody here wrote, against a real `anima serve`."""
