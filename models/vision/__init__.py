"""What watches people: clips of a real person turned into motion primitives."""
