"""Paints a beard into the skin, so that it moves with jaw and cheeks at no cost per frame."""

from typing import Final

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar.geometry import Points, mirrored, ribbon, smoothstep, spline
from models.avatar.paint import Rgba, blank, canvas_on, color, draw_pixels, fill, mix, polygon, polygons
from models.avatar.spec import AvatarSpec

_FULL: Final = (
    (0.0, 50.0), (14.0, 51.0), (28.0, 55.0), (40.0, 61.0), (52.0, 57.0), (63.0, 42.0), (70.0, 18.0), (74.0, -6.0),
    (96.0, -6.0), (96.0, 130.0), (0.0, 130.0),
)  # fmt: skip
_GOATEE: Final = (
    (0.0, 50.0), (13.0, 50.5), (26.0, 54.0), (35.0, 62.0), (37.0, 74.0), (33.0, 88.0), (28.0, 100.0), (22.0, 130.0),
    (0.0, 130.0),
)  # fmt: skip
_BARE: Final = (
    (0.0, 56.5), (10.0, 56.0), (20.0, 58.5), (30.0, 63.5), (33.0, 68.0), (28.0, 76.0), (16.0, 81.5), (0.0, 83.0),
)  # fmt: skip
"""Right half of what stays free around the lips."""


def paint_beard(canvas: skia.Canvas, spec: AvatarSpec, box: tuple[float, float, float, float], density: float) -> None:
    """Paint the beard that the host wears onto the skin; the canvas is in head units."""
    kind = spec.wears.beard
    if kind == "none":
        return
    rng = np.random.default_rng(spec.seed + 5)
    area = _cover(kind, box, density)
    short = kind == "stubble"
    layer = blank(area.shape[1], area.shape[0])
    hairs = canvas_on(layer)
    hairs.scale(density, density)
    hairs.translate(-box[0], -box[1])
    c = spec.hair
    bed = 0.30 if short else 0.80
    hairs.drawColor(color(mix(c.gap, c.dark, 0.6), bed))
    for code, alpha, count, length in (
        (c.gap, 0.55, 2600, 3.0 if short else 7.5), (c.dark, 0.6, 2200, 2.6 if short else 7.0),
        (c.warm, 0.05 if short else 0.5, 1500, 2.4 if short else 6.5), (c.light, 0.0 if short else 0.42, 700, 6.0),
    ):  # fmt: skip
        hairs.drawPath(_hairs(rng, count, length), fill(code, alpha, 0.2))
    layer = (layer * area[..., None]).round().astype(np.uint8)
    canvas.save()
    canvas.translate(box[0], box[1])
    canvas.scale(1 / density, 1 / density)
    draw_pixels(canvas, layer, 0, 0)
    canvas.restore()


def _cover(kind: str, box: tuple[float, float, float, float], density: float) -> NDArray[np.float64]:
    """Opacity of the beard over the skin's texture, soft at its edges."""
    mask: Rgba = blank(round((box[2] - box[0]) * density), round((box[3] - box[1]) * density))
    canvas = canvas_on(mask)
    canvas.scale(density, density)
    canvas.translate(-box[0], -box[1])
    outline = _GOATEE if kind == "goatee" else _FULL
    canvas.drawPath(polygon(spline(mirrored(outline), 160, closed=True)), fill("#ffffff"))
    edge = (5.0 if kind == "stubble" else 2.6) * density
    alpha = cv2.GaussianBlur(mask[..., 3].astype(np.float64) / 255, (0, 0), edge)
    hole = blank(mask.shape[1], mask.shape[0])
    canvas = canvas_on(hole)
    canvas.scale(density, density)
    canvas.translate(-box[0], -box[1])
    canvas.drawPath(polygon(spline(mirrored(_BARE), 90, closed=True)), fill("#ffffff"))
    bare = cv2.GaussianBlur(hole[..., 3].astype(np.float64) / 255, (0, 0), 1.5 * density)
    y = np.linspace(box[1], box[3], alpha.shape[0])[:, None]
    return np.asarray(alpha * (1 - bare) * smoothstep(y, -8, 26))


def _hairs(rng: np.random.Generator, count: int, length: float) -> skia.Path:
    """Hairs that grow downwards and away from the middle."""
    at: Points = np.column_stack([rng.uniform(-88, 88, count), rng.uniform(-10, 116, count)])
    lean = at[:, 0] * 0.011 + rng.normal(0, 0.22, count)
    way = np.column_stack([np.sin(lean), np.cos(lean)])
    steps = np.linspace(0, 1, 4)
    line = at[:, None, :] + way[:, None, :] * (steps * length)[None, :, None] * rng.uniform(0.6, 1.2, (count, 1, 1))
    return polygons(ribbon(line, np.array([0.5, 0.85, 0.6, 0.1])))
