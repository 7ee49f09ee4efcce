"""Where a point of the head or the body lands in the picture, for a quantised pose.

Head units: the origin lies between the eyes, x runs to the picture's right, y down, z towards the viewer; the chin is
at y = 106. One unit is `VIEW_SCALE` pixels. A turn is a true rotation about the top of the neck with a long lens."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.geometry import Points, smoothstep
from realtime.core.facs import Controls
from realtime.core.values import BaseKey

PICTURE_PX: Final = 512
VIEW_SCALE: Final = 1.36
ORIGIN_PX: Final = (256.0, 236.0)
"""Where the point between the eyes lies at rest."""

LEANS_ABOUT: Final = (0.0, 150.0)
PIVOT: Final = (0.0, 74.0, -14.0)
LENS: Final = 1500.0
"""Distance of the eye point in head units: long, so that a turn hardly swells what comes nearer."""

TURN_STEP_DEG: Final = 0.25
BREATH_STEPS: Final = 4
LEAN_STEP: Final = 0.1
SHOULDER_STEP: Final = 0.1

KEY_FIELDS: Final = ("yaw", "pitch", "roll", "breath", "lean", "shoulders")
_STEPS: Final = (TURN_STEP_DEG, TURN_STEP_DEG, TURN_STEP_DEG, 1.0 / BREATH_STEPS, LEAN_STEP, SHOULDER_STEP)


def base_key(controls: Controls) -> BaseKey:
    """The pose part of the controls in whole steps, in the order of `KEY_FIELDS`."""
    inside = controls.clipped()
    return tuple(round(inside[name] / step) for name, step in zip(KEY_FIELDS, _STEPS, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A quantised pose, ready to project with. Views of one key are one object while they are in use."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    breath: float
    lean: float
    shoulders: float
    turn: NDArray[np.float64]
    """From head units to those seen from the front, (3, 3), to be multiplied from the right."""
    origin: NDArray[np.float64]
    """Where the head's origin comes to lie by the turn about the pivot, (3,)."""
    scale: float
    """Pixels per head unit in the plane of the pivot."""
    shift: NDArray[np.float64]
    """The pixel that the pivot is drawn at, (2,)."""

    @staticmethod
    @lru_cache(maxsize=1024)
    def of(key: BaseKey) -> "View":
        """The pose a key stands for."""
        yaw, pitch, roll, breath, lean, shoulders = (n * s for n, s in zip(key, _STEPS, strict=True))
        cy, sy = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
        cp, sp = math.cos(math.radians(pitch)), math.sin(math.radians(pitch))
        cr, sr = math.cos(math.radians(roll)), math.sin(math.radians(roll))
        turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
        tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        back = (tilt @ nod @ turn).T
        drift = (0.30 * yaw + 0.25 * roll, 0.22 * pitch - 1.3 * (breath - 0.5) - 0.6 * shoulders)
        pivot = np.array(PIVOT)
        scale, shift = _to_pixels(0.045 * lean)
        return View(
            yaw, pitch, roll, breath, lean, shoulders, back, -pivot @ back, scale, (pivot[:2] + drift) * scale + shift
        )  # fmt: skip

    def head(self, xyz: Points) -> Points:
        """Pixels of points on the head, (N, 3) -> (N, 2)."""
        turned = xyz @ self.turn
        turned += self.origin
        px = turned[:, :2] * (LENS * self.scale / (LENS - turned[:, 2:]))
        px += self.shift
        return np.asarray(px, np.float64)

    def body(self, xy: Points) -> Points:
        """Pixels of points on the body, (N, 2) -> (N, 2): the chest swells, the shoulders rise."""
        x, y = xy[:, 0], xy[:, 1]
        out = xy.astype(np.float64, copy=True)
        low = smoothstep(y, 104.0, 170.0)
        outer = smoothstep(np.abs(x), 30.0, 110.0)
        breath = (self.breath - 0.5) * 2.0
        out[:, 1] -= breath * (0.7 + 1.3 * low) + self.shoulders * 9.0 * outer * low
        out[:, 0] += breath * 0.012 * x * low - self.shoulders * 0.03 * x * outer * low
        out[:, 0] += 0.10 * self.yaw_deg * low + 0.12 * self.roll_deg * low
        scale, shift = _to_pixels(0.03 * self.lean)
        return np.asarray(out * scale + shift, np.float64)

    def blend(self, xyz: Points, on_head: NDArray[np.float64]) -> Points:
        """Pixels of points that hang between head (1) and body (0), such as the neck and long hair."""
        w = on_head[:, None]
        return np.asarray(self.head(xyz) * w + self.body(xyz[:, :2]) * (1.0 - w), np.float64)


def _to_pixels(nearer: float) -> tuple[float, NDArray[np.float64]]:
    """Factor and offset from head units to pixels, for a body whose lean lets it grow by a share `nearer`."""
    scale = (1.0 + nearer) * VIEW_SCALE
    centre = np.array(LEANS_ABOUT)
    return scale, centre * (VIEW_SCALE - scale) + np.array(ORIGIN_PX)
