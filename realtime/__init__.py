"""The frame path: a pure core of decisions and the asyncio shell that acts on them. Start at `generator.py`."""
