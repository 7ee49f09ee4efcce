"""Tests of models.hearing."""
