"""Whether a picture still comes with its sound: what is too late is not begun, and what has become so is not shown."""

from collections import OrderedDict
from typing import Final

from realtime.core.units import AUDIO_TICK_S

SKEW_MAX_S: Final = 0.045
"""A picture that comes further behind its sound is seen to (ITU-R BT.1359-1, detectability)."""
SENDING_S: Final = 0.01
"""From the decision that a picture may leave to its leaving, where others take the processor in between: two turns of
theirs."""
BEGUN_LATEST_S: Final = 0.03
"""A picture is not begun to be encoded so long after its media time: the next one is due."""
CATCH_UP_TICKS: Final = 3
"""Ticks up to 60 ms late still leave, in one burst: a receiver's jitter buffer absorbs that, while a missing packet is
heard. Their time stamps do not move, so nothing that follows is any later for it."""
OTHER_CLOCK_S: Final = 60.0
"""A picture from further back is not late but on another clock."""
_FORGETS: Final = 0.8
_DOUBTS: Final = 0.6
"""The longest encoding of late counts so much less with every further one, and with every picture left out for it."""
_KEPT_TICKS: Final = 100


class Punctuality:
    """One session's sound and picture on their way out. Times are seconds of the session's clock. Questions may come
    from another thread than news."""

    def __init__(self) -> None:
        self._left: OrderedDict[int, float] = OrderedDict()
        self._newest: int | None = None
        self._encodes_s = 0.0

    def sounded(self, tick: int, now_s: float) -> None:
        """The sound of this tick leaves now."""
        self._left[tick], self._newest = now_s, tick
        if len(self._left) > _KEPT_TICKS:
            self._left.popitem(last=False)

    def encoded(self, took_s: float) -> None:
        """An encoding took so long, waiting included."""
        self._encodes_s = max(took_s, _FORGETS * self._encodes_s)

    def left_out(self) -> None:
        """A picture was left out."""
        self._encodes_s *= _DOUBTS

    def behind_s(self, media_s: float, now_s: float) -> float:
        """How far behind its sound a picture of this media time would come if it left now: behind when that really
        left; not at all if it has yet to leave itself; behind its media time where there is no sound to come with."""
        late_s = now_s - media_s
        if late_s > OTHER_CLOCK_S:
            return 0.0
        tick = int(media_s / AUDIO_TICK_S + 1e-6)
        left_s = self._left.get(tick)
        if left_s is not None:
            return now_s - left_s
        waits = self._newest is not None and self._newest < tick and late_s <= CATCH_UP_TICKS * AUDIO_TICK_S
        return 0.0 if waits else late_s

    def may_begin(self, media_s: float, now_s: float) -> bool:
        """Whether a picture that begins to be encoded now will leave in time, as far as can be told."""
        late_s = now_s - media_s
        rest_s = SKEW_MAX_S - SENDING_S - self._encodes_s
        return late_s > OTHER_CLOCK_S or (late_s <= BEGUN_LATEST_S and self.behind_s(media_s, now_s) <= rest_s)

    def may_leave(self, media_s: float, now_s: float) -> bool:
        """Whether a picture that is encoded may leave now."""
        return self.behind_s(media_s, now_s) <= SKEW_MAX_S - SENDING_S
