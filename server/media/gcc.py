"""Google congestion control's delay-based part (draft-ietf-rmcat-gcc-02 sections 4 and 5), with the trendline
estimator that libwebrtc uses in place of the Kalman filter. Pure: times are given, nothing is read or sent."""

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

_BURST_S: Final = 0.005
_BURST_MAX_S: Final = 0.1
_JUMP_S: Final = 3.0


class Usage(Enum):
    """What the delay says about the path."""

    NORMAL = "normal"
    OVER = "over"
    UNDER = "under"


@dataclass(slots=True)
class _Group:
    """Packets that left together."""

    first_sent_s: float
    sent_s: float
    first_arrived_s: float
    arrived_s: float


class InterArrival:
    """Groups packets into bursts of 5 ms and compares how far apart two bursts left and arrived (section 5.2)."""

    def __init__(self) -> None:
        self._current: _Group | None = None
        self._previous: _Group | None = None

    def add(self, sent_s: float, arrived_s: float) -> tuple[float, float] | None:
        """A packet arrived. When it begins a new group: send and arrival distance of the two groups before it."""
        group = self._current
        if group is None or abs(arrived_s - group.arrived_s) > _JUMP_S:
            self._current, self._previous = _Group(sent_s, sent_s, arrived_s, arrived_s), None
            return None
        if sent_s < group.first_sent_s:
            return None  # out of order: its group is closed
        if sent_s - group.first_sent_s <= _BURST_S or self._is_burst(group, sent_s, arrived_s):
            group.sent_s = max(group.sent_s, sent_s)
            group.arrived_s = max(group.arrived_s, arrived_s)
            return None
        before, self._previous = self._previous, group
        self._current = _Group(sent_s, sent_s, arrived_s, arrived_s)
        if before is None:
            return None
        return group.sent_s - before.sent_s, group.arrived_s - before.arrived_s

    @staticmethod
    def _is_burst(group: _Group, sent_s: float, arrived_s: float) -> bool:
        """Packets that a queue on the way let go together belong together, however far apart they left."""
        since_s = arrived_s - group.arrived_s
        propagation_s = since_s - (sent_s - group.sent_s)
        return propagation_s < 0 and since_s <= _BURST_S and arrived_s - group.first_arrived_s < _BURST_MAX_S


class QueueView:
    """How long packets wait in queues: the delay above the shortest of the last minute or so.

    Not a part of GCC, which looks at the delay's slope only. A queue that was filled before the slope could be seen
    stands still, and a standing queue is as late as a growing one. And a receiver that was kept from its processor
    shows a slope where there is no queue: what it missed comes all at once, and then the delay is what it was."""

    DEEP_S: Final = 0.12
    _DEEP_FOR_S: Final = 0.2
    _HALF_S: Final = 30.0
    _WINDOW_S: Final = 1.0
    _GROWN_S: Final = 0.03

    def __init__(self) -> None:
        self.deep = False
        """Whether every packet has waited long for a while."""
        self._shortest_s = math.inf
        self._earlier_s = math.inf
        self._since_s: float | None = None
        self._deep_since_s: float | None = None
        self._floors: deque[tuple[float, float]] = deque()

    def feedback(self, waits_s: list[tuple[float, float]]) -> None:
        """Packets of one feedback, each with its arrival and how long it took to arrive (by two clocks)."""
        arrived_s = waits_s[-1][0]
        if self._since_s is None or not 0.0 <= arrived_s - self._since_s <= self._HALF_S:
            self._since_s, self._earlier_s, self._shortest_s = arrived_s, self._shortest_s, math.inf
        least_s = min(took_s for _, took_s in waits_s)
        self._shortest_s = min(self._shortest_s, least_s)
        base_s = min(self._shortest_s, self._earlier_s)
        if least_s - base_s <= self.DEEP_S:
            self._deep_since_s = None
        elif self._deep_since_s is None:
            self._deep_since_s = waits_s[0][0]
        self.deep = self._deep_since_s is not None and arrived_s - self._deep_since_s >= self._DEEP_FOR_S
        self._floors.append((arrived_s, least_s - base_s))
        while self._floors[0][0] < arrived_s - self._WINDOW_S or self._floors[0][0] > arrived_s:
            self._floors.popleft()

    @property
    def grown(self) -> bool:
        """Whether even the quickest packets wait longer than those of a moment ago."""
        waits_s = [wait_s for _, wait_s in self._floors]
        return bool(waits_s) and waits_s[-1] - min(waits_s) > self._GROWN_S


