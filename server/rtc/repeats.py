"""What a viewer's reports say about its path, and how much may be sent again on it. Pure."""

from dataclasses import dataclass
from typing import ClassVar, Final

_AGAIN_LEAST_S: Final = 0.05
_REMEMBERED: Final = 1024
_REMEMBERED_S: Final = 5.0
"""Longer than any receiver asks for a packet, and shorter than numbers take to come round."""


@dataclass(slots=True)
class PathView:
    """What receiver reports say about one viewer's path."""

    _LOSS_STRAINED: ClassVar[float] = 0.02
    _QUEUE_STRAINED_S: ClassVar[float] = 0.03
    _QUEUE_LONG_S: ClassVar[float] = 0.1
    _LOSS_DOUBLED: ClassVar[float] = 0.015
    _ROUND_TRIP_DOUBLED_S: ClassVar[float] = 0.12
    _SMOOTHING: ClassVar[float] = 0.3
    _JITTER_ROUGH_S: ClassVar[float] = 0.015
    _JITTER_SMOOTH_S: ClassVar[float] = 0.006

    round_trip_s: float | None = None
    fraction_lost: float = 0.0
    jitter_s: float = 0.0
    rough: bool = False
    """Whether packets come unevenly."""
    _shortest_s: float = float("inf")
    _loss: float = 0.0

    def reported(self, fraction_lost: float, round_trip_s: float | None, jitter_s: float = 0.0) -> None:
        """A receiver report came."""
        self.fraction_lost = fraction_lost
        self._loss += self._SMOOTHING * (fraction_lost - self._loss)
        self.jitter_s += self._SMOOTHING * (jitter_s - self.jitter_s)
        if self.jitter_s > self._JITTER_ROUGH_S:
            self.rough = True
        elif self.jitter_s < self._JITTER_SMOOTH_S:
            self.rough = False
        if round_trip_s is not None:
            self.round_trip_s = round_trip_s
            self._shortest_s = min(self._shortest_s, round_trip_s)

    @property
    def strained(self) -> bool:
        """Whether packets are lost or wait in a queue; a path nothing is known of counts as strained."""
        if self.round_trip_s is None or self.fraction_lost > self._LOSS_STRAINED:
            return True
        return self.round_trip_s > 1.5 * self._shortest_s + self._QUEUE_STRAINED_S

    @property
    def queueing(self) -> bool:
        """Whether packets wait long in a queue."""
        return self.round_trip_s is not None and self.round_trip_s > 1.5 * self._shortest_s + self._QUEUE_LONG_S

    @property
    def smooth(self) -> bool:
        """Whether a receiver does better to wait a little: for uneven packets, or for copies."""
        return self.rough or self.doubled

    @property
    def doubled(self) -> bool:
        """Whether pictures should be sent twice: where asking for a lost packet takes longer than anyone looks at a
        still picture, and packets do get lost."""
        return self._loss > self._LOSS_DOUBLED and self._shortest_s > self._ROUND_TRIP_DOUBLED_S and (
            self._shortest_s != float("inf")
        )


class RetransmitBudget:
    """Lets repeats use a fifth of what is sent, and each packet be repeated once per round trip and `MOST` times in
    all: without a bound, repeats fill a link that is already full, and within a round trip nobody can know that one
    was lost. Some receivers (Pion 3) do not see that a repeat has filled a hole and ask for it for seconds, which would
    leave nothing for what is lost meanwhile."""

    MOST: Final = 3

    _SHARE: Final = 0.2
    _BURST_BYTES: Final = 30_000

    def __init__(self) -> None:
        self._credit_bytes = float(self._BURST_BYTES)
        self._repeated: dict[int, tuple[float, int]] = {}
        """When each packet was repeated last, or asked for in vain, and how often it was repeated."""

    def sent(self, size_bytes: int) -> None:
        """New data left: credit for repeats grows with it."""
        self._credit_bytes = min(self._credit_bytes + self._SHARE * size_bytes, self._BURST_BYTES)

    def allows(self, sequence: int, size_bytes: int, now_s: float, round_trip_s: float | None) -> bool:
        """Whether this packet may be repeated now; if so, it is charged."""
        # a receiver asks again after its own idea of the round trip, which may be a little shorter than ours
        again_s = max(_AGAIN_LEAST_S, 0.8 * (round_trip_s or 0.0))
        last_s, times = self._repeated.get(sequence, (float("-inf"), 0))
        if now_s - last_s > _REMEMBERED_S:
            # the number came round
            times = 0
        if times >= self.MOST:
            self._repeated[sequence] = now_s, times
            return False
        if now_s - last_s < again_s or self._credit_bytes < size_bytes:
            return False
        self._credit_bytes -= size_bytes
        self._repeated[sequence] = now_s, times + 1
        if len(self._repeated) > _REMEMBERED:
            self._repeated = {key: one for key, one in self._repeated.items() if now_s - one[0] <= _REMEMBERED_S}
        return True
