"""What one direction of a link does to packets, decided without a clock: shared by the emulator and by simulations."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """One direction. Zero means that the link does not do it."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Standard deviation; packets stay in order, as they do in a queue."""
    loss: float = 0.0
    """Share of packets, each by itself."""
    rate_bps: float = 0.0
    queue_s: float = 0.2
    """What waits longer for its turn is dropped."""
    outage_s: tuple[float, float] | None = None
    """From when to when nothing passes."""
    udp: bool = True
    """Whether UDP passes; where it does not, this is the firewall of a company."""


@dataclass(slots=True)
class LinkCounts:
    """What happened so far."""

    offered: int = 0
    lost: int = 0
    overflowed: int = 0


class Link:
    """One direction of a link. Times are seconds since it began."""

    def __init__(self, spec: LinkSpec, seed: int = 1) -> None:
        self.spec = spec
        self.counts = LinkCounts()
        self._random = random.Random(seed)
        self._free_s = 0.0
        self._last_s = 0.0

    def pass_on(self, size_bytes: int, now_s: float) -> float | None:
        """When a packet that enters now comes out, or None if it does not."""
        spec, counts = self.spec, self.counts
        counts.offered += 1
        if spec.outage_s is not None and spec.outage_s[0] <= now_s < spec.outage_s[1]:
            counts.lost += 1
            return None
        if self._random.random() < spec.loss:
            counts.lost += 1
            return None
        out_s = now_s
        if spec.rate_bps:
            begin_s = max(now_s, self._free_s)
            if begin_s - now_s > spec.queue_s:
                counts.overflowed += 1
                return None
            self._free_s = out_s = begin_s + 8 * size_bytes / spec.rate_bps
        out_s += max(0.0, self._random.gauss(spec.delay_s, spec.jitter_s) if spec.jitter_s else spec.delay_s)
        self._last_s = max(self._last_s, out_s)
        return self._last_s
