"""Tests of the asyncio shell of the frame path, in virtual time."""
