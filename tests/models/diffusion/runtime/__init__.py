"""Tests of `models.diffusion.runtime`."""
