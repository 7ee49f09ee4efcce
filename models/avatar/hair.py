"""Grows and paints the hair: sheets of guide curves, cut into tapered locks, each with its own light."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar.geometry import Points, ribbon, smoothstep, spline
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.paint import Rgba, Stop, blank, canvas_on, fill, linear, mix, polygon, polygons, shade
from models.avatar.spec import HairColors

STEPS: Final = 40

Guide = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Neighbouring guide curves that hair runs along, from root to tip, and how it is cut into locks."""

    guides: tuple[Guide, ...]
    locks: int
    width: float
    """Half width of a lock as a share of the sheet."""
    sheen: tuple[float, float]
    """Where along the hair the light lies: centre and spread."""
    tone: float = 0.0
    """Brightness -1..1 of the whole sheet."""
    wave: float = 0.0
    ragged: float = 0.10
    """How unevenly the tips end, as a share of the length."""
    root: float = 0.0
    """How unevenly the roots begin."""
    strands: int = 9
    seed: int = 0


BACK: Final = (
    Sheet((
        ((-20, -146), (-78, -128), (-106, -60), (-106, 20), (-116, 90), (-128, 150), (-122, 215)),
        ((-10, -140), (-56, -100), (-80, -30), (-82, 40), (-92, 100), (-98, 150), (-92, 215)),
        ((0, -140), (-20, -90), (-36, -20), (-42, 40), (-52, 90), (-56, 140), (-54, 215)),
        ((6, -140), (20, -90), (30, -20), (36, 40), (46, 90), (50, 140), (50, 215)),
        ((12, -140), (58, -100), (80, -30), (82, 40), (90, 100), (96, 150), (90, 215)),
        ((22, -146), (78, -128), (106, -60), (104, 20), (114, 90), (124, 150), (116, 215)),
    ), locks=26, width=0.045, sheen=(0.30, 0.10), tone=-0.5, wave=0.02, strands=7, seed=4),
)  # fmt: skip

CAP: Final = (
    Sheet((
        ((17, -146), (-30, -152), (-74, -134), (-100, -92), (-106, -40), (-103, 10)),
        ((17, -141), (-26, -145), (-66, -124), (-92, -82), (-100, -34), (-99, 12)),
        ((17, -130), (-20, -131), (-56, -110), (-82, -70), (-93, -26), (-94, 16)),
        ((17, -116), (-12, -114), (-46, -95), (-74, -58), (-88, -18), (-89, 20)),
        ((17, -100), (-4, -97), (-36, -82), (-68, -48), (-83, -10), (-85, 24)),
    ), locks=20, width=0.075, sheen=(0.36, 0.085), wave=0.012, root=0.05, seed=11),
    Sheet((
        ((17, -146), (52, -150), (86, -128), (103, -88), (106, -40), (103, 4)),
        ((17, -141), (48, -142), (78, -118), (96, -78), (100, -34), (99, 6)),
        ((17, -130), (44, -129), (70, -105), (88, -66), (94, -26), (95, 8)),
        ((17, -116), (38, -113), (60, -92), (79, -56), (88, -20), (90, 10)),
        ((17, -100), (32, -97), (52, -80), (72, -48), (84, -14), (87, 12)),
    ), locks=15, width=0.085, sheen=(0.42, 0.09), tone=-0.06, wave=0.012, root=0.05, seed=5),
)  # fmt: skip

FRINGE: Final = (
    Sheet((
        ((15, -112), (-18, -100), (-48, -72), (-70, -36), (-84, 8), (-88, 44)),
        ((14, -106), (-14, -92), (-40, -64), (-62, -30), (-78, 8), (-84, 38)),
        ((13, -101), (-8, -86), (-30, -60), (-52, -32), (-70, 0), (-80, 26)),
    ), locks=9, width=0.16, sheen=(0.34, 0.10), tone=0.05, wave=0.02, ragged=0.28, strands=12, seed=21),
    Sheet((
        ((19, -112), (44, -100), (66, -74), (80, -40), (88, 0), (90, 30)),
        ((20, -106), (42, -92), (61, -66), (75, -34), (84, 0), (88, 24)),
        ((21, -101), (38, -86), (55, -60), (70, -32), (80, -4), (86, 16)),
    ), locks=7, width=0.17, sheen=(0.36, 0.10), tone=0.0, wave=0.02, ragged=0.28, strands=11, seed=23),
)  # fmt: skip

