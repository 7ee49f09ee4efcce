"""Tests of the illustrated host and its packs."""
