"""Eyes and brows: where lids, iris and brows lie for given controls, and drawing them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar import eye_paint
from models.avatar.face_shape import DepthTable
from models.avatar.geometry import Points, ribbon, spline
from models.avatar.mesh import Strip
from models.avatar.paint import LINEAR, fill, image_of, mix, points, polygon
from models.avatar.projection import VIEW_SCALE, View
from models.avatar.spec import AvatarSpec
from realtime.core.facs import Controls

COLUMNS: Final = 15
IRIS_RADIUS: Final = 13.3
INNER: Final = (14.8, 0.6)
OUTER: Final = (61.8, -4.0)
GAZE_REACH: Final = (8.5, 5.2)

_T: Final = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, COLUMNS))
_X: Final = INNER[0] + (OUTER[0] - INNER[0]) * _T
_BASE: Final = INNER[1] + (OUTER[1] - INNER[1]) * _T


def _profile(values: tuple[float, ...]) -> NDArray[np.float64]:
    knots = np.column_stack([(0, 0.07, 0.2, 0.36, 0.52, 0.68, 0.84, 0.94, 1.0), values])
    fine = spline(knots, 200)
    return np.asarray(np.interp(_T, fine[:, 0], fine[:, 1]))


_UPPER: Final = _profile((0, 0.27, 0.66, 0.95, 1.03, 0.97, 0.70, 0.36, 0))
_LOWER: Final = _profile((0, 0.16, 0.42, 0.70, 0.90, 0.96, 0.76, 0.40, 0))
_CREASE: Final = _profile((5.2, 2.6, 0.8, 0.0, -0.1, 0.3, 1.4, 3.0, 4.6))


def _between(count: int, fine: int) -> NDArray[np.float64]:
    """Weights of `count` evenly spaced knots at `fine` places: a uniform Catmull-Rom curve as a matrix."""
    columns = [spline(np.column_stack([np.arange(count), unit]), 400) for unit in np.eye(count)]
    at = np.linspace(0, count - 1, fine)
    return np.stack([np.interp(at, c[:, 0], c[:, 1]) for c in columns], 1)


_BROW_X: Final = (13.5, 25.0, 40.0, 54.5, 67.0)
_BROW_Y: Final = (-30.8, -35.4, -38.8, -38.2, -29.2)
_BROW_HALF: Final = (5.6, 5.8, 5.6, 4.8, 2.6)
BROW_COLUMNS: Final = 11
_BROW_WEIGHTS: Final = _between(len(_BROW_X), BROW_COLUMNS)
_BROW_REACH: Final = np.column_stack(
    [np.zeros(BROW_COLUMNS), np.interp(np.linspace(0, 1, BROW_COLUMNS), np.linspace(0, 1, 5), _BROW_HALF)]
)
_LASH_LINE: Final = np.interp(
    np.linspace(0, 1, COLUMNS + 2), [0, 0.1, 0.35, 0.7, 0.9, 1.0], [0.5, 1.6, 3.1, 4.5, 4.2, 0.4]
)
"""Thickness of the upper lashes' line along the lid, in pixels."""
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
    slant = -(1 - _T) * 1.8 * c["AU1"] + _T * 1.6 * c["AU1"] * c["AU4"] + (1 - _T) * 2.2 * c["AU4"]
    open_line = _BASE - _UPPER * (high - slant)
    closed_line = _BASE + _LOWER * (6.0 - 1.6 * c["AU6"]) + 0.3
    lower = _BASE + _LOWER * low
    lower = lower + (closed_line + 0.2 - lower) * blink
    upper = np.minimum(open_line + (closed_line - open_line) * blink, lower)
    crease = open_line - 5.6 + _CREASE + 1.0 * c["AU7"] + 1.9 * blink + 0.8 * c["AU4"] + 1.6 * down * (1 - blink)
    return Lids(upper, lower, np.minimum(crease, upper - 0.6), blink)


def brow_line(c: Controls, side: int) -> Points:
    """The brow's middle line, (5, 2), for x > 0."""
    tilt = 0.5 * c["brow_asym"] * side
    inner, outer = c["AU1"] + max(0.0, 0.6 * tilt), c["AU2"] + max(0.0, tilt)
    low = c["AU4"] + max(0.0, -0.5 * tilt)
    w_in = np.array([1, 0.75, 0.30, 0.05, 0])
    w_out = np.array([0, 0.10, 0.55, 1.0, 0.75])
    w_low = np.array([1, 0.85, 0.55, 0.25, 0.10])
    x = np.array(_BROW_X) - 3.8 * low * w_low - 1.0 * c["AU9"] * w_low
    y = np.array(_BROW_Y) - 7.5 * inner * w_in - 5.5 * outer * w_out - 0.8 * c["AU5"] + 0.7 * c["AU6"] * w_out
    y = y + 8.0 * low * w_low * (1 - 0.8 * min(1.0, c["AU1"])) + 3.5 * c["AU9"] * w_low
    y = y + 5.0 * c["AU1"] * (1 - min(1.0, c["AU2"])) * np.array([0, 0, 0.3, 0.9, 1.0])
    return np.column_stack([x, y])


