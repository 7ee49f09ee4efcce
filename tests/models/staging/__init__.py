"""Tests of avatars before other backgrounds."""
