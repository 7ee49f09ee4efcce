"""Tests of portraits made from one picture."""
