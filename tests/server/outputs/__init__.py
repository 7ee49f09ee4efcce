"""Tests of recordings and of publishing to servers."""
