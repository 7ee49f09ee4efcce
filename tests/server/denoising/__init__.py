"""Tests of what improves the regions that were drawn."""
