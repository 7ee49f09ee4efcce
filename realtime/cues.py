"""Events due at a media time: each is reported when the session clock gets there, unless it is dropped first."""

import asyncio
from collections.abc import Callable

from realtime.core.events import Event
from realtime.ports import Clock


class CueSheet:
    """Timers on the event loop, one per event to come. `drop` forgets them all."""

    def __init__(self, clock: Clock, emit: Callable[[Event], None]) -> None:
        self._clock = clock
        self._emit = emit
        self._timers: set[asyncio.TimerHandle] = set()

    def at(self, media_s: float, event: Event) -> None:
        """Report an event when its media time comes."""
        self.call_at(media_s, lambda: self._emit(event))

    def call_at(self, media_s: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        """Call something when a media time comes."""
        timer: asyncio.TimerHandle | None = None

        def due() -> None:
            if timer is not None:
                self._timers.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(max(0.0, media_s - self._clock()), due)
        self._timers.add(timer)
        return timer

    def drop(self) -> None:
        """Forget everything that is still to come."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
