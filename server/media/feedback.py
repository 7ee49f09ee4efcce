"""What viewers ask of the encoder, decided without a clock: when to send a keyframe and which bit rate to aim at."""

from collections.abc import Hashable
from typing import Final

KEYFRAME_INTERVAL_S: Final = 0.3
ESTIMATE_SHARE: Final = 0.8
"""Part of a viewer's estimate that is used: measured to hold 25 fps on a 700 kb/s link, where the whole did not."""
BITRATE_MIN_BPS: Final = 150_000
BITRATE_START_BPS: Final = 500_000
BITRATE_MAX_BPS: Final = 1_500_000


class KeyframeGate:
    """Merges keyframe requests (PLI, FIR, a slow viewer) and spaces the keyframes; a new viewer gets one at once."""

    def __init__(self, interval_s: float = KEYFRAME_INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._requested = False
        self._urgent = False
        self._last_s = float("-inf")

    def request(self) -> None:
        """A viewer cannot decode what it got."""
        self._requested = True

    def joined(self) -> None:
        """A viewer has got nothing yet."""
        self._urgent = True

    def due(self, now_s: float) -> bool:
        """Whether the frame encoded now has to be a keyframe."""
        return self._urgent or (self._requested and now_s - self._last_s >= self._interval_s)

    def made(self, now_s: float) -> None:
        """A keyframe was encoded: it serves everyone who asked so far."""
        self._requested = self._urgent = False
        self._last_s = now_s


class BitrateGovernor:
    """Bit rate of a shared picture: what the weakest viewer's path carries, less the sound."""

    def __init__(
        self,
        *,
        start_bps: int = BITRATE_START_BPS,
        sound_bps: int,
        min_bps: int = BITRATE_MIN_BPS,
        max_bps: int = BITRATE_MAX_BPS,
    ) -> None:
        self._start_bps = start_bps
        self._sound_bps = sound_bps
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._estimates_bps: dict[Hashable, int] = {}

    def estimated(self, viewer: Hashable, estimate_bps: int) -> None:
        """A viewer's receiver estimated what its path carries (REMB, draft-alvestrand-rmcat-remb-03)."""
        self._estimates_bps[viewer] = estimate_bps

    def left(self, viewer: Hashable) -> None:
        """Forget a viewer."""
        self._estimates_bps.pop(viewer, None)

    @property
    def bitrate_bps(self) -> int:
        """What the encoder should aim at now; the start rate until the first estimate."""
        if not self._estimates_bps:
            return self._start_bps
        budget_bps = int(ESTIMATE_SHARE * min(self._estimates_bps.values())) - self._sound_bps
        return max(self._min_bps, min(budget_bps, self._max_bps))
