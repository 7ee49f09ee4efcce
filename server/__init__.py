"""The aiohttp application: signalling, media, sessions, operations. `compose.py` alone picks the models."""