SIDES: Final = (
    Sheet((
        ((-101, -46), (-107, 0), (-108, 46), (-118, 92), (-128, 136), (-116, 176), (-122, 215)),
        ((-96, -36), (-100, 6), (-100, 50), (-108, 94), (-116, 138), (-104, 178), (-110, 215)),
        ((-88, -20), (-92, 16), (-91, 54), (-96, 96), (-102, 138), (-90, 180), (-98, 215)),
        ((-82, -4), (-85, 26), (-82, 60), (-84, 98), (-88, 138), (-76, 180), (-86, 215)),
        ((-80, 6), (-80, 34), (-76, 64), (-75, 98), (-76, 134), (-64, 174), (-74, 212)),
    ), locks=17, width=0.11, sheen=(0.24, 0.10), wave=0.035, ragged=0.16, strands=12, seed=31),
    Sheet((
        ((101, -50), (106, -4), (107, 34), (116, 84), (126, 132), (116, 176), (122, 215)),
        ((97, -42), (101, 0), (102, 36), (110, 86), (118, 134), (108, 178), (114, 215)),
        ((92, -34), (97, 2), (98, 38), (104, 88), (110, 134), (100, 180), (108, 215)),
    ), locks=10, width=0.15, sheen=(0.26, 0.10), tone=-0.12, wave=0.03, ragged=0.16, strands=10, seed=33),
)  # fmt: skip


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
    half = half * (1 - smoothstep(t, 0.55, 1.0) ** 1.3 * 0.96)
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
        (min(0.97, at + 4.0 * spread), tone(c.dark)), (0.98, tone(c.mid)), (1.0, tone(c.warm)),
    ]  # fmt: skip
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


def paint_flyaways(canvas: skia.Canvas, sheets: Sequence[Sheet], c: HairColors, seed: int) -> None:
    """Single hairs that break the silhouette."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, STEPS)
    for sheet in sheets:
        guide = _guides(sheet)[0]
        outwards = np.sign(guide[STEPS // 2, 0])
        curves, widths = [], []
        for _ in range(10):
            start = rng.uniform(0.02, 0.7)
            hair = _cut(guide, start, min(1.0, start + rng.uniform(0.18, 0.34))).copy()
            lift = rng.uniform(1.2, 4.5) * np.sin(np.pi * t * rng.uniform(0.7, 1.1)) * t**0.5
            hair[:, 0] += lift * outwards * 0.8
            hair[:, 1] -= lift * 0.6
            curves.append(hair)
            widths.append(rng.uniform(0.4, 0.8) * np.sin(np.pi * np.clip(t, 0.02, 0.98)) ** 0.6)
        canvas.drawPath(polygons(ribbon(np.stack(curves), np.stack(widths))), fill(c.warm, 0.55, 0.3))


def sprite(
    groups: Sequence[Sequence[Sheet]], box: tuple[float, float, float, float], c: HairColors, rim: bool
) -> Sprite:
    """Paint groups of sheets over each other, each group casting a soft shadow on those below."""
    x0, y0, x1, y1 = box
    width, height = round((x1 - x0) * TEXTURE_DENSITY), round((y1 - y0) * TEXTURE_DENSITY)
    result = blank(width, height)
    for number, group in enumerate(groups):
        layer = blank(width, height)
        canvas = canvas_on(layer)
        canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
        canvas.translate(-x0, -y0)
        for sheet in group:
            paint_sheet(canvas, sheet, c)
        if rim and number == 0:
            paint_flyaways(canvas, group, c, 17)
        if number:
            _darken_below(result, layer)
        result = over(result, layer)
    return Sprite(_rim_light(result, c) if rim else result, x0, y0)


def over(below: Rgba, above: Rgba) -> Rgba:
    """Premultiplied source-over."""
    keep = 255 - above[..., 3:].astype(np.uint16)
    return (above + ((below * keep + 127) // 255)).astype(np.uint8)


def _darken_below(below: Rgba, above: Rgba) -> None:
    cover = cv2.GaussianBlur(above[..., 3].astype(np.float32) / 255, (0, 0), 3.0 * TEXTURE_DENSITY)
    cover = np.roll(cover, (int(3 * TEXTURE_DENSITY), 0), (0, 1))
    below[..., :3] = (below[..., :3] * (1 - 0.5 * cover[..., None])).astype(np.uint8)


def _rim_light(pixels: Rgba, c: HairColors) -> Rgba:
    """Cool light on the outer edge, from behind."""
    alpha = pixels[..., 3].astype(np.float32) / 255
    inner = cv2.GaussianBlur(alpha, (0, 0), 2.6 * TEXTURE_DENSITY)
    edge = np.clip((alpha - inner) * 1.7, 0, 1) * alpha
    height, width = alpha.shape
    across = np.abs(np.linspace(-1, 1, width))[None, :]
    edge = (edge * np.clip(across * 1.6 - 0.35, 0.12, 1))[..., None] * 0.5
    light = np.array([int(c.rim[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    out = pixels.copy()
    out[..., :3] = np.clip(pixels[..., :3] * (1 - edge) + light * edge * alpha[..., None], 0, 255)
    return out
