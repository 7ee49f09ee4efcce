"""Where the time of a frame went: stage durations joined per frame, summarised over a sliding window."""

from collections import deque
from typing import Final

import numpy as np

from realtime.core.values import FrameTrace

STAGES: Final = ("posed", "based", "drawn", "refined", "published", "encoded", "sent")
"""Stamps in the order a frame gets them; `begun` is the zero they are measured from. Work lies before `refined`,
`published` and `sent` include the wait for the frame's media time."""


def durations_s(trace: FrameTrace) -> dict[str, float]:
    """Seconds spent in each stage that was stamped: the time since the stamp before it."""
    previous = trace.stamps_s.get("begun")
    result: dict[str, float] = {}
    for stage in STAGES:
        stamp = trace.stamps_s.get(stage)
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
        for stage, value in durations_s(trace).items():
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
