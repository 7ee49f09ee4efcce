"""A frame's way to the glass: the server's stamps joined, by RTP time, with when a viewer's browser showed the frame.

Viewers are not trusted: a row counts once, only for a frame that was sent to them a moment ago, and only if its times
can be true. Whatever a viewer tells changes figures and nothing else.

Two clocks are compared, and the viewer says how wrong its idea of ours may be. A row that contradicts our stamps by
more than that is left out of the figures, not bent until it fits: bent rows would make the network look fast."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from realtime.core.trace import STAGES, StageWindow, between
from realtime.core.values import Frame, FrameTrace
from realtime.core.wire_frames import ShownFrame

VIEWER_STAGES: Final = ("received", "buffered", "decoded", "displayed")
"""Stamps that a browser adds. `received`: through the network; `buffered`: waited in the jitter buffer, or for its time
to be rendered, which browsers do not tell apart; `decoded`; `displayed`: through the compositor to the screen."""
ALL_STAGES: Final = STAGES + VIEWER_STAGES
TOTAL: Final = "total"
"""The whole way from the begin of a frame's making to its display."""
KEPT_FRAMES: Final = 250
"""Ten seconds at 25 per second; a viewer tells of the last one."""
SLOWEST_OF_S: Final = 5.0
AHEAD_S: Final = 0.25
"""How far the expected display may lie ahead of the telling."""
_WRAP: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame's whole way: stamps in session seconds, `begun` first."""

    index: int
    media_s: float
    rung: str
    stamps_s: Mapping[str, float]

    @property
    def total_s(self) -> float:
        """From the begin of its making to the glass."""
        return self.stamps_s["displayed"] - self.stamps_s["begun"]

    def durations_s(self) -> dict[str, float]:
        """Seconds by stage, and in all. Where the arrival is not known, network and buffer cannot be told apart:
        neither is told then, so that no percentile mixes them."""
        took_s = between("begun", ALL_STAGES, self.stamps_s) | {TOTAL: self.total_s}
        if "received" not in self.stamps_s:
            del took_s["buffered"]
        return took_s

    def as_json(self) -> dict[str, Any]:
        """For the overlay."""
        took_s = between("begun", ALL_STAGES, self.stamps_s)
        return {"index": self.index, "media_s": round(self.media_s, 3), "rung": self.rung,
                "total_ms": round(1e3 * self.total_s, 2),
                "stages_ms": {name: round(1e3 * value, 2) for name, value in took_s.items()}}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sent:
    """What is remembered of a frame; its pixels are not."""

    index: int
    pts: int
    media_s: float
    trace: FrameTrace


@dataclass(slots=True)
class Eyes:
    """One viewer's: what it told already, and its slowest frames of the last seconds."""

    last_pts: int = -1
    recent: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT_FRAMES))

    def slowest(self, now_s: float) -> Seen | None:
        """The slowest frame that was shown in the last seconds."""
        late = [one for one in self.recent if one.stamps_s["displayed"] > now_s - SLOWEST_OF_S]
        return max(late, key=lambda one: one.total_s, default=None)


class Glass:
    """A session's last frames, joined with what its viewers tell of them."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, _Sent] = OrderedDict()
        self.stages = StageWindow(2 * KEPT_FRAMES)
        self._uncertain_s: deque[float] = deque(maxlen=2 * KEPT_FRAMES)
        self.joined = 0
        self.refused = 0
        self.inconsistent = 0

    def sent(self, frame: Frame) -> None:
        """A frame was made and is on its way."""
        self._frames[frame.pts] = _Sent(frame.index, frame.pts, frame.media_s, frame.trace)
        if len(self._frames) > KEPT_FRAMES:
            self._frames.popitem(last=False)

    def seen(
        self, eyes: Eyes, origin: int, told: Iterable[ShownFrame], now_s: float, uncertainty_s: float = 0.1
    ) -> list[Seen]:
        """What a viewer told, joined. `origin` is the RTP time of media time zero in this viewer's picture,
        `uncertainty_s` how wrong its idea of our clock may be."""
        found = []
        for shown in told:
            frame = self._sent_as(eyes, origin, shown, now_s + uncertainty_s)
            if frame is None:
                self.refused += 1
                continue
            eyes.last_pts = frame.pts
            one = _joined(frame, shown, uncertainty_s)
            if one is None:
                self.inconsistent += 1
                continue
            self.joined += 1
            self._uncertain_s.append(uncertainty_s)
            self.stages.add_durations(one.durations_s())
            eyes.recent.append(one)
            found.append(one)
        return found

    def _sent_as(self, eyes: Eyes, origin: int, shown: ShownFrame, until_s: float) -> _Sent | None:
        """The frame that this row is of, unless it counted already or the row contradicts itself."""
        pts = self._pts((shown.rtp - origin) % _WRAP)
        frame = None if pts is None else self._frames[pts]
        if frame is None or frame.pts <= eyes.last_pts or not {"begun", "sent"} <= frame.trace.stamps_s.keys():
            return None
        received_s = shown.presented_s if shown.received_s is None else shown.received_s
        order = (received_s, shown.presented_s, shown.displayed_s, until_s + AHEAD_S)
        return None if any(later < sooner for sooner, later in zip(order, order[1:], strict=False)) else frame

    def _pts(self, word: int) -> int | None:
        """The frame with these low 32 bits of its time; browsers hand on RTP times a tick off."""
        if not self._frames:
            return None
        newest = next(reversed(self._frames))
        near = newest - (newest - word + _WRAP // 2) % _WRAP + _WRAP // 2
        return next((pts for pts in (near, near - 1, near + 1) if pts in self._frames), None)

    def summary(self) -> dict[str, Any]:
        """Percentiles by stage in milliseconds, how much was joined, and how wrong the viewers' clocks may be."""
        counts = {"joined": self.joined, "refused": self.refused, "inconsistent": self.inconsistent}
        return counts | {"stages_ms": self.stages.summary_ms(), "uncertainty_ms": self.uncertainty_ms}

    @property
    def uncertainty_ms(self) -> float | None:
        """By how much a time between our stamps and a viewer's may be wrong, over the rows that percentiles hold."""
        return round(1e3 * max(self._uncertain_s), 2) if self._uncertain_s else None


def _joined(frame: _Sent, shown: ShownFrame, uncertainty_s: float) -> Seen | None:
    """Our stamps and the viewer's in one; None if they contradict each other by more than the clocks may be wrong."""
    sent_s, begins_s = frame.trace.stamps_s["sent"], shown.presented_s - shown.decode_s
    came_s = begins_s if shown.received_s is None else shown.received_s
    if came_s < sent_s - uncertainty_s or begins_s < came_s - uncertainty_s or shown.displayed_s < sent_s:
        return None
    came_s = max(sent_s, came_s)
    presented_s = max(came_s, shown.presented_s)
    stamps_s = dict(frame.trace.stamps_s)
    if shown.received_s is not None:
        stamps_s["received"] = came_s
    stamps_s["buffered"] = max(came_s, presented_s - shown.decode_s)
    stamps_s["decoded"] = presented_s
    stamps_s["displayed"] = max(presented_s, shown.displayed_s)
    return Seen(frame.index, frame.media_s, frame.trace.rung, stamps_s)
