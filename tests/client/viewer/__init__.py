"""Tests of client.viewer."""