class Eyes:
    """Both eyes and brows of one avatar."""

    def __init__(self, spec: AvatarSpec, depth: DepthTable) -> None:
        self._depth = depth
        self._iris = image_of(eye_paint.iris(spec.iris))
        white, shadow = eye_paint.eyeball_bands(spec.skin)
        self._white = Strip(white, (72, 34), 2, _T, smooth=True)
        self._shadow = Strip(shadow, (72, 34), 2, _T, smooth=True)
        self._lid = Strip(eye_paint.lid_band(spec.skin), (80, 24), 3, _T, np.array([0.0, 0.3, 1.0]), smooth=True)
        across = np.concatenate([_T * 0.93, [0.965, 1.0]])
        self._lashes = Strip(eye_paint.lash_band(spec.hair), (108, 26), 2, across)
        self._ink = mix(spec.hair.gap, "#000000", 0.25)
        self._lower_lashes = Strip(eye_paint.lower_lash_band(spec.hair), (90, 14), 2, _T)
        self._brow = Strip(eye_paint.brow_band(spec.hair, spec.seed), (108, 24), 3, np.linspace(0, 1, BROW_COLUMNS))

    def draw(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        """Draw both eyes, then both brows."""
        for side in (-1, 1):
            self._draw_eye(canvas, view, c, side)
        for side in (-1, 1):
            self._draw_brow(canvas, view, c, side)

    def _project(self, view: View, xy: Points, side: int, forward: float = 0.0) -> Points:
        return view.head(self._depth.lift(xy * [side, 1.0], forward))

    def _draw_eye(self, canvas: skia.Canvas, view: View, c: Controls, side: int) -> None:
        lid = lids(c, side)
        n = COLUMNS
        lines = (lid.upper, lid.lower, lid.crease, lid.crease + 0.3 * (lid.upper - lid.crease))
        xy = np.column_stack([np.tile(_X, len(lines)), np.concatenate(lines)])
        px = self._project(view, xy, side).reshape(len(lines), n, 2)
        upper, lower = px[0], px[1]
        if lid.blink < 0.96:
            self._draw_ball(canvas, view, c, side, upper, lower)
        self._lid.draw(canvas, np.concatenate([px[2], px[3], upper]))
        self._draw_lashes(canvas, view, lid, side)

    def _draw_ball(self, canvas: skia.Canvas, view: View, c: Controls, side: int, upper: Points, lower: Points) -> None:
        rows = np.concatenate([upper, lower])
        self._white.draw(canvas, rows)
        canvas.save()
        # lash line and lower lid cover the edge of the clip, so it need not be smooth
        canvas.clipPath(polygon(np.concatenate([upper, lower[::-1]])), False)
        x = 37.4 + c["gaze_x"] * GAZE_REACH[0] * side
        y = -4.6 + c["gaze_y"] * GAZE_REACH[1]
        centre, right, below = self._project(view, np.array([[x, y], [x + side, y], [x, y + 1]]), side, -2.0)
        ex, ey = right - centre, below - centre
        unit = 2 * IRIS_RADIUS / eye_paint.IRIS_PX
        matrix = skia.Matrix()
        matrix.setAll(ex[0] * unit, ey[0] * unit, centre[0], ex[1] * unit, ey[1] * unit, centre[1], 0, 0, 1)
        canvas.save()
        canvas.concat(matrix)
        half = -eye_paint.IRIS_PX / 2
        canvas.drawImage(self._iris, half, half, LINEAR)
        canvas.restore()
        self._shadow.draw(canvas, rows)
        s = VIEW_SCALE
        glint = skia.Rect.MakeXYWH(centre[0] - 6.6 * s, centre[1] - 7.4 * s, 5.8 * s, 6.6 * s)
        canvas.drawOval(glint, fill("#ffffff", 0.97))
        canvas.drawCircle(centre[0] + 4.4 * s, centre[1] + 4.6 * s, 1.7 * s, fill("#ffffff", 0.7))
        wet = skia.Paint(AntiAlias=True, Color=skia.Color(255, 226, 216, 190), StrokeWidth=1.5)
        wet.setStyle(skia.Paint.kStroke_Style)
        canvas.drawPath(skia.Path.Polygon(points(lower[2:-1]), False), wet)
        canvas.restore()

    def _draw_lashes(self, canvas: skia.Canvas, view: View, lid: Lids, side: int) -> None:
        rise = 1.0 - lid.blink
        x = np.concatenate([_X, [_X[-1] + 2.2, _X[-1] + 4.6]])
        y = np.concatenate([lid.upper, [lid.upper[-1] - 1.2 * rise + 0.2, lid.upper[-1] - 3.0 * rise + 0.5]])
        lift = 0.95 * rise - 0.60 * lid.blink
        tips = np.column_stack([x + (0.05 + 0.10 * lid.blink) * _LASH_REACH, y - _LASH_REACH * lift])
        px = self._project(view, np.concatenate([tips, np.column_stack([x, y])]), side, 1.0)
        self._lashes.draw(canvas, px)
        canvas.drawPath(polygon(ribbon(px[len(x) :], _LASH_LINE * (0.62 + 0.38 * rise))), fill(self._ink, 0.96))
        rows = [np.column_stack([_X, lid.lower + offset]) for offset in (-1.3, 4.6)]
        self._lower_lashes.draw(canvas, self._project(view, np.concatenate(rows), side), 1.0 - 0.5 * lid.blink)

    def _draw_brow(self, canvas: skia.Canvas, view: View, c: Controls, side: int) -> None:
        line = _BROW_WEIGHTS @ brow_line(c, side)
        rows = [line - _BROW_REACH * k for k in (1.0, 0.0, -1.0)]
        self._brow.draw(canvas, self._project(view, np.concatenate(rows), side, 2.0))