class Trendline:
    """Slope of the queueing delay over the last groups, and what it says (section 5.4's adaptive threshold)."""

    _WINDOW: Final = 20
    _SMOOTHING: Final = 0.9
    _GAIN: Final = 4.0
    _DELTAS_MAX: Final = 60
    _THRESHOLD_MS: Final = (6.0, 600.0)
    _UP: Final = 0.0087
    _DOWN: Final = 0.039
    _OUTLIER_MS: Final = 15.0
    _OVERUSE_MS: Final = 10.0
    _STEP_MAX_MS: Final = 100.0

    def __init__(self) -> None:
        self.usage = Usage.NORMAL
        self._points: deque[tuple[float, float]] = deque(maxlen=self._WINDOW)
        self._first_s: float | None = None
        self._deltas = 0
        self._accumulated_ms = self._smoothed_ms = 0.0
        self._threshold_ms = 12.5
        self._updated_s: float | None = None
        self._over_ms = -1.0
        self._overs = 0
        self._trend = 0.0

    def add(self, sent_delta_s: float, arrived_delta_s: float, arrived_s: float) -> Usage:
        """Two groups were compared."""
        if self._first_s is None:
            self._first_s = arrived_s
        self._deltas = min(self._deltas + 1, 1000)
        self._accumulated_ms += 1000 * (arrived_delta_s - sent_delta_s)
        self._smoothed_ms = self._SMOOTHING * self._smoothed_ms + (1 - self._SMOOTHING) * self._accumulated_ms
        self._points.append((1000 * (arrived_s - self._first_s), self._smoothed_ms))
        trend = self._slope() if len(self._points) == self._WINDOW else self._trend
        self._detect(trend, 1000 * sent_delta_s, arrived_s)
        self._trend = trend
        return self.usage

    def _slope(self) -> float:
        """Least squares; the delay's change per unit of time."""
        count = len(self._points)
        mean_x = sum(x for x, _ in self._points) / count
        mean_y = sum(y for _, y in self._points) / count
        spread = sum((x - mean_x) ** 2 for x, _ in self._points)
        if spread == 0.0:
            return self._trend
        return sum((x - mean_x) * (y - mean_y) for x, y in self._points) / spread

    def _detect(self, trend: float, sent_delta_ms: float, now_s: float) -> None:
        if self._deltas < 2:
            return
        modified_ms = min(self._deltas, self._DELTAS_MAX) * trend * self._GAIN
        if modified_ms > self._threshold_ms:
            self._over_ms = sent_delta_ms / 2 if self._over_ms < 0 else self._over_ms + sent_delta_ms
            self._overs += 1
            if self._over_ms > self._OVERUSE_MS and self._overs > 1 and trend >= self._trend:
                self._over_ms, self._overs = 0.0, 0
                self.usage = Usage.OVER
        else:
            self._over_ms, self._overs = -1.0, 0
            self.usage = Usage.UNDER if modified_ms < -self._threshold_ms else Usage.NORMAL
        self._adapt(modified_ms, now_s)

    def _adapt(self, modified_ms: float, now_s: float) -> None:
        if self._updated_s is None:
            self._updated_s = now_s
        excess_ms = abs(modified_ms) - self._threshold_ms
        if excess_ms <= self._OUTLIER_MS:
            gain = self._DOWN if excess_ms < 0 else self._UP
            step_ms = min(1000 * (now_s - self._updated_s), self._STEP_MAX_MS)
            least, most = self._THRESHOLD_MS
            self._threshold_ms = max(least, min(self._threshold_ms + gain * excess_ms * step_ms, most))
        self._updated_s = now_s


