"""Events due at a media time: each is reported when the session clock gets there, unless it is dropped first."""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from realtime.core.events import Event
from realtime.ports import Clock


@dataclass(order=True, slots=True)
class _Cue:
    media_s: float
    order: int
    act: Callable[[], None] = field(compare=False)


class CueSheet:
    """What is still to come, in order of media time and, at the same time, in order of entry. One timer on the event
    loop serves them all; `drop` forgets them."""

    def __init__(self, clock: Clock, emit: Callable[[Event], None]) -> None:
        self._clock = clock
        self._emit = emit
        self._cues: list[_Cue] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def at(self, media_s: float, event: Event) -> None:
        """Report an event when its media time comes."""
        self.call_at(media_s, lambda: self._emit(event))

    def call_at(self, media_s: float, act: Callable[[], None]) -> None:
        """Call something when a media time comes."""
        heapq.heappush(self._cues, _Cue(media_s, next(self._order), act))
        if self._cues[0].act is act:
            self._arm()

    def drop(self) -> None:
        """Forget everything that is still to come."""
        self._cues.clear()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._cues:
            wait_s = max(0.0, self._cues[0].media_s - self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._due)

    def _due(self) -> None:
        # A timer may ring a clock tick early: what is due within a millisecond is due.
        now_s = self._clock() + 0.001
        try:
            while self._cues and self._cues[0].media_s <= now_s:
                heapq.heappop(self._cues).act()
        finally:
            self._arm()
