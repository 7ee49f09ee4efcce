"""Tests of the HTTP application and its parts."""
