"""Tests of what watches people."""
