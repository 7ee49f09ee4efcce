"""Paints hair that has no sheets: a head of curls, and hair cut so short that the scalp shows through."""

from typing import Final

import numpy as np
import skia

from models.avatar.face_shape import HALF_OUTLINE
from models.avatar.geometry import Points, mirrored, ribbon, smoothstep, spline
from models.avatar.hair import Box, over, rim_light
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.paint import Rgba, blank, canvas_on, clipped, fill, mix, polygon, polygons
from models.avatar.spec import HairColors

_OUTER: Final = (
    (0.0, -160.0), (46.0, -155.0), (88.0, -130.0), (118.0, -86.0), (130.0, -34.0), (132.0, 20.0), (124.0, 68.0),
    (102.0, 98.0), (78.0, 92.0), (0.0, 96.0),
)  # fmt: skip
"""Right half of the curls' silhouette."""
_OPENING: Final = (
    (0.0, -98.0), (34.0, -92.0), (60.0, -74.0), (76.0, -44.0), (83.0, -6.0), (84.0, 34.0), (77.0, 70.0), (72.0, 100.0),
    (0.0, 118.0),
)  # fmt: skip
"""Right half of what the curls leave free."""
_CURL_GAP: Final = 9.0
_TURN: Final = np.linspace(0.0, 1.0, 22)

_HAIRLINE: Final = (
    (0.0, -102.0), (26.0, -100.0), (48.0, -88.0), (60.0, -80.0), (67.0, -62.0), (71.0, -46.0), (79.0, -36.0),
    (79.0, -4.0),
)  # fmt: skip
"""Right half of the hairline of a close crop, down to the sideburn."""


def curls(box: Box, c: HairColors, seed: int) -> tuple[Sprite, Sprite]:
    """Curls behind the head and around the face."""
    outer = spline(mirrored(_OUTER), 160, closed=True)
    opening = spline(mirrored(_OPENING), 160, closed=True)
    back = _head_of(box, c, seed, polygon(outer), None, -0.42)
    front = _head_of(box, c, seed + 1, polygon(outer), polygon(opening), 0.0)
    front = over(front, _head_of(box, c, seed + 2, polygon(outer), polygon(opening), 0.14, 17.0))
    return Sprite(back, box[0], box[1]), Sprite(rim_light(front, c), box[0], box[1])


def _canvas(box: Box) -> tuple[Rgba, skia.Canvas]:
    x0, y0, x1, y1 = box
    pixels = blank(round((x1 - x0) * TEXTURE_DENSITY), round((y1 - y0) * TEXTURE_DENSITY))
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-x0, -y0)
    return pixels, canvas


def _head_of(
    box: Box, c: HairColors, seed: int, outer: skia.Path, opening: skia.Path | None, tone: float, gap: float = _CURL_GAP
) -> Rgba:
    """Curls all over a shape, the lower ones first, so that each hangs over those below."""
    rng = np.random.default_rng(seed)
    pixels, canvas = _canvas(box)
    area = outer if opening is None else skia.Op(outer, opening, skia.PathOp.kDifference_PathOp)
    if gap == _CURL_GAP:
        canvas.drawPath(area, fill(mix(c.gap, c.dark, 0.5 + tone), 1.0, 2.0))
    x, y = np.meshgrid(np.arange(-140, 141, gap), np.arange(-166, 126, gap))
    places = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-0.5, 0.5, (x.size, 2)) * gap
    inside = [xy for xy in places.tolist() if area.contains(*xy)]
    for at in sorted(inside, key=lambda xy: -xy[1] + rng.uniform(-20, 20)):
        _curl(canvas, at, c, tone, rng)
    return pixels


