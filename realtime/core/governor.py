"""The governor of the picture's size and frame rate: the encodings there are, which of them a viewer's path calls for,
and how many frames are worth making."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from realtime.core.budget import Step


@dataclass(frozen=True, slots=True)
class RungSpec:
    """One encoding: the picture's size divided by `scale`, every `every`-th frame, at rates from floor to ceiling."""

    name: str
    scale: int
    every: int
    floor_bps: int
    ceiling_bps: int
    buffer_bits: int
    """Rate buffer: bounds a keyframe to so many bits, so that it does not fill a thin path's queue."""

    @property
    def least_bps(self) -> int:
        """The rate below which the encoder does not go while viewers stay for the moment."""
        return int(STAY_SHARE * self.floor_bps)


STAY_SHARE: Final = 0.7
"""A budget between this part of a rung's floor and the floor is borne for a moment: congestion control saws."""
RUNGS: Final = (
    RungSpec("high", 1, 1, 350_000, 1_500_000, 200_000),
    RungSpec("low", 1, 1, 140_000, 750_000, 90_000),
    RungSpec("small", 2, 2, 60_000, 150_000, 45_000),
)
"""Best first. The floors are where the next rung looks better: 512 x 512 at 25 fps holds its detail down to about
350 kb/s and its shape down to about 140."""


class RungChooser:
    """One viewer's choice: down when the path cannot carry a rung, up only after it has carried enough for a while."""

    _UP_SHARE: Final = 1.25
    _UP_AFTER_S: Final = 4.0
    _DOWN_AFTER_S: Final = 2.0

    def __init__(self, rungs: tuple[RungSpec, ...] = RUNGS) -> None:
        self.index = 0
        self._rungs = rungs
        self._good_since_s: float | None = None
        self._bad_since_s: float | None = None

    def choose(self, budget_bps: int, now_s: float, floors_bps: tuple[int, ...]) -> int:
        """Index of the rung for this budget; `floors_bps` are the rungs' floors as they are now."""
        floor_bps = floors_bps[self.index]
        last = len(self._rungs) - 1
        if self.index < last and budget_bps < floor_bps:
            self._good_since_s = None
            if self._bad_since_s is None:
                self._bad_since_s = now_s
            if budget_bps < STAY_SHARE * floor_bps or now_s - self._bad_since_s >= self._DOWN_AFTER_S:
                below = range(self.index + 1, last)
                self.index = next((i for i in below if budget_bps >= STAY_SHARE * floors_bps[i]), last)
                self._bad_since_s = None
            return self.index
        self._bad_since_s = None
        if self.index > 0 and budget_bps >= self._UP_SHARE * floors_bps[self.index - 1]:
            if self._good_since_s is None:
                self._good_since_s = now_s
            elif now_s - self._good_since_s >= self._UP_AFTER_S:
                self.index -= 1
                self._good_since_s = None
        else:
            self._good_since_s = None
        return self.index


def every_of(rungs: Iterable[RungSpec]) -> int:
    """Every how many-th frame is to be made so that each of these encodings gets all it shows; 1 for none."""
    return min((spec.every for spec in rungs), default=1)


class RateGovernor:
    """How many frames are made: as many as both the ladder allows and some viewer's path carries. Both of these have
    hysteresis of their own; the governor says when what follows from them has changed."""

    def __init__(self) -> None:
        self.every = 1

    def decide(self, ladder_every: int, paths_every: int, now_s: float) -> Step | None:
        """Every how many-th frame is made from now on (`every`); a record if that is news."""
        every = max(ladder_every, paths_every)
        if every == self.every:
            return None
        down = every > self.every
        self.every = every
        reason = "no path carries more" if paths_every == every else "the processor is behind"
        return Step(f"every {every}", down, reason if down else "there is room again", now_s, kind="rate")


def path_step(before: RungSpec, after: RungSpec, budget_bps: int, now_s: float) -> Step:
    """The record of a viewer's going over to another encoding."""
    down = after.ceiling_bps < before.ceiling_bps
    return Step(after.name, down, f"the path carries {budget_bps // 1000} kb/s", now_s, kind="path")
