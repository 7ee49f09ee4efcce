"""What viewers ask of the encoder, decided without a clock: when to send a keyframe and which bit rate to aim at."""

from collections import deque
from collections.abc import Hashable
from typing import Final

KEYFRAME_INTERVAL_S: Final = 0.3
ESTIMATE_SHARE: Final = 0.8
"""Part of a viewer's estimate that the picture uses: measured to hold 25 fps on a 700 kb/s link, where the whole did
not. The rest is for the sound, headers and repeats; an estimate covers only what carries abs-send-time, the picture."""
CONGESTION_SHARE: Final = 0.9
"""An estimate below this part of what was sent is congestion: on overuse a receiver reports 0.85 of what came through
(draft-ietf-rmcat-gcc section 5.5), while an undisturbed one reports about all of it, give or take its window."""
LOSS_SHARE: Final = 0.1
QUEUE_BACKOFF: Final = 0.85
BITRATE_MIN_BPS: Final = 200_000
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


class RateMeter:
    """Bits per second over a sliding window."""

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._sent: deque[tuple[float, int]] = deque()
        self._total_bytes = 0

    def add(self, now_s: float, size_bytes: int) -> None:
        """Something left."""
        self._sent.append((now_s, size_bytes))
        self._total_bytes += size_bytes
        while self._sent and self._sent[0][0] <= now_s - self._window_s:
            self._total_bytes -= self._sent.popleft()[1]

    @property
    def rate_bps(self) -> int:
        """The rate as of the last `add`."""
        return int(8 * self._total_bytes / self._window_s)


class BitrateGovernor:
    """Bit rate of a shared picture: what the weakest viewer's path carries.

    A receiver's estimate alone does not lower a budget. It cannot see more bandwidth than it is sent, so an idle
    picture would talk the rate down to nothing and the next sentence would start blurred; and a busy receiver reads
    its own scheduling as congestion. An estimate clearly below what was sent, with losses or a grown round trip beside
    it, is congestion."""

    def __init__(
        self,
        *,
        start_bps: int = BITRATE_START_BPS,
        min_bps: int = BITRATE_MIN_BPS,
        max_bps: int = BITRATE_MAX_BPS,
    ) -> None:
        self._start_bps = start_bps
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._budgets_bps: dict[Hashable, int] = {}

    def joined(self, viewer: Hashable) -> None:
        """A viewer whose path is not known yet: it begins at the start rate, and so do the others with it."""
        self._budgets_bps[viewer] = self._start_bps

    def estimated(self, viewer: Hashable, estimate_bps: int, sent_bps: int, *, strained: bool) -> None:
        """A viewer's receiver estimated what its path carries (REMB, draft-alvestrand-rmcat-remb-03) while
        `sent_bps` of picture were sent to it. `strained` says whether the path shows it: packets lost or a grown
        round trip."""
        if viewer not in self._budgets_bps:
            return
        budget_bps = int(ESTIMATE_SHARE * estimate_bps)
        congested = strained and sent_bps >= self._min_bps and estimate_bps < CONGESTION_SHARE * sent_bps
        if not congested:
            budget_bps = max(budget_bps, self._budgets_bps[viewer])
        self._budgets_bps[viewer] = max(self._min_bps, min(budget_bps, self._max_bps))

    def reported(self, viewer: Hashable, fraction_lost: float, sent_bps: int, *, queueing: bool) -> None:
        """A receiver report came. Loss above a tenth takes half of it off the rate (draft-ietf-rmcat-gcc section 6), a
        long queue 15 %: an estimate may come only seconds later."""
        if viewer not in self._budgets_bps or not (fraction_lost > LOSS_SHARE or queueing):
            return
        share = 1.0 - 0.5 * fraction_lost if fraction_lost > LOSS_SHARE else QUEUE_BACKOFF
        in_use_bps = min(self._budgets_bps[viewer], max(sent_bps, self._min_bps))
        self._budgets_bps[viewer] = max(self._min_bps, int(share * in_use_bps))

    def left(self, viewer: Hashable) -> None:
        """Forget a viewer."""
        self._budgets_bps.pop(viewer, None)

    @property
    def bitrate_bps(self) -> int:
        """What the encoder should aim at now."""
        return min(self._budgets_bps.values(), default=self._start_bps)