def _curl(canvas: skia.Canvas, at: list[float], c: HairColors, tone: float, rng: np.random.Generator) -> None:
    """One ringlet: a ribbon that winds once, dark at its ends, lit where it turns to the light above."""
    radius = rng.uniform(4.6, 8.2)
    start, way = rng.uniform(0, 2 * np.pi), rng.choice((-1, 1))
    angle = start + way * _TURN * rng.uniform(3.6, 5.4)
    reach = radius * (1.0 - 0.42 * _TURN)
    line = np.column_stack([at[0] + reach * np.cos(angle), at[1] + reach * np.sin(angle) * 1.12 + 5.0 * _TURN])
    light = float(np.clip(0.55 - at[1] / 260 - at[0] / 520 + tone + rng.uniform(-0.2, 0.2), 0.0, 1.0))
    body = mix(c.dark, c.mid, min(1.0, 1.5 * light)) if light < 0.66 else mix(c.mid, c.warm, (light - 0.66) * 3)
    swell = 0.25 + 0.75 * np.sin(np.pi * np.clip(_TURN * 1.1, 0, 1)) ** 0.7
    canvas.drawPath(polygon(ribbon(line + [0.6, 1.2], 5.6 * swell)), fill(c.gap, 0.5, 0.8))
    canvas.drawPath(polygon(ribbon(line, 4.9 * swell)), fill(body))
    towards = np.clip(-(np.cos(angle) * 0.45 + np.sin(angle) * 0.9), 0, 1)
    strands = np.stack([line + shift for shift in ((-0.9, -0.7), (0.2, -0.1), (1.0, 0.8))])
    widths = np.stack([0.15 + g * towards * swell for g in (1.5, 1.1, 0.5)])
    canvas.drawPath(polygons(ribbon(strands, widths)), fill(mix(c.light, c.sheen, light), 0.26 + 0.40 * light, 0.3))


def cropped(box: Box, c: HairColors, seed: int) -> tuple[Sprite, Sprite]:
    """Millimetres of hair on the scalp; nothing behind the head."""
    rng = np.random.default_rng(seed)
    behind, _ = _canvas(box)
    pixels, canvas = _canvas(box)
    skull = np.asarray(mirrored(HALF_OUTLINE), np.float64)
    skull[:, 0] *= 1.0 + 0.04 * smoothstep(skull[:, 1], -30, -80)
    skull = spline((skull - [0, -20]) * [1.0, 1.05] + [0, -20], 160, closed=True)
    line = spline(mirrored((*_HAIRLINE, (79.0, 20.0), (60.0, 130.0), (0.0, 140.0))), 160, closed=True)
    area = skia.Op(polygon(skull), polygon(line), skia.PathOp.kDifference_PathOp)
    with clipped(canvas, polygon(skull)):
        canvas.drawPath(area, fill(mix(c.gap, c.dark, 0.6), 0.80, 2.2))
        canvas.drawPath(area, fill(c.dark, 0.55, 1.0))
        canvas.drawPath(_stubble(rng, area, 5200, 3.0), fill(c.gap, 0.55, 0.2))
        canvas.drawPath(_stubble(rng, area, 2600, 2.6), fill(c.light, 0.30, 0.2))
    fade = smoothstep(np.linspace(box[1], box[3], pixels.shape[0]), 2, -44)[:, None, None]
    pixels = (pixels * fade).round().astype(np.uint8)
    return Sprite(behind, box[0], box[1]), Sprite(pixels, box[0], box[1])


def _stubble(rng: np.random.Generator, area: skia.Path, count: int, length: float) -> skia.Path:
    """Many short hairs that grow away from the crown."""
    at: Points = np.column_stack([rng.uniform(-92, 92, count), rng.uniform(-140, 10, count)])
    at = np.array([xy for xy in at.tolist() if area.contains(*xy)])
    away = at - [8.0, -128.0]
    away = away / (np.hypot(away[:, 0], away[:, 1])[:, None] + 1e-6) + rng.normal(0, 0.25, at.shape)
    t = np.linspace(0, length, 4)[None, :, None]
    return polygons(ribbon(at[:, None, :] + away[:, None, :] * t, np.array([0.5, 0.7, 0.5, 0.1])))
