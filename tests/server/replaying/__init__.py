"""Tests of what a replay opens."""
