"""One viewer's end of an egress: bounded, newest-wins, never a reason for anyone else to wait."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from server.media.packets import EncodedSound, EncodedVideo

_PENDING_FRAMES: Final = 3
_PENDING_TICKS: Final = 5

U = TypeVar("U", EncodedVideo, EncodedSound)


class SubscriptionClosed(Exception):
    """Nothing more will come."""


class _Subscription(Generic[U]):
    """A queue of units with one reader."""

    def __init__(self, on_closed: Callable[[], None]) -> None:
        self._pending: deque[U] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self._on_closed = on_closed

    async def next(self) -> U:
        """The next unit to send. Raises `SubscriptionClosed`."""
        while not self._pending:
            if self._closed:
                raise SubscriptionClosed
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._pending.popleft()

    def close(self) -> None:
        """Leave; safe to call twice."""
        if not self._closed:
            self._closed = True
            self._pending.clear()
            self._wake()
            self._on_closed()

    def _put(self, unit: U) -> None:
        self._pending.append(unit)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class VideoSubscription(_Subscription[EncodedVideo]):
    """Encoded pictures for one viewer. The first is a keyframe; a viewer that falls behind by more than three pictures
    loses them all and goes on with the next keyframe."""

    def __init__(
        self,
        on_closed: Callable[[], None],
        *,
        on_keyframe_wanted: Callable[[], None],
        on_estimate: Callable[[int, bool], None],
        on_report: Callable[[float, bool], None],
        on_sent: Callable[[EncodedVideo], None],
        on_skip: Callable[[], None],
    ) -> None:
        super().__init__(on_closed)
        self._on_keyframe_wanted = on_keyframe_wanted
        self._on_estimate = on_estimate
        self._on_report = on_report
        self._on_sent = on_sent
        self._on_skip = on_skip
        self._broken = True

    def offer(self, unit: EncodedVideo) -> None:
        """Called by the egress for every picture."""
        if self._closed:
            return
        if unit.keyframe:
            self._pending.clear()
            self._broken = False
        elif not self._broken and len(self._pending) >= _PENDING_FRAMES:
            self._pending.clear()
            self._broken = True
            self._on_skip()
            self._on_keyframe_wanted()
        if not self._broken:
            self._put(unit)

    def request_keyframe(self) -> None:
        """The viewer lost something (PLI or FIR)."""
        self._on_keyframe_wanted()

    def estimated(self, estimate_bps: int, *, strained: bool = True) -> None:
        """The viewer's REMB, and whether losses or a grown round trip speak for it."""
        self._on_estimate(estimate_bps, strained)

    def reported(self, fraction_lost: float, *, queueing: bool) -> None:
        """The viewer's receiver report."""
        self._on_report(fraction_lost, queueing)

    def sent(self, unit: EncodedVideo) -> None:
        """All packets of the unit have left."""
        self._on_sent(unit)


class SoundSubscription(_Subscription[EncodedSound]):
    """Opus packets for one viewer; a viewer that falls behind loses the oldest."""

    def offer(self, unit: EncodedSound) -> None:
        """Called by the egress for every tick."""
        if self._closed:
            return
        if len(self._pending) >= _PENDING_TICKS:
            self._pending.popleft()
        self._put(unit)

    def sent(self, unit: EncodedSound) -> None:
        """The packet has left."""
