"""Grows and paints the hair: sheets of guide curves, cut into tapered locks, each with its own light."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar.geometry import Points, ribbon, smoothstep, spline, taper
from models.avatar.hair_style import Cut, Sheet
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.paint import Rgba, Stop, blank, canvas_on, fill, linear, mix, polygon, polygons, rgb, shade
from models.avatar.spec import HairColors

Box = tuple[float, float, float, float]
STEPS: Final = 40
RIM: Final = 0.42
"""Strength of the light from behind on hair."""
FRONT_RIM: Final = 0.16
"""The same on hair before other hair, which shows behind its edge when the head turns: little light falls there."""
PARTING: Final = "#b98a72"
"""Scalp seen through the parting."""


def _guides(sheet: Sheet) -> NDArray[np.float64]:
    return np.stack([spline(guide, STEPS) for guide in sheet.guides])


def _along(guides: NDArray[np.float64], u: NDArray[np.float64]) -> Points:
    """The curve at sheet positions `u` (STEPS,), each 0..1 across the guides."""
    at = np.clip(u, 0, 1) * (len(guides) - 1)
    i = np.minimum(at.astype(int), len(guides) - 2)
    f = (at - i)[:, None]
    step = np.arange(STEPS)
    return np.asarray(guides[i, step] * (1 - f) + guides[i + 1, step] * f)


def _cut(curve: NDArray[np.float64], start: float, end: float) -> NDArray[np.float64]:
    t = np.linspace(0, 1, STEPS)
    at = start + (end - start) * t
    return np.stack([np.interp(at, t, column) for column in curve.T], 1)


def paint_sheet(canvas: skia.Canvas, sheet: Sheet, colors: HairColors) -> None:
    """Paint one sheet: a dark bed, then its locks from the far edge inwards."""
    rng = np.random.default_rng(sheet.seed)
    guides = _guides(sheet)
    if sheet.bed:
        bed = _cut(np.concatenate([guides[0], guides[-1]], 1), 0.0, 1 - 0.8 * sheet.ragged)
        outline = np.concatenate([bed[:, :2], bed[::-1, 2:]])
        canvas.drawPath(polygon(outline), fill(mix(colors.gap, colors.dark, 0.6 + sheet.tone), 1.0, 0.6))
    places = (np.arange(sheet.locks) + 0.5) / sheet.locks
    order = sorted(range(sheet.locks), key=lambda i: rng.uniform(0, 1))
    for i in order:
        _paint_lock(canvas, sheet, guides, float(places[i] + rng.uniform(-0.35, 0.35) / sheet.locks), colors, rng)


def _paint_lock(
    canvas: skia.Canvas,
    sheet: Sheet,
    guides: NDArray[np.float64],
    place: float,
    c: HairColors,
    rng: np.random.Generator,
) -> None:
    t = np.linspace(0, 1, STEPS)
    sway = sheet.wave * np.sin(t * rng.uniform(4, 8) + rng.uniform(0, 6.28)) * t
    start, end = rng.uniform(0, 1) * sheet.root, 1 - rng.uniform(0, 1) * sheet.ragged
    half = sheet.width * rng.uniform(0.7, 1.25) * (0.55 + 0.45 * np.sin(np.pi * np.clip(t * 1.1, 0, 1) ** 0.8))
    half = half * (1 - smoothstep(t / end, 0.50, 1.0) ** 1.2 * 0.97)
    left, right = (_cut(_along(guides, place + sway + k * half), start, end) for k in (-1, 1))
    middle = (left + right) / 2
    level = float(np.clip(sheet.tone + rng.uniform(-0.22, 0.22), -1, 1))
    canvas.drawPath(polygon(np.concatenate([left, right[::-1]])), shade(_along_shader(middle, sheet, level, c)))
    canvas.drawPath(polygon(ribbon(right, 0.9 + 1.5 * np.sin(np.pi * t))), fill(c.gap, 0.42, 0.7))
    canvas.drawPath(
        polygon(ribbon(left * 0.75 + middle * 0.25, 0.1 + 1.3 * np.sin(np.pi * t))), fill(c.light, 0.16, 0.8)
    )
    _paint_strands(canvas, sheet, (left, right), level, c, rng)


def _along_shader(middle: Points, sheet: Sheet, level: float, c: HairColors) -> skia.Shader:
    def tone(code: str) -> str:
        return mix(code, c.gap, -level) if level < 0 else mix(code, c.light, level * 0.6)

    at, spread = sheet.sheen
    stops: list[Stop] = [
        (0.0, tone(c.dark)), (max(0.01, at - 2.2 * spread), tone(c.mid)), (at - spread, tone(c.warm)),
        (at, tone(mix(c.warm, c.light, 0.8))), (at + spread, tone(c.warm)), (at + 2.4 * spread, tone(c.mid)),
    ]  # fmt: skip
    if sheet.bend is not None:
        stops += [(sheet.bend - 0.20, tone(c.dark)), (sheet.bend - 0.07, tone(c.mid)), (sheet.bend, tone(c.warm))]
        stops += [(sheet.bend + 0.08, tone(c.mid)), (sheet.bend + 0.18, tone(c.dark))]
    else:
        stops.append((min(0.97, at + 4.0 * spread), tone(c.dark)))
    stops += [(0.98, tone(c.mid)), (1.0, tone(c.warm))]
    return linear(middle[0], middle[-1], stops)


def _paint_strands(
    canvas: skia.Canvas,
    sheet: Sheet,
    edges: tuple[Points, Points],
    level: float,
    c: HairColors,
    rng: np.random.Generator,
) -> None:
    left, right = edges
    at, spread = sheet.sheen
    dim = 1.0 - 0.75 * max(0.0, -level)
    for code, alpha, count, sheen in (
        (c.gap, 0.34, sheet.strands, False), (c.light, 0.30 * dim, sheet.strands // 2, False),
        (c.sheen, 0.46 * dim, sheet.strands, True)
    ):  # fmt: skip
        curves, widths = [], []
        for _ in range(count):
            f = rng.uniform(0.04, 0.96)
            if sheen:
                start = at + rng.normal(0, 0.5) * spread - spread * rng.uniform(0.5, 1.5)
                end = start + spread * rng.uniform(1.2, 2.8)
            else:
                start = rng.uniform(0, 0.6)
                end = start + rng.uniform(0.25, 0.6)
            curves.append(_cut(left * f + right * (1 - f), max(0.0, start), min(1.0, end)))
            t = np.linspace(0, 1, STEPS)
            widths.append(rng.uniform(0.45, 1.25) * np.sin(np.pi * np.clip(t, 0.01, 0.99)) ** 0.8)
        canvas.drawPath(polygons(ribbon(np.stack(curves), np.stack(widths))), fill(code, alpha, 0.3))


def paint_flyaways(canvas: skia.Canvas, sheets: Sequence[Sheet], c: HairColors, seed: int, count: int) -> None:
    """Single hairs that break the silhouette."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, STEPS)
    for sheet in sheets:
        guide = _guides(sheet)[0]
        outwards = np.sign(guide[STEPS // 2, 0])
        curves, widths = [], []
        for _ in range(count):
            start = rng.uniform(0.02, 0.7)
            hair = _cut(guide, start, min(1.0, start + rng.uniform(0.18, 0.34))).copy()
            lift = rng.uniform(1.2, 4.5) * np.sin(np.pi * t * rng.uniform(0.7, 1.1)) * t**0.5
            hair[:, 0] += lift * outwards * 0.8
            hair[:, 1] -= lift * 0.6
            curves.append(hair)
            widths.append(rng.uniform(0.4, 0.8) * np.sin(np.pi * np.clip(t, 0.02, 0.98)) ** 0.6)
        canvas.drawPath(polygons(ribbon(np.stack(curves), np.stack(widths))), fill(c.warm, 0.55, 0.3))


def _paint_parting(canvas: skia.Canvas, c: HairColors, x: float) -> None:
    """The line where the hair parts: dark roots, and a trace of scalp."""
    canvas.drawPath(
        polygon(taper([(x, -152), (x, -128), (x - 0.5, -100)], 9, (0.4, 1, 0.8))), fill(c.gap, 0.60, 2.6)
    )
    canvas.drawPath(
        polygon(taper([(x + 0.2, -149), (x, -128), (x - 0.5, -103)], 1.5, (0.2, 1, 0.9))), fill(PARTING, 0.62, 0.5)
    )


def cut_sprites(cut: Cut, box: Box, c: HairColors) -> tuple[Sprite, Sprite]:
    """Paint a haircut: what lies behind the head, and what lies on it."""
    back = _layer(box, partial(_paint_group, cut.back, c))
    result = _layer(box, lambda canvas: _paint_first(canvas, cut, c))
    for group in cut.front[1:]:
        above = _layer(box, partial(_paint_group, group, c))
        _darken_below(result, above)
        result = over(result, above)
    return Sprite(rim_light(back, c), box[0], box[1]), Sprite(rim_light(result, c, FRONT_RIM), box[0], box[1])


def _layer(box: Box, paint: Callable[[skia.Canvas], object]) -> Rgba:
    x0, y0, x1, y1 = box
    pixels = blank(round((x1 - x0) * TEXTURE_DENSITY), round((y1 - y0) * TEXTURE_DENSITY))
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-x0, -y0)
    paint(canvas)
    return pixels


def _paint_group(group: Sequence[Sheet], c: HairColors, canvas: skia.Canvas) -> None:
    for sheet in group:
        paint_sheet(canvas, sheet, c)


def _paint_first(canvas: skia.Canvas, cut: Cut, c: HairColors) -> None:
    canvas.drawPath(polygon(spline(cut.crown, 120, closed=True)), fill(mix(c.gap, c.dark, 0.7)))
    _paint_group(cut.front[0], c, canvas)
    if cut.parting_x is not None:
        _paint_parting(canvas, c, cut.parting_x)
    if cut.flyaways:
        paint_flyaways(canvas, cut.front[0], c, 17, cut.flyaways)


def over(below: Rgba, above: Rgba) -> Rgba:
    """Premultiplied source-over."""
    keep = 255 - above[..., 3:].astype(np.uint16)
    return (above + ((below * keep + 127) // 255)).astype(np.uint8)


def _darken_below(below: Rgba, above: Rgba) -> None:
    cover = cv2.GaussianBlur(above[..., 3].astype(np.float32) / 255, (0, 0), 3.0 * TEXTURE_DENSITY)
    cover = np.roll(cover, (int(3 * TEXTURE_DENSITY), 0), (0, 1))
    below[..., :3] = (below[..., :3] * (1 - 0.5 * cover[..., None])).astype(np.uint8)


def rim_light(pixels: Rgba, c: HairColors, strength: float = RIM) -> Rgba:
    """Cool light from behind on the outer edges: hair that has none further out beside it."""
    alpha = pixels[..., 3].astype(np.float32) / 255
    height, width = alpha.shape
    reach = round(2.2 * TEXTURE_DENSITY)
    left = np.pad(alpha, ((0, 0), (reach, 0)))[:, :width]
    right = np.pad(alpha, ((0, 0), (0, reach)))[:, reach:]
    side = np.linspace(-1, 1, width)[None, :]
    bare = np.where(side < 0, 1 - left, 1 - right)
    edge = cv2.GaussianBlur(bare.astype(np.float32), (0, 0), 0.8 * TEXTURE_DENSITY) * alpha
    edge = (edge * smoothstep(np.abs(side), 0.45, 0.7) * strength)[..., None]
    out = pixels.copy()
    lit = pixels[..., :3] * (1 - edge) + np.array(rgb(c.rim)) * edge * alpha[..., None]
    out[..., :3] = np.clip(lit, 0, 255).round()
    return out
