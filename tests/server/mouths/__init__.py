"""Tests of what makes mouths from sound."""
