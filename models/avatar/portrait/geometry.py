"""What a portrait's numbers mean: lattices, poses, and where face points land in the picture."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.frame import FaceFrame
from realtime.core.facs import Controls
from realtime.core.values import BaseKey

POSE_STEP_PX: Final = 8
"""Node distance of the pose lattice over the whole picture."""
FIELD_STEP_PX: Final = 4
"""Node distance of the expression fields."""

KEY_FIELDS: Final = ("yaw", "pitch", "roll", "breath", "lean", "shoulders")
KEY_STEPS: Final = (0.25, 0.25, 0.25, 0.25, 0.1, 0.1)
"""Degrees, degrees, degrees, phase, lean, shoulders."""

PIVOT: Final = np.array([0.0, 1.25, 1.0])
"""Top of the neck in face units: what the head turns about."""
LEAN_GAIN: Final = 0.035
BREATH_UNITS, SHOULDER_UNITS = 0.016, 0.050
"""How far the chest rises from out to in, and the shoulders from down to rest, in face units."""
DRIFT_UNITS: Final = (0.0035, 0.0025)
"""A neck carries the head along with a turn: face units per degree of yaw and pitch."""


REST_KEY: Final[BaseKey] = (0, 0, 0, 2, 0, 0)
"""Upright, ahead, chest half way: the photo's own attitude."""


def base_key(controls: Controls) -> BaseKey:
    """The pose part of the controls in whole steps, in the order of `KEY_FIELDS`."""
    inside = controls.clipped()
    return tuple(round(inside[name] / step) for name, step in zip(KEY_FIELDS, KEY_STEPS, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Posture:
    """A quantised pose, ready to project with."""

    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]
    """(3,) face units that the head moves along."""
    rise: float
    """How far chest and head are raised, in face units."""
    shoulders: float
    grow: float

    @staticmethod
    def of(key: BaseKey) -> "Posture":
        """The pose a key stands for."""
        yaw, pitch, roll, breath, lean, shoulders = (n * s for n, s in zip(key, KEY_STEPS, strict=True))
        cy, sy = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
        cp, sp = math.cos(math.radians(pitch)), math.sin(math.radians(pitch))
        cr, sr = math.cos(math.radians(roll)), math.sin(math.radians(roll))
        turn = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
        nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        drift = np.array([DRIFT_UNITS[0] * yaw, DRIFT_UNITS[1] * pitch, 0.0])
        rise = BREATH_UNITS * (breath - 0.5) * 2
        return Posture(tilt @ nod @ turn, drift, rise, SHOULDER_UNITS * shoulders, 1 + LEAN_GAIN * lean)

    def projection(self, frame: FaceFrame, picture_px: int) -> NDArray[np.float32]:
        """(7, 2): `features(points, follows) @ projection` are the points' pixels after turn, breath and lean.

        The whole posture is affine in `features`, so a lattice is posed with one product of matrices."""
        in_units = np.zeros((7, 2))
        in_units[0, 0] = in_units[1, 1] = 1.0
        in_units[2:5] = (self.rotation.T - np.eye(3))[:, :2]
        in_units[5] = self.shift[:2]
        in_units[6, 1] = -(self.rise + 0.25 * self.shoulders)
        centre = lean_centre(frame, picture_px)
        out = in_units @ frame.axes * (frame.scale_px * self.grow)
        out[6] += (frame.origin_px - centre) * self.grow + centre
        return np.asarray(out, np.float32)


def features(points: NDArray[np.floating[Any]], follows: NDArray[np.floating[Any]] | float) -> NDArray[np.float32]:
    """(..., 7) what `Posture.projection` multiplies, of points (..., 3) that follow the head with `follows` (...,)."""
    weight = np.broadcast_to(np.asarray(follows)[..., None], (*points.shape[:-1], 1))
    one = np.ones((*points.shape[:-1], 1))
    found = np.concatenate([points[..., :2], weight * (points - PIVOT), weight, one], -1)
    return np.asarray(found, np.float32)


def lean_centre(frame: FaceFrame, picture_px: int) -> NDArray[np.float64]:
    """The picture point that a lean leaves in place: below the head at the picture's lower edge."""
    return np.array([frame.origin_px[0], float(picture_px)])
