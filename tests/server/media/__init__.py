"""Tests of server.media."""
