"""Time as a budget: what a step will cost, whether it still fits, and which rung of the ladder a session stands on."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from realtime.core.values import Rung

LADDER: Final[tuple[Rung, ...]] = ("refine2", "refine1", "warp", "cached")
"""From the best picture to the cheapest; time is never on the ladder."""

SMOOTHING = 0.1
"""Weight of a new observation in the EWMA."""
P95_SIGMAS = 1.645
"""95th percentile of a normal distribution in standard deviations."""


@dataclass(slots=True)
class _Cost:
    mean_s: float
    variance: float = 0.0

    def observe(self, cost_s: float) -> None:
        # Exponentially weighted mean and variance: Finch, "Incremental calculation of weighted mean and variance"
        # (2009), eq. 124 and 143.
        delta = cost_s - self.mean_s
        self.mean_s += SMOOTHING * delta
        self.variance = (1.0 - SMOOTHING) * (self.variance + SMOOTHING * delta * delta)

    @property
    def p95_s(self) -> float:
        return self.mean_s + P95_SIGMAS * math.sqrt(self.variance)


class CostModel:
    """Predicts the 95th percentile of a step's cost by kind of work and size in pixels (bucketed by powers of two)."""

    def __init__(self) -> None:
        self._costs: dict[tuple[str, int], _Cost] = {}

    def observe(self, kind: str, area_px: int, cost_s: float) -> None:
        """Learn from a step that was taken."""
        key = (kind, max(0, area_px).bit_length())
        known = self._costs.get(key)
        if known is None:
            self._costs[key] = _Cost(cost_s)
        else:
            known.observe(cost_s)

    def predict_s(self, kind: str, area_px: int) -> float:
        """Expected p95 of a step. What was never tried is believed to cost nothing, so that it gets tried once."""
        known = self._costs.get((kind, max(0, area_px).bit_length()))
        return known.p95_s if known else 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A change of rung: what a session does from this frame on, and why."""

    rung: Rung
    down: bool
    reason: str
    at_s: float


@dataclass(slots=True)
class Ladder:
    """One session's place on the ladder, with hysteresis.

    Down after `down_after` late frames within `window` frames; up after `up_after` frames in a row that left at least
    `headroom` of their period unused. `best` is the highest rung the session's equipment really has."""

    best: Rung = "warp"
    down_after: int = 3
    window: int = 10
    up_after: int = 50
    headroom: float = 0.5
    _rung: int = field(init=False)
    _recent: deque[bool] = field(init=False)
    _calm: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._rung = LADDER.index(self.best)
        self._recent = deque(maxlen=self.window)

    @property
    def rung(self) -> Rung:
        """What a frame may ask for at most right now."""
        return LADDER[self._rung]

    def observe(self, used_s: float, period_s: float, now_s: float) -> Step | None:
        """Record one frame's cost; returns the step taken because of it, if any."""
        late = used_s > period_s
        self._recent.append(late)
        self._calm = self._calm + 1 if used_s <= period_s * (1.0 - self.headroom) else 0
        if sum(self._recent) >= self.down_after and self._rung < len(LADDER) - 1:
            self._rung += 1
            self._recent.clear()
            self._calm = 0
            return Step(self.rung, True, f"{self.down_after} of {self.window} frames late", now_s)
        if self._calm >= self.up_after and self._rung > LADDER.index(self.best):
            self._rung -= 1
            self._calm = 0
            return Step(self.rung, False, f"{self.up_after} frames with headroom", now_s)
        return None


def affordable(predicted_s: float, now_s: float, deadline_s: float) -> bool:
    """Whether a step that is expected to take this long still ends before the deadline."""
    return now_s + predicted_s <= deadline_s
