"""Where the time of a frame went: stage durations joined per frame, summarised over a sliding window."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from realtime.core.units import FRAME_S
from realtime.core.values import Frame, FrameTrace

STAGES: Final = ("posed", "based", "drawn", "refined", "spoken", "published", "encoded", "sent")
"""Stamps in the order a frame gets them; `begun` is the zero they are measured from. Work lies before `spoken`,
`published` and `sent` include the wait for the frame's media time."""


def durations_s(trace: FrameTrace) -> dict[str, float]:
    """Seconds spent in each stage that was stamped: the time since the stamp before it."""
    return between("begun", STAGES, trace.stamps_s)


def between(zero: str, stages: Sequence[str], stamps_s: Mapping[str, float]) -> dict[str, float]:
    """Seconds between each two of the stages that were stamped, in the order given, beginning at `zero`."""
    previous = stamps_s.get(zero)
    result: dict[str, float] = {}
    for stage in stages:
        stamp = stamps_s.get(stage)
        if stamp is None or previous is None:
            continue
        result[stage] = stamp - previous
        previous = stamp
    return result


class StageWindow:
    """Percentiles of every stage over the last `size` frames."""

    def __init__(self, size: int = 250) -> None:
        self._size = size
        self._seen: dict[str, deque[float]] = {}

    def add(self, trace: FrameTrace) -> None:
        """Count one frame in."""
        self.add_durations(durations_s(trace))

    def add_durations(self, took_s: Mapping[str, float]) -> None:
        """Count seconds by stage in."""
        for stage, value in took_s.items():
            self._seen.setdefault(stage, deque(maxlen=self._size)).append(value)

    def summary_ms(self) -> dict[str, dict[str, float]]:
        """`{stage: {"p50": ms, "p95": ms}}` over the window."""
        return {
            stage: {
                "p50": round(float(np.percentile(values, 50)) * 1000, 2),
                "p95": round(float(np.percentile(values, 95)) * 1000, 2),
            }
            for stage, values in self._seen.items()
        }


RESPONSE_STAGES: Final = ("scripted", "answered", "voiced", "framed", "encoded", "sent", "displayed")
"""Stamps of a request on its way to the viewer's eyes; `received` is the zero they are measured from. `scripted`: its
text was read and waits to be spoken; `answered`: the first part of an answer was there; `voiced`: so was its first
sound with its phonemes; `framed`, `encoded`, `sent`: the first frame that shows the mouth speaking it; `displayed`: as
the browser's frame callback told."""


@dataclass(slots=True)
class Response:
    """One request and what became of it. Stamps are session-clock seconds by stage name."""

    stamps_s: dict[str, float]
    sounds_s: float | None = None
    """Media time of its first sound."""

    def durations_s(self) -> dict[str, float]:
        """Seconds spent in each stage that was stamped."""
        return between("received", RESPONSE_STAGES, self.stamps_s)


@dataclass(slots=True)
class Responses:
    """Follows a session's requests, one at a time: the first one that finds the host silent, until it is seen."""

    _received_s: float | None = None
    _open: Response | None = None
    _sent: Response | None = None
    """The last one that was sent, until a browser says when it was seen."""

    def received(self, now_s: float) -> None:
        """A viewer's or caller's request has come in; what it asks for is not known yet."""
        self._received_s = now_s

    def asked(self, now_s: float) -> None:
        """A script or an answer waits to be spoken to a silent room."""
        received_s, self._received_s = self._received_s, None
        if self._open is None:
            self._open = Response({"received": now_s if received_s is None else received_s, "scripted": now_s})

    def answered(self, now_s: float) -> None:
        """The first part of an answer is there."""
        if self._open is not None:
            self._open.stamps_s.setdefault("answered", now_s)

    def voiced(self, now_s: float, sounds_s: float) -> None:
        """The first sound is there, to be heard at this media time."""
        if self._open is not None and self._open.sounds_s is None:
            self._open.stamps_s["voiced"] = now_s
            self._open.sounds_s = sounds_s

    def dropped(self) -> None:
        """Nothing will come of what was asked."""
        self._open = None

    def shown(self, frame: Frame) -> Response | None:
        """A frame was sent; the response that it is the first to show."""
        found, stamps = self._open, frame.trace.stamps_s
        if found is None or found.sounds_s is None or frame.media_s + FRAME_S <= found.sounds_s:
            return None
        found.stamps_s["framed"] = stamps["published"]
        found.stamps_s |= {name: stamps[name] for name in ("encoded", "sent") if name in stamps}
        self._open, self._sent = None, found
        return found

    def displayed(self, total_s: float) -> float | None:
        """A browser saw the last response this long after it had asked; the time from sending to display, which holds
        both ways through the network. None if there is none to join it with."""
        found, self._sent = self._sent, None
        if found is None or "sent" not in found.stamps_s:
            return None
        at_s = found.stamps_s["received"] + total_s
        if at_s < found.stamps_s["sent"]:
            return None
        found.stamps_s["displayed"] = at_s
        return at_s - found.stamps_s["sent"]
