"""Which frame is due: frames are numbered on media time, a late one is skipped and never queued."""

from dataclasses import dataclass

from realtime.core.units import FRAME_RATE_HZ


@dataclass(frozen=True, slots=True)
class Due:
    """The next frame to make: its number, the media time it shows, its deadline, and how many were skipped for it."""

    index: int
    media_s: float
    deadline_s: float
    skipped: int


class FramePacer:
    """Numbers frames at a fixed rate on the session clock.

    Frame k shows media time k / rate and is due to be published before the next one's media time."""

    def __init__(self, rate_hz: float = FRAME_RATE_HZ) -> None:
        if rate_hz <= 0:
            raise ValueError(f"a frame rate is positive, got {rate_hz}")
        self._period_s = 1.0 / rate_hz
        self._last = -1

    @property
    def period_s(self) -> float:
        """Media time between two frames."""
        return self._period_s

    def next(self, now_s: float) -> Due:
        """The frame to make at `now_s`: the one after the last, unless its time has passed already, in which case
        the one whose period contains `now_s`."""
        in_order = self._last + 1
        current = int(now_s / self._period_s + 1e-9)
        index = max(in_order, current)
        skipped = index - in_order if self._last >= 0 else 0
        self._last = index
        media_s = index * self._period_s
        return Due(index, media_s, media_s + self._period_s, skipped)
