"""The director's shell: viewer events in, decisions carried out on the conductor, lines held for a person."""
