"""Tests of the safety filter."""
