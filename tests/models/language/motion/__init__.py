"""Tests of text to motion."""
