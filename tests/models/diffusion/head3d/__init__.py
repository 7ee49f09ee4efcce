"""Tests of the parametric 3-D head."""
