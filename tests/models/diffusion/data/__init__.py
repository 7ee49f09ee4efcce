"""Tests of the renderers of training data."""
