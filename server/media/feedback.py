"""What viewers ask of the encoder, decided without a clock: when to send a keyframe and which bit rate to aim at."""

from collections import deque
from typing import Final

KEYFRAME_INTERVAL_S: Final = 0.3
JOIN_INTERVAL_S: Final = 0.12
ESTIMATE_SHARE: Final = 0.8
"""Part of a viewer's estimate that the picture uses: measured to hold 25 fps on a 700 kb/s link, where the whole did
not. The rest is for the sound, headers and repeats; an estimate covers only what carries abs-send-time, the picture."""
CONGESTION_SHARE: Final = 0.9
"""An estimate below this part of what was sent is congestion: on overuse a receiver reports 0.85 of what came through
(draft-ietf-rmcat-gcc section 5.5), while an undisturbed one reports about all of it, give or take its window."""
LOSS_SHARE: Final = 0.1
QUEUE_BACKOFF: Final = 0.85
RECOVERY: Final = 1.08
"""Growth per clean report, about one a second, back to where the viewer began."""
SENT_LEAST_BPS: Final = 100_000
"""A receiver that is sent less than this knows too little of its path to be believed."""
PICTURE_SHARE: Final = 0.9
"""Part of a sender-side estimate that the picture's payload uses: RTP, SRTP, UDP and IP headers take 6 %, repeats the
rest."""
SOUND_ON_WIRE_BPS: Final = 66_000
"""40 kb/s of Opus and 50 times the headers."""
BITRATE_MIN_BPS: Final = 60_000
BITRATE_START_BPS: Final = 500_000
BITRATE_MAX_BPS: Final = 1_500_000


class KeyframeGate:
    """Merges keyframe requests (PLI, FIR, a slow viewer) and spaces the keyframes. A new viewer waits less: it sees
    nothing yet; but a crowd that comes at once shares its keyframes."""

    def __init__(self, interval_s: float = KEYFRAME_INTERVAL_S, join_interval_s: float = JOIN_INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._join_interval_s = join_interval_s
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
        since_s = now_s - self._last_s
        return (self._urgent and since_s >= self._join_interval_s) or (self._requested and since_s >= self._interval_s)

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


class ViewerBudget:
    """Bit rate of picture that one viewer's path carries.

    A sender-side estimate (`measured`) is taken as it is. A receiver's estimate (`estimated`) alone does not lower the
    budget: it cannot see more bandwidth than it is sent, so an idle picture would talk the rate down to nothing and the
    next sentence would start blurred; and a busy receiver reads its own scheduling as congestion. An estimate clearly
    below what was sent, with losses or a grown round trip beside it, is congestion."""

    def __init__(
        self,
        *,
        start_bps: int = BITRATE_START_BPS,
        min_bps: int = BITRATE_MIN_BPS,
        max_bps: int = BITRATE_MAX_BPS,
    ) -> None:
        self.bps = start_bps
        self._start_bps = start_bps
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._measured = False

    def measured(self, target_bps: float, *, copies: int = 1) -> None:
        """The path carries this much, sound and headers and all (from transport-wide feedback), and the picture is
        sent so many times."""
        self._measured = True
        self._set(PICTURE_SHARE * (target_bps - SOUND_ON_WIRE_BPS) / copies)

    def estimated(self, estimate_bps: int, sent_bps: int, *, strained: bool) -> None:
        """The viewer's receiver estimated what its path carries (REMB, draft-alvestrand-rmcat-remb-03) while
        `sent_bps` of picture were sent to it. `strained` says whether the path shows it: packets lost or a grown
        round trip."""
        budget_bps = int(ESTIMATE_SHARE * estimate_bps)
        congested = strained and sent_bps >= SENT_LEAST_BPS and estimate_bps < CONGESTION_SHARE * sent_bps
        self._set(budget_bps if congested else max(budget_bps, self.bps))

    def reported(self, fraction_lost: float, sent_bps: int, *, queueing: bool) -> None:
        """A receiver report came. Loss above a tenth takes half of it off the rate (draft-ietf-rmcat-gcc section 6), a
        long queue 15 %: a receiver's estimate may come only seconds later, a sender's has seen it already."""
        if self._measured:
            return
        if not (fraction_lost > LOSS_SHARE or queueing):
            if self.bps < self._start_bps:
                # a receiver that sends no estimates would never get out of one bad moment
                self._set(min(RECOVERY * self.bps, self._start_bps))
            return
        share = 1.0 - 0.5 * fraction_lost if fraction_lost > LOSS_SHARE else QUEUE_BACKOFF
        self._set(share * min(self.bps, max(sent_bps, SENT_LEAST_BPS)))

    def _set(self, bps: float) -> None:
        self.bps = int(max(self._min_bps, min(bps, self._max_bps)))
