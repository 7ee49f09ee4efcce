"""A frame's way to the glass: the server's stamps joined, by RTP time, with when a viewer's browser showed the frame.

Viewers are not trusted: a row counts once, only for a frame that was sent to them a moment ago, and only if its times
can be true. Whatever a viewer tells changes figures and nothing else."""

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
CLOCK_ERROR_S: Final = 0.1
"""By how much a viewer's idea of our clock may be wrong: half the round trip at most, if the ways differ."""
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
        """Seconds by stage, and in all."""
        return between("begun", ALL_STAGES, self.stamps_s) | {TOTAL: self.total_s}

    def as_json(self) -> dict[str, Any]:
        """For the overlay."""
        took_ms = {name: round(1e3 * value, 2) for name, value in self.durations_s().items()}
        total_ms = took_ms.pop(TOTAL)
        return {"index": self.index, "media_s": round(self.media_s, 3), "rung": self.rung,
                "total_ms": total_ms, "stages_ms": took_ms}  # fmt: skip


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
        self.joined = 0
        self.refused = 0

    def sent(self, frame: Frame) -> None:
        """A frame was made and is on its way."""
        self._frames[frame.pts] = _Sent(frame.index, frame.pts, frame.media_s, frame.trace)
        if len(self._frames) > KEPT_FRAMES:
            self._frames.popitem(last=False)

    def seen(self, eyes: Eyes, origin: int, told: Iterable[ShownFrame], now_s: float) -> list[Seen]:
        """What a viewer told, joined. `origin` is the RTP time of media time zero in this viewer's picture."""
        found = []
        for shown in told:
            one = self._join(eyes, origin, shown, now_s)
            if one is None:
                self.refused += 1
                continue
            self.joined += 1
            self.stages.add_durations(one.durations_s())
            eyes.recent.append(one)
            found.append(one)
        return found

    def _join(self, eyes: Eyes, origin: int, shown: ShownFrame, now_s: float) -> Seen | None:
        pts = self._pts((shown.rtp - origin) % _WRAP)
        frame = None if pts is None else self._frames[pts]
        if frame is None or frame.pts <= eyes.last_pts or not {"begun", "sent"} <= frame.trace.stamps_s.keys():
            return None
        stamps_s = dict(frame.trace.stamps_s)
        sent_s = stamps_s["sent"]
        order = (sent_s - CLOCK_ERROR_S, shown.received_s, shown.presented_s, shown.displayed_s, now_s + AHEAD_S)
        if shown.displayed_s < sent_s or any(later < sooner for sooner, later in zip(order, order[1:], strict=False)):
            return None
        eyes.last_pts = frame.pts
        received_s = max(sent_s, shown.received_s)
        presented_s = max(received_s, shown.presented_s)
        stamps_s |= {
            "received": received_s,
            "buffered": max(received_s, presented_s - shown.decode_s),
            "decoded": presented_s,
            "displayed": max(presented_s, shown.displayed_s),
        }
        return Seen(frame.index, frame.media_s, frame.trace.rung, stamps_s)

    def _pts(self, word: int) -> int | None:
        """The frame with these low 32 bits of its time; browsers hand on RTP times a tick off."""
        if not self._frames:
            return None
        newest = next(reversed(self._frames))
        near = newest - (newest - word + _WRAP // 2) % _WRAP + _WRAP // 2
        return next((pts for pts in (near, near - 1, near + 1) if pts in self._frames), None)

    def summary(self) -> dict[str, Any]:
        """Percentiles by stage in milliseconds, and how much was joined."""
        return {"joined": self.joined, "refused": self.refused, "stages_ms": self.stages.summary_ms()}
