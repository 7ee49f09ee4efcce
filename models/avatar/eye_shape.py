"""Where lids, lashes, iris and brows lie for given controls, in head units."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.geometry import Points, spline
from models.avatar.spec import FaceShape
from realtime.core.facs import Controls

COLUMNS: Final = 15
IRIS_RADIUS: Final = 13.3
INNER: Final = (14.8, 0.6)
OUTER: Final = (61.8, -4.0)
IRIS_AT: Final = (37.4, -4.6)
GAZE_REACH: Final = (8.5, 5.2)

ALONG: Final = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, COLUMNS))
_X: Final = INNER[0] + (OUTER[0] - INNER[0]) * ALONG
_BASE: Final = INNER[1] + (OUTER[1] - INNER[1]) * ALONG


def _profile(values: tuple[float, ...]) -> NDArray[np.float64]:
    knots = np.column_stack([(0, 0.07, 0.2, 0.36, 0.52, 0.68, 0.84, 0.94, 1.0), values])
    fine = spline(knots, 200)
    return np.asarray(np.interp(ALONG, fine[:, 0], fine[:, 1]))


_UPPER: Final = _profile((0, 0.27, 0.66, 0.95, 1.03, 0.97, 0.70, 0.36, 0))
_LOWER: Final = _profile((0, 0.16, 0.42, 0.70, 0.90, 0.96, 0.76, 0.40, 0))
_CREASE: Final = _profile((5.2, 2.6, 0.8, 0.0, -0.1, 0.3, 1.4, 3.0, 4.6))


def _between(count: int, fine: int) -> NDArray[np.float64]:
    """Weights of `count` evenly spaced knots at `fine` places: a uniform Catmull-Rom curve as a matrix."""
    columns = [spline(np.column_stack([np.arange(count), unit]), 400) for unit in np.eye(count)]
    at = np.linspace(0, count - 1, fine)
    return np.stack([np.interp(at, c[:, 0], c[:, 1]) for c in columns], 1)


_BROW_X: Final = (13.5, 25.0, 40.0, 54.5, 67.0)
_BROW_Y: Final = (-27.8, -32.4, -35.8, -35.4, -28.4)
_BROW_LEVEL: Final = -30.6
"""Height of a brow without an arch."""
_BROW_HALF: Final = (6.0, 6.3, 6.1, 5.0, 1.8)
BROW_COLUMNS: Final = 11
_BROW_WEIGHTS: Final = _between(len(_BROW_X), BROW_COLUMNS)
_BROW_REACH: Final = np.interp(np.linspace(0, 1, BROW_COLUMNS), np.linspace(0, 1, 5), _BROW_HALF)
_LASH_REACH: Final = np.interp(np.linspace(0, 1, COLUMNS + 2), [0, 0.35, 1], [6.0, 9.5, 11.5])
"""Length of the upper lashes in head units."""


@dataclass(frozen=True, slots=True)
class Lids:
    """One eye's lid lines in head units for the picture's right side (x > 0); y per column."""

    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    crease: NDArray[np.float64]
    blink: float


def lids(c: Controls, side: int) -> Lids:
    """Lid lines of the eye on the picture's right (+1, the avatar's left) or left (-1)."""
    blink = c["blink_l"] if side > 0 else c["blink_r"]
    down, up = max(0.0, c["gaze_y"]), max(0.0, -c["gaze_y"])
    squeeze = c["AU7"] * 2.0 + c["AU6"] * 1.8 + c["AU9"] * 1.4
    high = 14.0 + 3.8 * c["AU5"] - squeeze - 0.8 * c["AU4"] - 0.4 * c["AU12"] - 3.0 * down + 1.2 * up
    low = 7.8 - 2.6 * c["AU7"] - 4.4 * c["AU6"] - 0.6 * c["AU12"] - 1.2 * c["AU9"] + 0.8 * c["AU5"] + 1.0 * down
    slant = -(1 - ALONG) * 1.8 * c["AU1"] + ALONG * 1.6 * c["AU1"] * c["AU4"] + (1 - ALONG) * 2.2 * c["AU4"]
    open_line = _BASE - _UPPER * (high - slant)
    closed_line = _BASE + _LOWER * (6.0 - 1.6 * c["AU6"]) + 0.3
    lower = _BASE + _LOWER * low
    lower = lower + (closed_line + 0.2 - lower) * blink
    upper = np.minimum(open_line + (closed_line - open_line) * blink, lower)
    crease = open_line - 5.6 + _CREASE + 1.0 * c["AU7"] + 1.9 * blink + 0.8 * c["AU4"] + 1.6 * down * (1 - blink)
    return Lids(upper, lower, np.minimum(crease, upper - 0.6), blink)


def brow_line(c: Controls, side: int, arch: float = 1.0) -> Points:
    """The brow's middle line, (5, 2), for x > 0."""
    tilt = 0.5 * c["brow_asym"] * side
    inner, outer = c["AU1"] + max(0.0, 0.6 * tilt), c["AU2"] + max(0.0, tilt)
    low = c["AU4"] + max(0.0, -0.5 * tilt)
    w_in = np.array([1, 0.80, 0.40, 0.10, 0])
    w_out = np.array([0, 0.20, 0.65, 1.0, 0.80])
    w_low = np.array([1, 0.92, 0.75, 0.45, 0.15])
    x = np.array(_BROW_X) - 3.8 * low * w_low - 1.0 * c["AU9"] * w_low
    y = _BROW_LEVEL + (np.array(_BROW_Y) - _BROW_LEVEL) * arch
    y = y - 8.2 * inner * w_in - 7.2 * outer * w_out - 0.8 * c["AU5"] + 0.7 * c["AU6"] * w_out
    y = y + 9.0 * low * w_low * (1 - 0.8 * min(1.0, c["AU1"])) + 3.5 * c["AU9"] * w_low
    y = y + 5.0 * c["AU1"] * (1 - min(1.0, c["AU2"])) * np.array([0, 0, 0.3, 0.9, 1.0])
    return np.column_stack([x, y])


