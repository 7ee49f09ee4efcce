"""Which frame is due and when to begin it: frames are numbered on media time, begun ahead of it by what they take,
skipped when late and never queued; and sessions are spread over the frame interval."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from realtime.core.budget import CostModel
from realtime.core.units import FRAME_RATE_HZ, FRAME_S

LEAD_SHARE: Final = 0.875
"""A frame is begun at most this part of its interval ahead: a frame in the making knows nothing of what comes next.
Where frames take longer than their interval they are begun as far ahead as that takes: few come then, each in time."""
LEAD_MOST_S: Final = 0.2
"""No frame is begun further ahead than this."""
LATEST: Final = 5
"""Frames take long where the median of so many does."""
SLOW_MARGIN: Final = 1.25
"""Frames that take long are begun so much further ahead than that."""
LEAD_MARGIN_S: Final = 0.002
"""Timers wake this much late."""
_EPSILON: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Due:
    """The next frame to make: its number, the media time it shows, when to begin it, its deadline, and how many were
    skipped for it. From beginning to deadline is one interval, however far ahead it is begun, and not less than up to
    its media time."""

    index: int
    media_s: float
    begin_s: float
    deadline_s: float
    skipped: int


class FramePacer:
    """Numbers frames at a fixed rate on the session clock; frame k shows media time k / rate."""

    def __init__(self, rate_hz: float = FRAME_RATE_HZ) -> None:
        if rate_hz <= 0:
            raise ValueError(f"a frame rate is positive, got {rate_hz}")
        self._period_s = 1.0 / rate_hz
        self._last: Due | None = None
        self._again = False

    @property
    def period_s(self) -> float:
        """Media time between two frames when all are made."""
        return self._period_s

    def next(self, now_s: float, lead_s: float = 0.0, every: int = 1) -> Due:
        """The frame to make at `now_s`: the one after the last, unless with a lead of `lead_s` it would come more than
        a period late; then the first that would not. With `every` above 1, only multiples of it are made."""
        last = self._last
        if self._again and last is not None:
            self._again = False
            due = Due(last.index, last.media_s, now_s, max(last.deadline_s, now_s), 0)
        else:
            in_order = _multiple(last.index + 1, every) if last is not None else 0
            current = _multiple(int((now_s + lead_s) / self._period_s + _EPSILON), every)
            index = max(in_order, current)
            media_s = index * self._period_s
            begin_s = max(now_s, media_s - lead_s)
            deadline_s = max(media_s, media_s - lead_s + every * self._period_s)
            due = Due(index, media_s, begin_s, deadline_s, (index - in_order) // every if last is not None else 0)
        self._last = due
        return due

    def again(self) -> None:
        """What the last frame shows has changed before it was shown: it is due once more."""
        self._again = True


class Lead:
    """How far ahead of its media time a frame is begun: the 95th percentile of what frames of its kind took of late,
    waiting included, and of what comes after them."""

    def __init__(self) -> None:
        self._costs = CostModel()
        self._latest: dict[str, deque[float]] = {}

    def observe(self, kind: str, took_s: float) -> None:
        """A piece of the work took this long."""
        # one long stall says nothing of the frames to come
        self._costs.observe(kind, 0, min(max(0.0, took_s), 2.0 * FRAME_S))
        latest = self._latest.setdefault(kind, deque(maxlen=LATEST))
        latest.append(min(max(0.0, took_s), LEAD_MOST_S))

    def predict_s(self, kind: str, interval_s: float = FRAME_S) -> float:
        """What a piece is expected to take, at most `LEAD_SHARE` of the interval."""
        return min(self._costs.predict_s(kind, 0), LEAD_SHARE * interval_s)

    def of(self, kinds: Collection[str], interval_s: float = FRAME_S) -> float:
        """The lead of a frame that consists of these pieces, in seconds: what they take, at most `LEAD_SHARE` of the
        interval unless they take longer than that."""
        work_s = sum(self._costs.predict_s(kind, 0) for kind in kinds)
        if work_s > interval_s:
            usual_s = sum(_median(self._latest[kind]) for kind in kinds if kind in self._latest)
            if usual_s > interval_s:
                return min(SLOW_MARGIN * usual_s, LEAD_MOST_S)
        return min(work_s + LEAD_MARGIN_S, LEAD_SHARE * interval_s)


def spread(begun_s: Collection[float], now_s: float, period_s: float = FRAME_S) -> float:
    """When a new session's clock is to have begun, up to one interval before `now_s`, so that its frames fall into the
    middle of the widest gap between those of the sessions whose clocks began at these times (same clock)."""
    if not begun_s:
        return now_s
    phases = sorted(at_s % period_s for at_s in begun_s)
    gaps = [(after - before, before) for before, after in pairwise([*phases, phases[0] + period_s])]
    width, start = max(gaps, key=lambda gap: gap[0])
    return now_s - (now_s - start - width / 2) % period_s


def _multiple(number: int, of: int) -> int:
    """The smallest multiple that is not below a number."""
    return -(-number // of) * of


def _median(values: Collection[float]) -> float:
    """The middle one, or the greater of two."""
    return sorted(values)[len(values) // 2]
