"""What the allocator has kept of freed memory goes back to the system once nobody is served."""

import asyncio
import ctypes
from collections.abc import Callable
from typing import Any


def hand_back() -> None:
    """Return free pages (malloc_trim(3), glibc only). Takes milliseconds, in which other threads wait for memory."""
    try:
        trim: Any = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return
    trim(ctypes.c_size_t(0))


class Rest:
    """Notices that the last session has ended, and only then, hands back: while a host speaks, what is free is used
    again at once."""

    def __init__(self, hand_back: Callable[[], None] = hand_back) -> None:
        self._hand_back = hand_back
        self._served = False

    async def observe(self, sessions: int) -> None:
        """So many sessions run now."""
        ended, self._served = self._served and not sessions, sessions > 0
        if ended:
            await asyncio.to_thread(self._hand_back)
