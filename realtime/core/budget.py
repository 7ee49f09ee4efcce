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
STALL_FRAMES: Final = 3
"""A frame that comes later than this many intervals waited for something, and says little of those to come."""
RETRY_S: Final = 0.25
"""A step that is expected to take too long is tried all the same so long after it was last taken: what is never taken
is never learnt anew, and what was learnt in a bad moment would stay."""
RETRY_MOST_S: Final = 1.0
"""Each trial that shows that it still takes too long makes the next one wait twice as long, up to this."""
TRIAL_SHARE: Final = 0.2
"""Trials in a row take at most this part of the time, however long one takes."""
P95_SIGMAS = 1.645
"""95th percentile of a normal distribution in standard deviations."""


@dataclass(slots=True)
class _Cost:
    mean_s: float
    variance: float = 0.0
    doubted: bool = False
    taken_s: float = -math.inf
    """When it was last found worthwhile."""
    trial_s: float = -math.inf
    """When it was last tried against what was expected."""
    wait_s: float = 0.0
    """How long to wait after a trial."""

    def observe(self, cost_s: float) -> None:
        if self.doubted:
            # what was learnt before is out of date, or would have been left as it was
            self.mean_s, self.variance, self.doubted = cost_s, 0.0, False
            return
        # Exponentially weighted mean and variance: Finch, "Incremental calculation of weighted mean and variance"
        # (2009), eq. 124 and 143.
        delta = cost_s - self.mean_s
        self.mean_s += SMOOTHING * delta
        self.variance = (1.0 - SMOOTHING) * (self.variance + SMOOTHING * delta * delta)

    def worthwhile(self, left_s: float, now_s: float, retry_s: float) -> bool:
        if self.p95_s > left_s and not self._due(left_s, now_s, retry_s):
            return False
        self.taken_s = now_s
        return True

    def _due(self, left_s: float, now_s: float, retry_s: float) -> bool:
        """Whether it is to be tried though it is expected to take too long."""
        # trials that follow each other closely have failed: one that did not would have been the last
        again = now_s - self.trial_s < 2.0 * max(RETRY_MOST_S, retry_s)
        wait_s = max(self.wait_s if again else retry_s, self.mean_s / TRIAL_SHARE)
        if left_s <= 0.0 or now_s - self.taken_s < wait_s:
            return False
        self.wait_s = max(retry_s, min(2.0 * wait_s, RETRY_MOST_S))
        self.trial_s, self.doubted = now_s, True
        return True

    @property
    def p95_s(self) -> float:
        return self.mean_s + P95_SIGMAS * math.sqrt(self.variance)


class CostModel:
    """Predicts the 95th percentile of a step's cost by kind of work and size in pixels (bucketed by powers of two), and
    says whether a step is to be taken."""

    def __init__(self) -> None:
        self._costs: dict[tuple[str, int], _Cost] = {}

    def observe(self, kind: str, area_px: int, cost_s: float) -> None:
        """Learn from a step that was taken. What a trial takes is believed at once."""
        known = self._known(kind, area_px)
        if known is None:
            self._costs[_bucket(kind, area_px)] = _Cost(cost_s)
        else:
            known.observe(cost_s)

    def predict_s(self, kind: str, area_px: int) -> float:
        """Expected p95 of a step. What was never tried is believed to cost nothing, so that it gets tried once."""
        known = self._known(kind, area_px)
        return known.p95_s if known else 0.0

    def worthwhile(self, kind: str, area_px: int, left_s: float, now_s: float, retry_s: float = RETRY_S) -> bool:
        """Whether to take a step that has `left_s` until its deadline: one that is expected to be done by then, or one
        that was not taken for so long (first `retry_s`) that it is tried to see what it takes by now. `now_s` is on one
        clock for all that share this model. The caller takes the step, and has it observed."""
        known = self._known(kind, area_px)
        return left_s >= 0.0 if known is None else known.worthwhile(left_s, now_s, retry_s)

    def doubt(self, kind: str, area_px: int) -> None:
        """A step is tried against what is expected: what it takes is believed at once."""
        known = self._known(kind, area_px)
        if known is not None:
            known.doubted = True

    def _known(self, kind: str, area_px: int) -> _Cost | None:
        return self._costs.get(_bucket(kind, area_px))


def _bucket(kind: str, area_px: int) -> tuple[str, int]:
    return kind, max(0, area_px).bit_length()


@dataclass(frozen=True, slots=True)
class Step:
    """A decision to do less or more from now on, and why. `kind` says of what: `ladder` of what is done for a frame,
    `rate` of how many frames are made, `path` of the encoding one viewer gets, `denoiser` of whether it is asked,
    `pressure` of what is felt by all. `rung` is what it has come to."""

    rung: str
    down: bool
    reason: str
    at_s: float
    kind: str = "ladder"


