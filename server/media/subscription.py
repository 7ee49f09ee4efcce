"""One viewer's end of an egress: bounded, newest-wins, never a reason for anyone else to wait."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from realtime.core.governor import RungChooser
from server.media.feedback import ViewerBudget
from server.media.packets import EncodedSound, EncodedVideo

_PENDING_FRAMES: Final = 3
_PENDING_TICKS: Final = 5

U = TypeVar("U", EncodedVideo, EncodedSound)


class SubscriptionClosed(Exception):
    """Nothing more will come."""


class _Subscription(Generic[U]):
    """Units for one reader: `next` waits for them, or `sink` is called with each as it is made and says whether it
    took it."""

    def __init__(self, on_closed: Callable[[], None], sink: Callable[[U], bool] | None = None) -> None:
        self.closed = False
        self._pending: deque[U] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._on_closed = on_closed
        self._sink: Callable[[U], bool] | None = sink

    async def next(self) -> U:
        """The next unit to send. Raises `SubscriptionClosed`."""
        while not self._pending:
            if self.closed:
                raise SubscriptionClosed
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._pending.popleft()

    def close(self) -> None:
        """Leave; safe to call twice."""
        if not self.closed:
            self.closed = True
            self._pending.clear()
            self._wake()
            self._on_closed()

    def _put(self, unit: U) -> None:
        self._pending.append(unit)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Room(Protocol):
    """What a viewer asks of those who make the picture."""

    def left(self, viewer: "VideoSubscription") -> None:
        """The viewer is gone."""
        ...

    def keyframe_wanted(self, viewer: "VideoSubscription") -> None:
        """The viewer cannot decode what it got."""
        ...

    def skipped(self, viewer: "VideoSubscription") -> None:
        """The viewer was moved on to the next keyframe."""
        ...

    def rate_bps(self, viewer: "VideoSubscription") -> int:
        """What is sent to the viewer at the moment."""
        ...


class VideoSubscription(_Subscription[EncodedVideo]):
    """Encoded pictures for one viewer. The first is a keyframe; a viewer that falls behind (three pictures, or a sink
    that does not take one) loses what it has not got and goes on with the next keyframe."""

    def __init__(
        self, room: Room, budget: ViewerBudget, sink: Callable[[EncodedVideo], bool] | None = None
    ) -> None:
        super().__init__(lambda: room.left(self), sink)
        self.budget = budget
        self.chooser = RungChooser()
        self._room = room
        self._broken = True

    def offer(self, unit: EncodedVideo) -> bool:
        """Called by the room for every picture; whether the viewer takes it."""
        if self.closed:
            return False
        if unit.keyframe:
            self._broken = False
            self._pending.clear()
        elif self._broken:
            return False
        taken = self._sink(unit) if self._sink is not None else len(self._pending) < _PENDING_FRAMES
        if taken and self._sink is None:
            self._put(unit)
        elif not taken and not self.closed:
            self._pending.clear()
            self._broken = True
            self._room.skipped(self)
            self._room.keyframe_wanted(self)
        return taken

    def request_keyframe(self) -> None:
        """The viewer lost something (PLI or FIR)."""
        self._room.keyframe_wanted(self)

    def estimated(self, estimate_bps: int, *, strained: bool = True) -> None:
        """The viewer's REMB, and whether losses or a grown round trip speak for it."""
        self.budget.estimated(estimate_bps, self._room.rate_bps(self), strained=strained)

    def reported(self, fraction_lost: float, *, queueing: bool) -> None:
        """The viewer's receiver report."""
        self.budget.reported(fraction_lost, self._room.rate_bps(self), queueing=queueing)


class SoundSubscription(_Subscription[EncodedSound]):
    """Opus packets for one viewer; a viewer that falls behind loses the oldest."""

    def __init__(
        self,
        on_closed: Callable[[], None],
        sink: Callable[[EncodedSound], bool] | None = None,
        on_loss: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(on_closed, sink)
        self._on_loss = on_loss

    def reported(self, fraction_lost: float) -> None:
        """The viewer's receiver report."""
        if fraction_lost > 0.0:
            self._on_loss()

    def offer(self, unit: EncodedSound) -> None:
        """Called by the egress for every tick."""
        if self.closed:
            return
        if self._sink is not None:
            self._sink(unit)
            return
        if len(self._pending) >= _PENDING_TICKS:
            self._pending.popleft()
        self._put(unit)
