"""Tests of the semantic cache."""
