"""Creases that a felt face shows: beside the mouth, between the brows, on the nose. Kept faint: lines age a face."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import skia

from models.avatar.eye_paint import premultiplied
from models.avatar.face_shape import Surface, smile_sides
from models.avatar.geometry import Points, normals, spline
from models.avatar.mesh import Strip
from models.avatar.paint import rgb
from models.avatar.projection import View
from models.avatar.spec import SkinColors
from realtime.core.facs import Controls

POINTS: Final = 6


@dataclass(frozen=True, slots=True)
class Crease:
    """A soft line on the picture's right half, mirrored to the left."""

    path: tuple[tuple[float, float], ...]
    width: float
    strength: float


_BESIDE_MOUTH: Final = Crease(((15.5, 36), (23, 45), (31, 54), (36, 64), (37, 71)), 9.0, 0.30)
_FURROW: Final = Crease(((6.5, -47), (5.0, -39), (6.0, -30)), 4.5, 0.62)
_NOSE: Final = (Crease(((5, -17), (9, -10), (12, -3)), 4.0, 0.50), Crease(((8, 2), (13, 10), (17, 20)), 4.5, 0.42))
_FACING: Final = 0.04
_GIVES: Final = 0.35 + 0.65 * np.linspace(0, 1, POINTS)[:, None]
"""How far each point of a line goes with its shift."""


@cache
def _line(crease: Crease) -> Points:
    return spline(crease.path, POINTS)


class Creases:
    """The creases of one avatar."""

    def __init__(self, colors: SkinColors, surface: Surface) -> None:
        self._surface = surface
        u, v = np.meshgrid(np.linspace(0, 1, 24), np.linspace(-1, 1, 14))
        cover = np.exp(-((v / 0.42) ** 2)) * np.sin(np.pi * u) ** 0.7
        tint = np.array(rgb(colors.deep), np.float64)
        self._strip = Strip(
            premultiplied(tint, np.asarray(cover, np.float64)), (24, 14), 2, np.linspace(0, 1, POINTS), smooth=True
        )

    def draw_upper(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        """Between the brows and on the nose's bridge."""
        for side in (-1, 1):
            self._draw(canvas, view, _FURROW, side, c["AU4"], (0.0, 2.0 * c["AU4"] - 4.0 * c["AU1"]))
            for crease in _NOSE:
                self._draw(canvas, view, crease, side, c["AU9"], (0.0, -2.0))

    def draw_lower(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        """From the nose's wings down beside the mouth."""
        for side, smile in zip((-1, 1), smile_sides(c), strict=True):
            strength = 0.80 * smile + 0.55 * c["AU10"] + 0.45 * c["AU9"] + 0.35 * c["AU20"] + 0.2 * c["AU15"] - 0.24
            self._draw(canvas, view, _BESIDE_MOUTH, side, strength, (4.5 * smile + 2.5 * c["AU20"], -2.5 * smile))

    def _draw(
        self, canvas: skia.Canvas, view: View, crease: Crease, side: int, strength: float, shift: tuple[float, float]
    ) -> None:
        if strength <= _FACING:
            return
        line = _line(crease) + np.array(shift) * _GIVES
        reach = normals(line) * crease.width * 0.5
        xy = np.concatenate([line - reach, line + reach]) * [side, 1.0]
        alpha = crease.strength * min(1.0, strength - _FACING)
        self._strip.draw(canvas, view.head(self._surface.lift(xy)), alpha)
