"""Tests of server.rtc."""
