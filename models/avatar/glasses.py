"""Glasses: rims, bridge and temples before the eyes, turned with the head."""

from typing import Final

import numpy as np
import skia

from models.avatar.geometry import Points, spline
from models.avatar.paint import fill, mix, points
from models.avatar.projection import VIEW_SCALE, View
from models.avatar.spec import Accessories

CENTER: Final = (38.5, -2.5)
_ROUND: Final = tuple((25.5 * np.cos(a), 22.5 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False))
_SQUARE: Final = (
    (-26.0, -16.0), (-16.0, -19.5), (0.0, -20.5), (17.0, -20.5), (26.5, -17.5), (27.0, -6.0), (24.0, 10.0),
    (15.0, 18.5), (0.0, 20.5), (-14.0, 18.0), (-22.5, 9.0), (-26.0, -4.0),
)  # fmt: skip
RIM_UNITS: Final = {"round": 2.2, "square": 3.4}
_RIM_POINTS: Final = 44


def rim(kind: str, side: int) -> Points:
    """The outline of one lens in head units, (N, 2), the outer edge of the face on its own side."""
    lens = spline(_ROUND if kind == "round" else _SQUARE, _RIM_POINTS, closed=True) + CENTER
    return lens * [side, 1.0]


def _depth(x: Points) -> Points:
    """The glasses stand before the face and bend back towards the temples."""
    return np.asarray(82.0 - 0.0052 * x * x)


class Glasses:
    """One avatar's glasses."""

    def __init__(self, wears: Accessories) -> None:
        flat = [rim(wears.glasses, side) for side in (-1, 1)]
        bridge = spline([(-14.5, -7.0), (-7.0, -11.0), (0.0, -12.2), (7.0, -11.0), (14.5, -7.0)], 12)
        parts = [np.column_stack([xy, _depth(xy[:, 0])]) for xy in (*flat, bridge)]
        for side in (-1, 1):
            outer = flat[0 if side < 0 else 1]
            start = outer[np.abs(outer[:, 0]).argmax()]
            ear = np.array([side * 86.0, -10.0, -6.0])
            parts.append(np.linspace([start[0], -9.0, float(_depth(start[:1])[0])], ear, 6))
        for side, lens in zip((-1, 1), flat, strict=True):
            shine = (lens - [side * CENTER[0], CENTER[1]]) * 0.72 + [side * CENTER[0], CENTER[1]]
            arc = shine[np.argsort(np.hypot(shine[:, 0] - side * CENTER[0] + 30, shine[:, 1] + 30))[:9]]
            arc = arc[np.argsort(arc[:, 0] - arc[:, 1])]
            parts.append(np.column_stack([arc, _depth(arc[:, 0])]))
        self._xyz = np.concatenate(parts)
        self._ends = np.cumsum([len(part) for part in parts])[:-1]
        width = RIM_UNITS[wears.glasses] * VIEW_SCALE
        self._rim = _pen(wears.glasses_color, 1.0, width)
        self._light = _pen(mix(wears.glasses_color, "#ffffff", 0.55), 0.55, width * 0.28)
        self._shine = _pen("#ffffff", 0.40, 2.0)

    def draw(self, canvas: skia.Canvas, view: View) -> None:
        """Draw them over the finished eyes."""
        px = np.split(view.head(self._xyz), self._ends)
        for temple in px[3:5]:
            canvas.drawPath(skia.Path.Polygon(points(temple), False), self._rim)
        for glint in px[5:]:
            canvas.drawPath(skia.Path.Polygon(points(glint), False), self._shine)
        for lens in px[:2]:
            canvas.drawPath(skia.Path.Polygon(points(lens), True), self._rim)
            canvas.drawPath(skia.Path.Polygon(points(lens + [-0.3, -0.7]), True), self._light)
        canvas.drawPath(skia.Path.Polygon(points(px[2]), False), self._rim)


def _pen(code: str, alpha: float, width: float) -> skia.Paint:
    pen = fill(code, alpha)
    pen.setStyle(skia.Paint.kStroke_Style)
    pen.setStrokeWidth(width)
    pen.setStrokeJoin(skia.Paint.kRound_Join)
    pen.setStrokeCap(skia.Paint.kRound_Cap)
    return pen
