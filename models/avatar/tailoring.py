"""What outfits are cut from: the torso's outline, folds, collars, necklaces."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import skia

from models.avatar.geometry import Points, spline, taper
from models.avatar.paint import clipped, fill, linear, polygon, radial, shade
from models.avatar.spec import ClothColors, SkinColors

Shape = Sequence[tuple[float, float]]
Stroke = tuple[Shape, float, str, float, float]
"""Points of the right half, width, colour, opacity, blur."""

TORSO: Final = (
    (0.0, 150.0), (44.0, 130.0), (70.0, 141.0), (104.0, 150.0), (140.0, 158.0), (172.0, 170.0), (196.0, 188.0),
    (211.0, 214.0), (214.0, 250.0), (0.0, 252.0),
)  # fmt: skip
"""Right half of shoulders and chest under cloth."""


def flip(shape: Shape, side: int) -> list[tuple[float, float]]:
    """A shape of the picture's right half on either side."""
    return [(x * side, y) for x, y in shape]


def straight(shape: Shape) -> Points:
    """A shape with corners."""
    return np.asarray(shape, np.float64)


def strokes(canvas: skia.Canvas, lines: Iterable[Stroke], sides: Sequence[int] = (-1, 1)) -> None:
    """Soft tapered strokes, on both sides unless told otherwise."""
    for points, width, code, alpha, blur in lines:
        for side in sides:
            canvas.drawPath(polygon(taper(flip(points, side), width)), fill(code, alpha, blur))


def seam(canvas: skia.Canvas, points: Shape, width: float, code: str, alpha: float, blur: float = 0.4) -> None:
    """A stroke of even width, on both sides."""
    for side in (-1, 1):
        canvas.drawPath(polygon(taper(flip(points, side), width, (1, 1))), fill(code, alpha, blur))


def torso(neckline: Shape) -> skia.Path:
    """The torso below a neckline, given as its right half from the shoulder to the middle."""
    half = [*neckline[::-1], *(point for point in TORSO[1:] if point[0] > neckline[0][0])]
    right = straight([*half, (0.0, 252.0)])
    outline = np.vstack([right, (right * [-1.0, 1.0])[::-1]])
    return polygon(spline(outline, 300, closed=True))


def cloth(canvas: skia.Canvas, shape: skia.Path, c: ClothColors) -> None:
    """Cloth in the studio's light: bright on the picture's left shoulder, falling off to the right and below."""
    canvas.drawPath(shape, fill("#140c14", 0.42, 6))
    tones = [(0.0, c.light), (0.34, c.base), (0.68, c.base), (1.0, c.dark)]
    canvas.drawPath(shape, shade(linear((-190, 150), (190, 215), tones)))
    with clipped(canvas, shape):
        canvas.drawPaint(shade(linear((0, 160), (0, 225), [(0, c.dark, 0.0), (1, c.dark, 0.75)])))


def folds(canvas: skia.Canvas, c: ClothColors) -> None:
    """Light along the shoulders, folds from the armpits, the sleeves' seams."""
    strokes(canvas, (
        ([(70, 144), (110, 155), (150, 164), (188, 190)], 6.0, c.edge, 0.42, 2.8),
        ([(152, 164), (144, 186), (150, 220)], 2.0, c.deep, 0.70, 0.9),
        ([(157, 166), (149, 188), (155, 220)], 5.0, c.edge, 0.16, 2.6),
        ([(178, 180), (166, 198), (172, 224)], 11.0, c.deep, 0.42, 4.2),
        ([(136, 172), (112, 190), (98, 220)], 12.0, c.deep, 0.38, 4.6),
        ([(126, 166), (102, 184), (86, 212)], 10.0, c.edge, 0.18, 4.2),
        ([(196, 194), (188, 210), (192, 228)], 8.0, c.edge, 0.20, 3.6),
    ))  # fmt: skip


def necklace(canvas: skia.Canvas, skin: SkinColors) -> None:
    """A fine gold chain with a bead."""
    chain: Shape = [(-44, 138), (-30, 160), (-12, 174), (0, 177), (12, 174), (30, 160), (44, 138)]
    shadow = [(x + 0.8, y + 2) for x, y in chain]
    canvas.drawPath(polygon(taper(shadow, 1.6, (1, 1))), fill(skin.line, 0.45, 1.1))
    canvas.drawPath(polygon(taper(chain, 1.25, (1, 1), 60)), fill("#d9a752"))
    canvas.drawPath(polygon(taper(chain[1:4], 0.9)), fill("#fff0b8", 0.9))
    canvas.drawCircle(0.8, 182, 4.6, fill(skin.line, 0.5, 1.4))
    gold = radial((-1.4, 179), 5.6, [(0, "#fff6d2"), (0.4, "#eebf62"), (1, "#a8742c")])
    canvas.drawCircle(0, 180.5, 4.2, shade(gold))


def shirt_front(canvas: skia.Canvas, white: str, grey: str) -> None:
    """A buttoned shirt as it shows between lapels."""
    area = polygon(spline([(-60, 150), (-30, 164), (0, 172), (30, 164), (60, 150), (84, 226), (-84, 226)], 90, True))
    tones = [(0.0, white), (0.55, white), (1.0, grey)]
    canvas.drawPath(area, shade(linear((-60, 150), (70, 224), tones)))
    strokes(canvas, (([(40, 176), (34, 200), (36, 224)], 6.0, grey, 0.6, 2.4),))


def collar(canvas: skia.Canvas, white: str, grey: str, deep: str, gap: float) -> None:
    """A shirt collar: two points that lie on the chest, `gap` apart in the middle."""
    for side in (-1, 1):
        inner = [(50, 128), (43, 140), (gap + 10, 164), (gap, 173)]
        outer = [(gap + 15, 192), (44, 178), (62, 158), (60, 138)]
        shape = polygon(straight(flip([*inner, *outer], side)))
        canvas.drawPath(polygon(straight(flip([(x + 1, y + 3) for x, y in [*inner, *outer]], side))),
                        fill(deep, 0.42, 2.8))  # fmt: skip
        tones = [(0.0, white if side < 0 else grey), (0.6, white), (1.0, grey)]
        canvas.drawPath(shape, shade(linear((side * 60, 136), (side * 8, 190), tones)))
        canvas.drawPath(polygon(taper(flip(inner, side), 1.8, (1, 1))), fill("#ffffff", 0.5, 0.5))
        canvas.drawPath(polygon(taper(flip([(gap, 173), *outer[:2]], side), 1.3, (1, 1))), fill(deep, 0.38, 0.6))
