"""Draws eyes and brows: textured bands between the lines of their shapes, both sides at once."""

from typing import Final

import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar import eye_paint
from models.avatar.eye_shape import (
    ALONG,
    BROW_COLUMNS,
    COLUMNS,
    FORWARD,
    IRIS_RADIUS,
    PARTS,
    eye_points,
    lids,
)
from models.avatar.face_shape import Surface
from models.avatar.geometry import Points, ribbon
from models.avatar.mesh import Strip
from models.avatar.paint import LINEAR, color, fill, image_of, mix, points, polygon, polygons
from models.avatar.projection import VIEW_SCALE, View
from models.avatar.spec import AvatarSpec
from realtime.core.facs import Controls

_LASH_LINE: Final = np.interp(
    np.linspace(0, 1, COLUMNS + 2), [0, 0.1, 0.35, 0.7, 0.9, 1.0], [0.5, 1.6, 3.1, 4.5, 4.2, 0.4]
)
"""Thickness of the upper lashes' line along the lid, in pixels."""
_ENDS: Final = np.cumsum(list(PARTS.values()))
_SIDES: Final = (-1, 1)
SHUT: Final = 0.96
"""From here on nothing of the eyeball shows."""


class Eyes:
    """Both eyes and brows of one avatar."""

    def __init__(self, spec: AvatarSpec, surface: Surface) -> None:
        self._surface = surface
        self._shape = spec.shape
        self._lash_line = _LASH_LINE * (0.42 + 0.58 * spec.shape.lashes)
        self._iris = image_of(eye_paint.iris(spec.iris))
        white, shadow = eye_paint.eyeball_bands(spec.skin)
        self._white, self._shadow = (Strip(b, (72, 34), 2, ALONG, smooth=True, copies=2) for b in (white, shadow))
        down = np.array([0.0, 0.3, 1.0])
        self._lid = Strip(eye_paint.lid_band(spec.skin), (80, 24), 3, ALONG, down, smooth=True, copies=2)
        across = np.concatenate([ALONG * 0.93, [0.965, 1.0]])
        self._lashes = Strip(eye_paint.lash_band(spec.hair), (108, 26), 2, across, copies=2)
        self._lower_lashes = Strip(eye_paint.lower_lash_band(spec.hair), (90, 14), 2, ALONG, copies=2)
        band = eye_paint.brow_band(spec.hair, spec.seed)
        self._brow = Strip(band, (108, 24), 3, np.linspace(0, 1, BROW_COLUMNS), copies=2)
        self._ink = fill(mix(spec.hair.gap, "#000000", 0.25), 0.96)
        self._glint, self._second_glint = fill("#ffffff", 0.97), fill("#ffffff", 0.7)
        self._wet = skia.Paint(AntiAlias=True, Color=color("#ffe2d8", 190 / 255), StrokeWidth=1.5)
        self._wet.setStyle(skia.Paint.kStroke_Style)

    def draw(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        """Draw both eyes and both brows."""
        shapes = [lids(c, side) for side in _SIDES]
        xy = np.concatenate([eye_points(c, side, lid, self._shape) for side, lid in zip(_SIDES, shapes, strict=True)])
        px = view.head(self._surface.lift(xy, np.concatenate([FORWARD, FORWARD]))).reshape(2, -1, 2)
        lid_px, lash_px, lower_px, brow_px, iris_px = np.split(px, _ENDS[:-1], 1)
        lines = lid_px.reshape(2, 4, COLUMNS, 2)
        for band, columns in ((lines, COLUMNS), (lash_px, COLUMNS + 2), (lower_px, COLUMNS), (brow_px, BROW_COLUMNS)):
            _unfold(band.reshape(2, -1, columns, 2))
        openings = lines[:, :2].reshape(-1, 2)
        shown = [n for n, lid in enumerate(shapes) if lid.blink < SHUT]
        inside = {n: polygon(np.concatenate([lines[n, 0], lines[n, 1, ::-1]])) for n in shown}
        self._white.draw(canvas, openings)
        for n in shown:
            self._draw_iris(canvas, inside[n], iris_px[n])
        self._shadow.draw(canvas, openings)
        for n in shown:
            self._draw_shine(canvas, inside[n], lines[n, 1], iris_px[n, 0])
        self._lid.draw(canvas, lines[:, [2, 3, 0]].reshape(-1, 2))
        self._lashes.draw(canvas, lash_px.reshape(-1, 2))
        width = self._lash_line * np.array([[1.0 - 0.38 * lid.blink] for lid in shapes])
        canvas.drawPath(polygons(ribbon(lash_px[:, COLUMNS + 2 :], width)), self._ink)
        self._lower_lashes.draw(canvas, lower_px.reshape(-1, 2), 1.0 - 0.25 * (shapes[0].blink + shapes[1].blink))
        self._brow.draw(canvas, brow_px.reshape(-1, 2))

    def _draw_iris(self, canvas: skia.Canvas, inside: skia.Path, iris: Points) -> None:
        centre = iris[0]
        across, down = (iris[1] - centre), (iris[2] - centre)
        unit = 2 * IRIS_RADIUS / eye_paint.IRIS_PX
        if across[0] < 0:
            across = -across
        matrix = skia.Matrix()
        matrix.setAll(
            across[0] * unit, down[0] * unit, centre[0], across[1] * unit, down[1] * unit, centre[1], 0, 0, 1
        )  # fmt: skip
        canvas.save()
        # lash line and lower lid cover the edge of the clip, so it need not be smooth
        canvas.clipPath(inside, False)
        canvas.concat(matrix)
        half = -eye_paint.IRIS_PX / 2
        canvas.drawImage(self._iris, half, half, LINEAR)
        canvas.restore()

    def _draw_shine(self, canvas: skia.Canvas, inside: skia.Path, low: Points, centre: Points) -> None:
        s = VIEW_SCALE
        canvas.save()
        canvas.clipPath(inside, False)
        canvas.drawOval(skia.Rect.MakeXYWH(centre[0] - 6.6 * s, centre[1] - 7.4 * s, 5.8 * s, 6.6 * s), self._glint)
        canvas.drawCircle(centre[0] + 4.4 * s, centre[1] + 4.6 * s, 1.7 * s, self._second_glint)
        canvas.drawPath(skia.Path.Polygon(points(low[2:-1]), False), self._wet)
        canvas.restore()


def _unfold(bands: NDArray[np.float64]) -> None:
    """Keep lines that run outwards, (2 sides, rows, columns, 2), from turning back where the face bends away: what
    would lie behind its edge stays at the last place before."""
    for side, band in zip(_SIDES, bands, strict=True):
        outwards = band[..., 0] * side
        if (outwards[:, 1:] >= outwards[:, :-1]).all():
            continue
        furthest = np.maximum.accumulate(outwards, -1)
        held = np.maximum.accumulate(np.where(outwards == furthest, np.arange(band.shape[1]), 0), -1)
        band[...] = np.take_along_axis(band, held[..., None], 1)
