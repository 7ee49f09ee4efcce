"""Tests of the Python SDK and the headless viewer."""
