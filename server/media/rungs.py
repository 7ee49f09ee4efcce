"""The encodings of one picture, and which of them a viewer's path calls for. Pure."""

from dataclasses import dataclass
from typing import Final


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
