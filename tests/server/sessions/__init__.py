"""Tests of running sessions, over real loopback connections."""
