"""Mirrors models/marks."""
