"""The last look at regions that were just drawn: seams, jumps without a cause, and a mouth that quivers in silence.

Each decision is a function of what is seen and of the few frames before. A region that fails is shown as it was before,
or not at all, which leaves the base frame; never for long, for a guard that errs must not freeze a face."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from realtime.core.values import I420, Patch, Roi

Kind = Literal["seam", "jitter", "quiver"]

SEAM_LEVELS: Final = 4.0
"""Mean step of luma along one side of a region that the base frame does not have there."""
JITTER_LEVELS: Final = 2.5
"""Mean change of luma that a region may make with nothing in it moving."""
LEVELS_PER_PX: Final = 3.0
"""What each pixel of predicted movement allows beside."""
QUIVER_LEVELS: Final = 0.3
"""Changes of a resting mouth's mean luma below this are not seen."""
QUIVER_REVERSALS: Final = 4
"""Changes of direction within `QUIVER_FRAMES` that no face at rest makes."""
QUIVER_FRAMES: Final = 10
QUIVER_PX: Final = 1.5
"""A mouth that is asked to move further than this from one frame to the next does not rest."""
HELD_MOST: Final = 6
"""After so many frames in a row a region is shown as it comes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a region, by how much, and what is allowed."""

    kind: Kind
    value: float
    limit: float


@dataclass(slots=True)
class RegionGuard:
    """What was seen of one region, and how it is judged."""

    _moves: deque[tuple[int, float]] = field(default_factory=deque)
    """Frame and change of the mean luma of a resting mouth."""
    _held: int = 0

    def judge(
        self, index: int, seam: float, change: float | None, drift: float, moved_px: float, *, resting: bool
    ) -> Fault | None:
        """Whether frame `index` may show the region. `seam` is `seam_levels`; `change` and `drift` are `change_levels`
        against what was shown last, None where nothing comparable was; `moved_px` is how far its landmarks were
        predicted to move since; `resting` says that it is a mouth and nothing is said."""
        fault = self._fault(index, seam, change, drift, moved_px, resting=resting)
        if fault is None or self._held >= HELD_MOST:
            self._held = 0
            return None
        self._held += 1
        return fault

    def _fault(
        self, index: int, seam: float, change: float | None, drift: float, moved_px: float, *, resting: bool
    ) -> Fault | None:
        if seam > SEAM_LEVELS:
            return Fault("seam", seam, SEAM_LEVELS)
        if change is None:
            return None
        allowed = JITTER_LEVELS + LEVELS_PER_PX * moved_px
        if change > allowed:
            return Fault("jitter", change, allowed)
        if not resting or moved_px > QUIVER_PX:
            self._moves.clear()
            return None
        reversals = self._reversals(index, drift)
        return Fault("quiver", reversals, QUIVER_REVERSALS) if reversals >= QUIVER_REVERSALS else None

    def _reversals(self, index: int, drift: float) -> int:
        moves = self._moves
        if abs(drift) > QUIVER_LEVELS:
            moves.append((index, drift))
        while moves and moves[0][0] <= index - QUIVER_FRAMES:
            moves.popleft()
        signs = [move > 0 for _, move in moves]
        return sum(a != b for a, b in zip(signs, signs[1:], strict=False))


def seam_levels(picture: I420, base: I420, roi: Roi) -> float:
    """The worst side's mean step of luma across a region's border that is not in the base frame; sides on the
    picture's own border count nothing."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    left, top, right, bottom = roi.x, roi.y, roi.x + roi.width, roi.y + roi.height
    worst = 0.0
    if top > 0:
        worst = _step(picture[top - 1 : top + 1, left:right], base[top - 1 : top + 1, left:right])
    if bottom < height:
        rows = slice(bottom - 1, bottom + 1)
        worst = max(worst, _step(picture[rows, left:right], base[rows, left:right]))
    if left > 0:
        worst = max(worst, _step(picture[top:bottom, left - 1 : left + 1].T, base[top:bottom, left - 1 : left + 1].T))
    if right < width:
        sides = slice(right - 1, right + 1)
        worst = max(worst, _step(picture[top:bottom, sides].T, base[top:bottom, sides].T))
    return worst


def _step(picture: NDArray[np.uint8], base: NDArray[np.uint8]) -> float:
    """The two lines along a side, (2, length), every second pixel: the mean step of what was added to the base."""
    added = np.subtract(picture[:, ::2], base[:, ::2], dtype=np.int16)
    steps = np.abs(added[0] - added[1])
    return int(steps.sum()) / int(steps.size)


def change_levels(patch: Patch, before: Patch) -> tuple[float, float]:
    """Mean absolute and mean signed change of luma between two patches of one rectangle, on every sixteenth pixel."""
    rows = patch.roi.height
    change = np.subtract(patch.pixels[:rows:4, ::4], before.pixels[:rows:4, ::4], dtype=np.int16)
    count = change.size
    return float(np.abs(change).sum()) / count, float(change.sum()) / count
