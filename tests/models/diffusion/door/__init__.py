"""Tests of the door for weights that users bring, on tiny checkpoints made here."""
