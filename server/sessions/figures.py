"""Figures for the overlay: what was done for a frame, and what viewers measured themselves."""

from collections.abc import Mapping
from typing import Any

from realtime.core.trace import durations_s
from realtime.core.values import Frame


def frame_report(frame: Frame, width: int, height: int) -> dict[str, Any]:
    """One frame's trace as JSON values: pixels in the frame's own size, times in milliseconds."""
    trace = frame.trace
    return {
        "index": frame.index,
        "pts": frame.pts,
        "media_s": round(frame.media_s, 3),
        "epoch": frame.epoch,
        "width": width,
        "height": height,
        "rung": trace.rung,
        "mouth": trace.mouth,
        "drawn": list(trace.drawn),
        "reused": list(trace.reused),
        "base_hit": trace.base_hit,
        "faults": dict(trace.faults),
        "rois": {name: [roi.x, roi.y, roi.width, roi.height] for name, roi in trace.rois.items()},
        "stages_ms": {stage: round(value * 1000.0, 2) for stage, value in durations_s(trace).items()},
    }


class ViewerFigures:
    """The last figures a viewer sent, by name."""

    def __init__(self) -> None:
        self.latest: dict[str, float] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """Replace what was known; a viewer sends all of its figures each time."""
        self.latest = dict(values)
