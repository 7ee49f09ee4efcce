"""What a path carries, estimated at the sending end from transport-wide feedback: delay-based and loss-based control
together (draft-ietf-rmcat-gcc-02). Sans-IO: told what was sent and what was fed back, and when."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from server.media.gcc import AimdRate, InterArrival, QueueView, Trendline, Usage
from server.media.twcc import Feedback

_HISTORY: Final = 1 << 12
_HISTORY_MASK: Final = _HISTORY - 1
_NUMBER_MASK: Final = 0xFFFF
ESTIMATE_MIN_BPS: Final = 60_000
ESTIMATE_MAX_BPS: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one feedback led to."""

    target_bps: float
    """What may be sent, headers and all."""
    usage: Usage
    fraction_lost: float
    round_trip_s: float | None


class _Acked:
    """Rate at which the receiver gets data, over half a second of its own time."""

    _WINDOW_S: Final = 0.5
    _SPAN_LEAST_S: Final = 0.15

    def __init__(self) -> None:
        self._arrived: deque[tuple[float, int]] = deque()
        self._bytes = 0

    def add(self, arrived_s: float, size_bytes: int) -> None:
        if self._arrived and abs(arrived_s - self._arrived[-1][0]) > 3.0:
            self._arrived.clear()
            self._bytes = 0
        self._arrived.append((arrived_s, size_bytes))
        self._bytes += size_bytes
        while self._arrived[0][0] < arrived_s - self._WINDOW_S:
            self._bytes -= self._arrived.popleft()[1]

    @property
    def rate_bps(self) -> float | None:
        if len(self._arrived) < 2:
            return None
        span_s = self._arrived[-1][0] - self._arrived[0][0]
        if span_s < self._SPAN_LEAST_S:
            return None
        # the first packet opens the span, so its own bytes lie outside it
        return 8 * (self._bytes - self._arrived[0][1]) / span_s


class LossRate:
    """The loss-based part, section 6: above 10 % loss down, below 2 % up, and hold in between."""

    _WINDOW_S: Final = 0.5
    _WINDOW_PACKETS: Final = 20
    _HIGH: Final = 0.10
    _LOW: Final = 0.02
    _INCREASE_PER_S: Final = 1.08
    _HEADROOM: Final = 1.5

    def __init__(self, start_bps: float) -> None:
        self.rate_bps = start_bps
        self.fraction_lost = 0.0
        self._packets = self._lost = 0
        self._since_s: float | None = None

    def add(self, packets: int, lost: int, delay_based_bps: float, now_s: float) -> None:
        """A feedback told of so many packets, so many of them lost."""
        if self._since_s is None:
            self._since_s = now_s
        self._packets += packets
        self._lost += lost
        passed_s = now_s - self._since_s
        if self._packets < self._WINDOW_PACKETS or passed_s < self._WINDOW_S:
            return
        self.fraction_lost = self._lost / self._packets
        if self.fraction_lost > self._HIGH:
            self.rate_bps = (1 - 0.5 * self.fraction_lost) * min(self.rate_bps, delay_based_bps)
        elif self.fraction_lost < self._LOW:
            grown_bps = self.rate_bps * self._INCREASE_PER_S ** min(passed_s, 1.0) + 1000
            # far above the other part it would say nothing for long after a loss
            self.rate_bps = min(max(grown_bps, delay_based_bps), self._HEADROOM * delay_based_bps)
        self.rate_bps = max(self.rate_bps, ESTIMATE_MIN_BPS)
        self._packets = self._lost = 0
        self._since_s = now_s


class SendEstimator:
    """One transport's estimate. Call `sent` for every packet, `feedback` for every report; nothing else is needed."""

    def __init__(self, start_bps: float, most_bps: float = ESTIMATE_MAX_BPS) -> None:
        self.target_bps = start_bps
        self._sent_s = [0.0] * _HISTORY
        self._sizes = [0] * _HISTORY
        self._numbers = [-1] * _HISTORY
        self._groups = InterArrival()
        self._trend = Trendline()
        self._rate = AimdRate(start_bps, ESTIMATE_MIN_BPS, most_bps)
        self._loss = LossRate(start_bps)
        self._acked = _Acked()
        self._queue = QueueView()
        self._next: int | None = None
        self._round_trip_s: float | None = None

    def sent(self, number: int, size_bytes: int, now_s: float) -> None:
        """A packet left under this transport-wide sequence number."""
        at = number & _HISTORY_MASK
        self._numbers[at], self._sent_s[at], self._sizes[at] = number, now_s, size_bytes

    def feedback(self, feedback: Feedback, now_s: float) -> Estimate:
        """The receiver told what arrived."""
        usage = Usage.NORMAL
        packets = lost = 0
        newest_s: float | None = None
        waits_s: list[tuple[float, float]] = []
        for offset, arrived_s in enumerate(feedback.arrivals_s):
            number = (feedback.first + offset) & _NUMBER_MASK
            at = number & _HISTORY_MASK
            if self._numbers[at] != number:
                continue
            if self._is_new(number):
                packets += 1
                lost += arrived_s is None
            if arrived_s is None:
                continue
            sent_s, size_bytes = self._sent_s[at], self._sizes[at]
            self._numbers[at] = -1
            newest_s = sent_s
            waits_s.append((arrived_s, arrived_s - sent_s))
            self._acked.add(arrived_s, size_bytes)
            apart = self._groups.add(sent_s, arrived_s)
            if apart is not None and self._trend.add(*apart, arrived_s) is Usage.OVER:
                usage = Usage.OVER
        self._next = (feedback.first + len(feedback.arrivals_s)) & _NUMBER_MASK
        if newest_s is not None:
            self._round_trip_s = now_s - newest_s
        usage = self._believed(usage if usage is Usage.OVER else self._trend.usage, waits_s)
        round_trip_s = self._round_trip_s or 0.1
        delay_bps = self._rate.update(usage, self._acked.rate_bps, round_trip_s, now_s, deep=self._queue.deep)
        self._loss.add(packets, lost, delay_bps, now_s)
        self.target_bps = min(delay_bps, self._loss.rate_bps)
        return Estimate(self.target_bps, usage, self._loss.fraction_lost, self._round_trip_s)

    def _believed(self, usage: Usage, waits_s: list[tuple[float, float]]) -> Usage:
        """The slope's verdict, held against how long packets waited."""
        if not waits_s:
            return Usage.NORMAL
        self._queue.feedback(waits_s)
        if self._queue.deep and usage is not Usage.UNDER:
            return Usage.OVER
        if usage is Usage.OVER and not self._queue.grown:
            return Usage.NORMAL
        return usage

    def _is_new(self, number: int) -> bool:
        """Whether no feedback before this one reached so far: a packet reported missing may be reported again."""
        return self._next is None or (number - self._next) & _NUMBER_MASK < 0x8000