PARTS: Final = {"lids": 4 * COLUMNS, "lashes": 2 * (COLUMNS + 2), "lower_lashes": 2 * COLUMNS, "brow": 3 * BROW_COLUMNS,
                "iris": 3}  # fmt: skip
"""How many points of `eye_points` belong to what, in this order.

Lids: upper line, lower line, crease, and a line between crease and lashes. Lashes: tips, roots. Lower lashes: roots,
tips. Brow: upper edge, middle, lower edge. Iris: centre, a unit outwards, a unit down."""
FORWARD: Final = np.repeat([0.0, 1.0, 0.0, 2.0, -2.0], list(PARTS.values()))
"""How far each point stands out from the skin."""


def eye_points(c: Controls, side: int, lid: Lids, shape: FaceShape) -> Points:
    """All points of one eye and its brow, (sum of `PARTS`, 2), on its own side of the face."""
    rise = 1.0 - lid.blink
    x = np.concatenate([_X, [_X[-1] + 2.2, _X[-1] + 4.6]])
    y = np.concatenate([lid.upper, [lid.upper[-1] - 1.2 * rise + 0.2, lid.upper[-1] - 3.0 * rise + 0.5]])
    lift = 0.95 * rise - 0.60 * lid.blink
    brow = _BROW_WEIGHTS @ brow_line(c, side, shape.brow_arch)
    reach = _BROW_REACH * shape.brow_weight
    lash = _LASH_REACH * shape.lashes
    ix, iy = IRIS_AT[0] + c["gaze_x"] * GAZE_REACH[0] * side, IRIS_AT[1] + c["gaze_y"] * GAZE_REACH[1]
    xs = (
        _X, _X, _X, _X, x + (0.05 + 0.10 * lid.blink) * lash, x, _X, _X,
        brow[:, 0], brow[:, 0], brow[:, 0], (ix, ix + 1, ix),
    )  # fmt: skip
    ys = (
        lid.upper, lid.lower, lid.crease, lid.crease + 0.3 * (lid.upper - lid.crease),
        y - lash * lift, y, lid.lower - 1.3, lid.lower + 4.6,
        brow[:, 1] - reach, brow[:, 1], brow[:, 1] + reach, (iy, iy, iy + 1),
    )  # fmt: skip
    xy = np.column_stack([np.concatenate(xs), np.concatenate(ys)])
    xy[:, 0] *= side
    return xy
