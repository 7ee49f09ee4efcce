"""The face's own coordinates: face units, and where they lie in a picture.

Origin between the eyes, x to the picture's right, y down, z away from the viewer; 1 is the eye centres' distance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.numerics import Floats


@dataclass(frozen=True, slots=True, eq=False)
class FaceFrame:
    """Maps face units to pixels and back: a similarity."""

    origin_px: Floats
    scale_px: float
    """Pixels per face unit."""
    axes: Floats
    """(2, 2) rows: the face's right and down as unit vectors in the picture."""

    @staticmethod
    def of(points_px: NDArray[np.floating[Any]]) -> "FaceFrame":
        """The frame of a detected face, (478, 2 or 3) in pixels."""
        right = points_px[[33, 133], :2].mean(0)
        left = points_px[[362, 263], :2].mean(0)
        across = left - right
        angle = np.arctan2(across[1], across[0])
        axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return FaceFrame((right + left) / 2, float(np.hypot(*across)), axes)

    def scaled(self, factor: float) -> "FaceFrame":
        """The same face in a picture `factor` times as large."""
        return FaceFrame(self.origin_px * factor, self.scale_px * factor, self.axes)

    def to_units(self, px: NDArray[np.floating[Any]]) -> Floats:
        """Face units of pixels (..., 2)."""
        return np.asarray((px - self.origin_px) @ self.axes.T / self.scale_px, np.float64)

    def to_px(self, units: NDArray[np.floating[Any]]) -> Floats:
        """Pixels of face units (..., 2)."""
        return np.asarray(units @ self.axes * self.scale_px + self.origin_px, np.float64)