class AimdRate:
    """Additive increase near the capacity last met, multiplicative far from it and downwards (section 5.5)."""

    _DECREASE: Final = 0.85
    _DECREASE_DEEP: Final = 0.7
    _INCREASE_PER_S: Final = 1.08
    _LIMIT_FACTOR: Final = 1.5
    _LIMIT_EXTRA_BPS: Final = 10_000.0
    _CAPACITY_SMOOTHING: Final = 0.05
    _FRAME_RATE_HZ: Final = 30.0
    _PACKET_BITS: Final = 1200 * 8.0
    _REDUCE_AGAIN_S: Final = (0.01, 0.2)

    def __init__(self, start_bps: float, least_bps: float, most_bps: float) -> None:
        self.rate_bps = start_bps
        self._least_bps = least_bps
        self._most_bps = most_bps
        self._increasing = False
        self._changed_s: float | None = None
        self._decreased_s = float("-inf")
        self._capacity_kbps: float | None = None
        self._deviation = 0.4

    def update(
        self, usage: Usage, acked_bps: float | None, round_trip_s: float, now_s: float, *, deep: bool = False
    ) -> float:
        """A feedback was evaluated; the rate that the path is now believed to carry. `deep`: the queue is so long that
        it has to be emptied, not only kept from growing."""
        since_s = 0.0 if self._changed_s is None else min(now_s - self._changed_s, 1.0)
        self._changed_s = now_s
        if usage is Usage.OVER:
            self._increasing = False
            self._decrease(acked_bps, round_trip_s, now_s, self._DECREASE_DEEP if deep else self._DECREASE)
        elif usage is Usage.UNDER:
            # a queue is draining: wait until it has
            self._increasing = False
        elif not self._increasing:
            self._increasing = True
        else:
            self._increase(acked_bps, round_trip_s, since_s)
        self.rate_bps = max(self._least_bps, min(self.rate_bps, self._most_bps))
        return self.rate_bps

    def _increase(self, acked_bps: float | None, round_trip_s: float, since_s: float) -> None:
        if acked_bps is not None and self._capacity_kbps is not None and acked_bps / 1000 > self._bound(3.0):
            self._capacity_kbps = None
        limit_bps = math.inf if acked_bps is None else self._LIMIT_FACTOR * acked_bps + self._LIMIT_EXTRA_BPS
        if self.rate_bps >= limit_bps:
            return
        if self._capacity_kbps is not None:
            frame_bits = self.rate_bps / self._FRAME_RATE_HZ
            packet_bits = frame_bits / math.ceil(frame_bits / self._PACKET_BITS)
            step_bps = max(4000.0, packet_bits / (round_trip_s + 0.1)) * since_s
        else:
            step_bps = max(1000.0, self.rate_bps * (self._INCREASE_PER_S**since_s - 1))
        self.rate_bps = min(self.rate_bps + step_bps, limit_bps)

    def _decrease(self, acked_bps: float | None, round_trip_s: float, now_s: float, share: float) -> None:
        least_s, most_s = self._REDUCE_AGAIN_S
        soon = now_s - self._decreased_s < max(least_s, min(round_trip_s, most_s))
        if soon and (acked_bps is None or acked_bps > 0.5 * self.rate_bps):
            return
        self._decreased_s = now_s
        if acked_bps is None:
            self.rate_bps *= share
            return
        decreased_bps = share * acked_bps
        if decreased_bps > self.rate_bps and self._capacity_kbps is not None:
            decreased_bps = share * 1000 * self._capacity_kbps
        self.rate_bps = min(self.rate_bps, decreased_bps)
        if self._capacity_kbps is not None and acked_bps / 1000 < self._bound(-3.0):
            self._capacity_kbps = None
        self._met(acked_bps / 1000)

    def _met(self, sample_kbps: float) -> None:
        """The path's capacity was met at this rate; mean and normalised variance as libwebrtc keeps them."""
        share = self._CAPACITY_SMOOTHING
        if self._capacity_kbps is None:
            self._capacity_kbps = sample_kbps
        else:
            self._capacity_kbps += share * (sample_kbps - self._capacity_kbps)
        norm = max(self._capacity_kbps, 1.0)
        error = self._capacity_kbps - sample_kbps
        self._deviation = max(0.4, min((1 - share) * self._deviation + share * error * error / norm, 2.5))

    def _bound(self, deviations: float) -> float:
        assert self._capacity_kbps is not None
        spread = deviations * math.sqrt(self._deviation * self._capacity_kbps)
        return max(0.0, self._capacity_kbps + spread)
