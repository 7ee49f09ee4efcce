"""Where lips, teeth and tongue lie for given controls, in head units."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.face_shape import jaw_drop, smile_sides
from models.avatar.geometry import ramp
from realtime.core.facs import Controls

COLUMNS: Final = 21
HALF_WIDTH: Final = 29.0
LINE_Y: Final = 66.6
UPPER_TEETH_Y: Final = 71.4
"""Edge of the upper teeth, fixed to the skull."""
LOWER_TEETH_Y: Final = 72.2
"""Edge of the lower teeth at a closed jaw; it falls with the jaw."""
CLENCHED: Final = -0.8
"""Gap between the rows of teeth where they meet (S, Z), in head units: their edges are soft, so they overlap."""
RIDGE: Final = 0.94
"""Share of the jaw's fall that the lower teeth make, being nearer to the joint than the chin."""

U: Final = np.sin(np.linspace(-np.pi / 2, np.pi / 2, COLUMNS))
_KNOTS: Final = (-1, -0.86, -0.62, -0.36, -0.16, 0, 0.16, 0.36, 0.62, 0.86, 1.0)
_LINE: Final = np.interp(U, _KNOTS, (0, 0.25, 0.55, 0.60, 0.80, 1.30, 0.80, 0.60, 0.55, 0.25, 0))


def _smooth(values: tuple[float, ...]) -> NDArray[np.float64]:
    from models.avatar.geometry import spline

    fine = spline(np.column_stack([_KNOTS, values]), 300)
    return np.asarray(np.interp(U, fine[:, 0], fine[:, 1]))


_BOW: Final = _smooth((0, 0.30, 0.62, 0.93, 1.05, 0.86, 1.05, 0.93, 0.62, 0.30, 0))
_LOW: Final = _smooth((0, 0.28, 0.60, 0.88, 0.98, 1.0, 0.98, 0.88, 0.60, 0.28, 0))
_OVAL: Final = np.sqrt(np.clip(1 - U * U, 0, 1))


@dataclass(frozen=True, slots=True)
class MouthShape:
    """Lines of `COLUMNS` points from the picture's left to its right corner; y down."""

    half_width: float
    x: NDArray[np.float64]
    upper_out: NDArray[np.float64]
    upper_in: NDArray[np.float64]
    lower_in: NDArray[np.float64]
    lower_out: NDArray[np.float64]
    gap: float
    """Opening at its widest."""
    jaw: float
    forward: float
    """How far the lips stand out beyond their rest."""
    roundness: float
    teeth_y: float
    lower_teeth_y: float
    middle_x: float
    """Sideways shift of the lips' middle."""


def mouth_shape(c: Controls, fullness: float = 1.0) -> MouthShape:
    """Lip lines for the controls; `fullness` is a factor of the lips' height."""
    jaw = jaw_drop(c)
    left, right = smile_sides(c)
    smile = 0.5 * (left + right)
    pucker, funnel, part, press = c["AU18"], c["AU22"], c["AU25"], c["AU24"]
    tuck, teeth = c["lip_tuck"], c["teeth"]
    roundness = min(1.0, max(c["lip_round"], 0.5 * funnel, 0.6 * pucker))
    width = HALF_WIDTH * (
        1 + 0.25 * smile + 0.24 * c["AU20"] + 0.06 * c["AU14"] - 0.40 * pucker - 0.17 * funnel
        - 0.10 * c["AU23"] - 0.03 * c["AU17"] + 0.04 * c["AU10"] - 0.12 * c["lip_round"] + 0.03 * teeth
    ) - 0.14 * jaw  # fmt: skip
    width = max(width, 11.0)
    middle = LINE_Y + 0.05 * jaw - 1.5 * c["AU10"] - 0.9 * c["AU17"] - 1.0 * c["AU9"]
    lift = 1.9 * part + 3.8 * c["AU10"] + 1.8 * smile * part + 1.9 * funnel * part + 1.0 * teeth + 0.04 * jaw
    drop = 0.86 * jaw + 3.6 * part + 4.4 * c["AU16"] + 1.2 * smile * part + 1.6 * funnel * part + 2.6 * teeth
    drop = max(0.0, drop - 1.6 * c["AU17"])
    lift, drop = lift + (max(lift, 4.6) - lift) * tuck, drop + (3.0 + 0.25 * jaw - drop) * tuck
    lift, drop = lift * (1 - press), drop * (1 - press)
    stretch = 1 - 0.20 * smile - 0.20 * c["AU20"] - 0.14 * c["AU26"] + 0.10 * pucker + 0.18 * funnel - 0.26 * c["AU23"]
    upper = 8.6 * fullness * max(0.2, stretch - 0.48 * press + 0.10 * c["lip_round"])
    lower = 11.2 * fullness * max(0.2, stretch - 0.46 * press - 0.46 * tuck + 0.16 * c["AU17"] * (1 - press))
    arch = (1 - np.abs(U) ** (1.9 + 0.3 * roundness)) ** (0.78 - 0.26 * roundness)
    bowl = (1 - np.abs(U) ** (2.2 + 0.2 * roundness)) ** (0.62 - 0.12 * roundness)
    corner = np.where(U < 0, left, right)
    rise = -10.2 * corner - 1.4 * c["AU14"] + 6.2 * c["AU15"] + 3.2 * c["AU20"] - 1.0 * c["AU17"] + 0.32 * jaw
    bend = rise * np.abs(U) ** (1.8 + 0.3 * min(1.0, smile))
    flat = 1 - 0.6 * min(1.0, lift / 3.0)
    upper_in = middle + _LINE * flat + bend - lift * arch
    lower_in = np.maximum(middle + _LINE + bend + drop * bowl, upper_in + 0.02)
    bow = _BOW * (1 - 0.35 * roundness) + 0.35 * roundness * arch
    low = _LOW + (_OVAL - _LOW) * (0.30 + 0.60 * roundness)
    shift = 1.6 * c["smirk"]
    teeth_y = UPPER_TEETH_Y - 4.2 * roundness * (1 - teeth) + 0.6 * teeth + 2.0 * tuck
    lower_y = LOWER_TEETH_Y + RIDGE * jaw + 2.0 * roundness * (1 - teeth)
    return MouthShape(
        half_width=width,
        x=U * width + shift * (1 - np.abs(U)) + 2.0 * c["smirk"],
        upper_out=upper_in - upper * bow,
        upper_in=upper_in,
        lower_in=lower_in,
        lower_out=lower_in + lower * low,
        gap=float((lower_in - upper_in).max()),
        jaw=jaw,
        forward=4.0 * (funnel + pucker) + 2.5 * c["lip_round"] - 1.5 * tuck - 1.0 * press,
        roundness=roundness,
        teeth_y=teeth_y,
        lower_teeth_y=lower_y + (teeth_y + CLENCHED - lower_y) * ramp(teeth, 0.5, 0.9),
        middle_x=shift,
    )


def openness(c: Controls) -> float:
    """Opening between the lips in head units."""
    gap = mouth_shape(c).gap
    return ramp(gap, 0.0, 1e-6) * gap
