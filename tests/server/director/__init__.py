"""Tests of the director's shell."""
