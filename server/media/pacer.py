"""Spreads packets over time: a leaky bucket that lets a picture out at once and a keyframe in pieces. Pure."""

from typing import Final

PACING_FACTOR: Final = 2.5
"""The bucket leaks this much faster than the path is believed to carry: what is sent on average is below the estimate
anyway, and a picture that waits here is late for certain (libwebrtc paces with the same factor)."""
BURST_BYTES: Final = 6 * 1200
"""An ordinary picture of a talking head at up to 1.2 Mb/s leaves without waiting."""


class Pacer:
    """How much may leave now. Times are seconds of one monotonic clock."""

    def __init__(self, path_bps: float) -> None:
        self._path_bps = path_bps
        self._level_bytes = 0.0
        self._at_s = 0.0

    def path(self, path_bps: float) -> None:
        """What the path is believed to carry has changed."""
        self._path_bps = path_bps

    def room_bytes(self, now_s: float) -> float:
        """How much may leave at once; nothing may if this is not above zero. The last packet may overshoot."""
        leaked = (now_s - self._at_s) * PACING_FACTOR * self._path_bps / 8
        self._at_s = now_s
        self._level_bytes = max(0.0, self._level_bytes - leaked)
        return BURST_BYTES - self._level_bytes

    def sent(self, size_bytes: int) -> None:
        """So much left."""
        self._level_bytes += size_bytes

    def wait_s(self, backlog_bytes: int) -> float:
        """How long a backlog will take to leave."""
        return 8 * backlog_bytes / (PACING_FACTOR * self._path_bps)
