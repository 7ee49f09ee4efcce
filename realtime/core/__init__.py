"""Pure decisions: no clock, no I/O, no threads. Every function that depends on time takes it as an argument."""
