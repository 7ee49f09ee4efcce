"""Where a portrait's face lies in a frame as MuseTalk's nets know faces: from jaw to jaw, and as far above the middle
of the nose as the chin lies below it, so that the lower half, which is masked, begins on the nose."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.avatar.portrait.assets import Assets
from models.avatar.portrait.fields import LOWER_FOOT
from models.avatar.portrait.geometry import Posture
from models.avatar.portrait.mouth import Placing
from realtime.core.units import even_ceil, even_floor
from realtime.core.values import BaseKey, Roi

_BORDER_SHARE: Final = 0.58
"""The line between a portrait's regions lies at this part of the way from the eyes to the base of the nose."""
_MIDDLE_SHARE: Final = 0.53
"""The third point of the nose's ridge (number 29 of the 68 of Sagonas et al. 2013) at this one."""
_JAW_UNITS: Final = 1.12
"""Half a face's width: bizygomatic breadth, 139 mm, against an eye distance of 62 mm (Farkas 1994)."""
_JAW_Z: Final = 0.9
_CHIN_Z: Final = 0.1
"""Depths of what bounds the face, in face units."""
_BELOW_CHIN: Final = 0.06
_ROW: Final = 11


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in picture pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def mouth(self) -> Roi:
        """What of it a net paints: its lower half, in whole pairs of pixels inside it."""
        x, y = max(0, even_ceil(self.left)), max(0, even_ceil((self.top + self.bottom) / 2))
        return Roi(x, y, max(2, even_floor(self.right) - x), max(2, even_floor(self.bottom) - y))

    @property
    def around(self) -> Roi:
        """The rectangle of whole pairs of pixels that it lies in."""
        x, y = max(0, even_floor(self.left)), max(0, even_floor(self.top))
        return Roi(x, y, even_ceil(self.right) - x, even_ceil(self.bottom) - y)


class FaceBoxes:
    """One portrait's."""

    def __init__(self, assets: Assets) -> None:
        self._frame = assets.frame
        fields, lips = assets.fields, assets.fields.lips
        foot_px = np.array([float(assets.frame.origin_px[0]), float(fields.lower_window.box_px[3])])
        chin = float(assets.frame.to_units(foot_px)[1]) - LOWER_FOOT
        middle = _MIDDLE_SHARE * fields.border / _BORDER_SHARE
        across = float(lips[[0, 10], 0].mean())
        self._mouth = (across, float(lips[:_ROW, 1].mean()), float(lips[[5, 16], 2].mean()))
        self._points = np.array(
            [
                [across - _JAW_UNITS, middle, _JAW_Z], [across + _JAW_UNITS, middle, _JAW_Z],
                [across, middle, _CHIN_Z], [across, chin + _BELOW_CHIN, _CHIN_Z],
            ]
        )  # fmt: skip

    def at(self, key: BaseKey) -> Box:
        """The face's box at a pose."""
        near, far, nose, chin = Placing.of(Posture.of(key), self._frame, self._mouth).pixels(self._points)
        return Box(
            float(min(near[0], far[0])), float(2 * nose[1] - chin[1]), float(max(near[0], far[0])), float(chin[1])
        )