@dataclass(slots=True)
class Ladder:
    """One session's place on the ladder, with hysteresis. Below its lowest rung every other frame is made.

    Down after `down_after` strained frames within `window` frames, of which one that comes a whole interval late, or
    after one to three that were never shown, counts twice; up after `up_after` frames that left at least `headroom`
    of their interval unused: each strained one begins the count anew, each other one takes one off it. After a step
    up, and after pressure has ended, the next one takes half as many, so that the way up takes less than three seconds
    from wherever it begins. A step up that does not hold makes the next one wait twice as long, up to `patience`
    times; one that holds ends that. `best` is the highest rung the session's equipment really has.

    What the whole process feels comes from `press`: at once down to the cheapest frames, or to half of them, and not
    up again before it has ended. Sessions that were all pressed down would all come up at one moment, and have all to
    be drawn anew that was kept meanwhile: back to whole frames each waits longer by its `phase` (0 to 1) of half of
    `up_after`."""

    best: Rung = "warp"
    down_after: int = 3
    window: int = 10
    up_after: int = 24
    headroom: float = 0.5
    late: float = 0.4
    """A frame that can be sent only this part of its interval after its media time is strained, as is one that takes
    longer than the whole interval."""
    patience: int = 2
    phase: float = 0.0
    share: float = field(init=False, default=0.0)
    """What the last frame took of its interval."""
    strained: bool = field(init=False, default=False)
    """Whether the last frame took too long, came late, or followed one that was never shown."""
    _place: int = field(init=False)
    _recent: deque[bool] = field(init=False)
    _calm: int = field(init=False, default=0)
    _wait: int = field(init=False, default=1)
    _proving: int = field(init=False, default=0)
    """Frames for which the last step up still has to hold."""
    _climbing: bool = field(init=False, default=False)
    """Whether nothing spoke against it since the last step up."""
    _pressed: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._place = LADDER.index(self.best)
        self._recent = deque(maxlen=self.window)

    @property
    def rung(self) -> Rung:
        """What a frame may ask for at most right now."""
        return LADDER[min(self._place, len(LADDER) - 1)]

    @property
    def every(self) -> int:
        """Every how many-th frame is to be made."""
        return 1 if self._place < len(LADDER) else 2

    def observe(
        self, used_s: float, period_s: float, now_s: float, late_s: float = 0.0, lost: int = 0
    ) -> Step | None:
        """Record what one frame took and how late it could be sent, and how many before it were never shown (not made
        or left out, for their time had passed); returns the step taken because of it, if any. `period_s` is the frame
        interval as it is when every frame is made."""
        self.share = share = used_s / (period_s * self.every)
        self.strained = strained = share > 1.0 or late_s > self.late * period_s or lost > 0
        behind = max(lost, late_s / period_s)
        self._recent.extend([True, True] if 1.0 <= behind <= STALL_FRAMES else [strained])
        if self._proving == 1:
            self._wait = 1
        self._proving = max(0, self._proving - 1)
        if strained:
            self._calm, self._climbing = 0, False
        else:
            self._calm = self._calm + 1 if share <= 1.0 - self.headroom else max(0, self._calm - 1)
        # half the frames are seen by everybody: that takes twice as much
        needed = self.down_after * (2 if self._place == len(LADDER) - 1 else 1)
        if sum(self._recent) >= needed and self._place < len(LADDER):
            self._wait = min(self.patience, 2 * self._wait) if self._proving else 1
            self._proving = 0
            return self._step(1, f"{needed} of {self.window} frames late", now_s)
        # fewer frames are made below the ladder, so fewer are waited for
        wanted = self.up_after * self._wait // (self.every * (2 if self._climbing else 1))
        if self._place == LADDER.index("cached"):
            wanted += int(self.phase * self.up_after / 2)
        if self._calm >= wanted and self._place > LADDER.index(self.best) and not self._pressed:
            self._proving = self.up_after
            self._climbing = True
            return self._step(-1, f"{self._calm} frames with headroom", now_s)
        return None

    def press(self, depth: int, reason: str, now_s: float) -> Step | None:
        """The process is under pressure (1, 2: much) or no longer (0); returns the step taken because of it, if any."""
        if self._pressed and not depth:
            # what did not hold under pressure says nothing of now
            self._wait, self._calm, self._climbing = 1, 0, True
        self._pressed = depth
        place = len(LADDER) - 2 + depth
        if not depth or place <= self._place:
            return None
        self._proving, self._climbing = 0, False
        return self._step(place - self._place, reason, now_s)

    def _step(self, by: int, reason: str, now_s: float) -> Step:
        self._place += by
        self._recent.clear()
        self._calm = 0
        return Step(self.rung, by > 0, reason, now_s)
