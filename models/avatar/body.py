"""Paints neck, necklace, blouse and blazer as they show in a close portrait."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import skia

from models.avatar.geometry import Points, mirrored, spline, taper
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.paint import MULTIPLY, blank, canvas_on, clipped, fill, glow, linear, polygon, radial, shade
from models.avatar.spec import AvatarSpec, ClothColors, SkinColors

BOX: Final = (-186.0, 58.0, 186.0, 200.0)

Shape = Sequence[tuple[float, float]]


def _flip(shape: Shape, side: int) -> list[tuple[float, float]]:
    return [(x * side, y) for x, y in shape]


def body_sprite(spec: AvatarSpec) -> Sprite:
    """Everything below the chin that the hair does not cover."""
    x0, y0, x1, y1 = BOX
    pixels = blank(round((x1 - x0) * TEXTURE_DENSITY), round((y1 - y0) * TEXTURE_DENSITY))
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-x0, -y0)
    _neck(canvas, spec.skin)
    _blouse(canvas, spec.cloth, spec.skin)
    for side in (1, -1):
        _blazer(canvas, spec.cloth, side)
    return Sprite(pixels, x0, y0)


NECK: Final = (
    (0.0, 60.0),
    (49.0, 60.0),
    (45.0, 92.0),
    (43.0, 112.0),
    (47.0, 130.0),
    (66.0, 146.0),
    (112.0, 160.0),
    (120.0, 210.0),
    (0.0, 212.0),
)


def _neck(canvas: skia.Canvas, c: SkinColors) -> None:
    shape = polygon(spline(mirrored(NECK), 160, closed=True))
    tone = linear((-60, 110), (70, 170), [(0, c.light), (0.45, c.mid), (1, c.shadow)])
    canvas.drawPath(shape, shade(tone))
    with clipped(canvas, shape):

        def soft(points: Shape, code: str, alpha: float, blur: float) -> None:
            canvas.drawPath(polygon(spline(points, 60, closed=True)), fill(code, alpha, blur, MULTIPLY))

        soft([(-90, 40), (-56, 92), (-26, 122), (10, 134), (48, 120), (72, 86), (90, 40)], "#e4b29c", 0.75, 9)
        soft([(-84, 40), (-54, 84), (-24, 112), (6, 121), (42, 108), (66, 78), (84, 40)], "#cf9480", 0.72, 5)
        soft([(24, 100), (34, 128), (58, 146), (130, 180), (140, 120), (70, 80)], "#e6b8a4", 0.8, 8)
        for points, width, code, alpha, blur in (
            ([(36, 116), (24, 142), (8, 166)], 6.0, "#b9735c", 0.34, 3.0),
            ([(-36, 118), (-24, 144), (-8, 166)], 5.0, "#c07a62", 0.26, 3.0),
            ([(-31, 120), (-18, 146), (-3, 164)], 5.5, "#fff0e4", 0.30, 3.2),
            ([(12, 172), (46, 165), (96, 168)], 6.0, "#b9735c", 0.38, 2.8),
            ([(-12, 172), (-46, 165), (-96, 168)], 6.0, "#c07a62", 0.32, 2.8),
            ([(-13, 166.5), (-46, 159.5), (-92, 162)], 4.6, "#fff4ea", 0.55, 2.2),
            ([(15, 167), (46, 160), (86, 162)], 4.2, "#fff4ea", 0.30, 2.2),
        ):
            canvas.drawPath(polygon(taper(points, width)), fill(code, alpha, blur))
        canvas.drawOval(skia.Rect.MakeLTRB(-8, 160, 8, 176), fill("#b9735c", 0.35, 4))


def _blouse(canvas: skia.Canvas, c: ClothColors, skin: SkinColors) -> None:
    edge: Shape = [(-78, 158), (-60, 176), (-34, 190), (0, 196), (34, 190), (60, 176), (78, 158)]
    line = spline(edge, 60)
    canvas.drawPath(polygon(taper([(x + 1, y - 1.5) for x, y in edge], 5, (1, 1))), fill(skin.deep, 0.45, 2.4))
    area: Points = spline([*edge, (120, 215), (-120, 215)], 120, closed=True)
    canvas.drawPath(
        polygon(area), shade(linear((-60, 160), (80, 215), [(0, c.blouse), (0.6, c.blouse), (1, c.blouse_shade)]))
    )
    canvas.drawPath(polygon(taper(line[::6].tolist(), 3.6, (1, 1))), fill("#e6d9d2", 0.9, 0.6))
    canvas.drawPath(polygon(taper([(x, y + 0.6) for x, y in edge], 1.3, (1, 1))), fill("#ffffff", 0.95, 0.3))
    chain: Shape = [(-44, 138), (-30, 160), (-12, 174), (0, 177), (12, 174), (30, 160), (44, 138)]
    canvas.drawPath(polygon(taper([(x + 0.8, y + 2) for x, y in chain], 1.6, (1, 1))), fill("#8a4f3c", 0.45, 1.1))
    canvas.drawPath(polygon(taper(chain, 1.25, (1, 1), 60)), fill("#d9a752"))
    canvas.drawPath(polygon(taper(chain[1:4], 0.9)), fill("#fff0b8", 0.9))
    canvas.drawCircle(0.8, 182, 4.6, fill("#8a4f3c", 0.5, 1.4))
    gold = radial((-1.4, 179), 5.6, [(0, "#fff6d2"), (0.4, "#eebf62"), (1, "#a8742c")])
    canvas.drawCircle(0, 180.5, 4.2, shade(gold))


def _blazer(canvas: skia.Canvas, c: ClothColors, side: int) -> None:
    lit = side < 0
    body = polygon(
        spline(
            _flip(
                [
                    (48, 132),
                    (70, 141),
                    (104, 150),
                    (140, 158),
                    (168, 172),
                    (188, 198),
                    (198, 230),
                    (40, 230),
                    (66, 205),
                    (74, 180),
                    (62, 156),
                ],
                side,
            ),
            120,
            closed=True,
        )
    )
    canvas.drawPath(body, fill("#140c14", 0.42, 6))
    top, low = (c.light, c.base) if lit else (c.base, c.dark)
    canvas.drawPath(body, shade(linear((side * 150, 150), (side * 40, 215), [(0, top), (0.5, low), (1, c.dark)])))
    with clipped(canvas, body):
        for points, width, code, alpha, blur in (
            ([(64, 138), (104, 150), (146, 160), (178, 182)], 6.0, c.edge, 0.55 if lit else 0.32, 2.6),
            ([(150, 162), (142, 184), (148, 214)], 2.0, c.deep, 0.75, 0.8),
            ([(154, 164), (147, 186), (153, 214)], 5.0, c.edge, 0.22 if lit else 0.10, 2.6),
            ([(170, 178), (160, 196), (166, 220)], 10.0, c.deep, 0.45, 4.0),
            ([(132, 168), (110, 186), (98, 214)], 12.0, c.deep, 0.42, 4.5),
            ([(122, 160), (100, 178), (88, 204)], 10.0, c.edge, 0.26 if lit else 0.12, 4.0),
            ([(186, 190), (180, 206), (184, 224)], 8.0, c.edge, 0.25, 3.5),
        ):
            canvas.drawPath(polygon(taper(_flip(points, side), width)), fill(code, alpha, blur))
    _lapel(canvas, c, side, lit)


def _lapel(canvas: skia.Canvas, c: ClothColors, side: int, lit: bool) -> None:
    collar = [(46, 128), (57, 134), (78, 152), (100, 170), (88, 181), (72, 170), (60, 152), (50, 140)]
    lapel = [(72, 170), (88, 181), (104, 194), (92, 216), (70, 236), (50, 236), (66, 206), (74, 186)]
    tone = [(0.0, c.light if lit else c.base), (0.6, c.base if lit else c.dark), (1.0, c.dark)]
    for shape in (lapel, collar):
        path = polygon(_straight(_flip(shape, side)))
        canvas.drawPath(polygon(_straight(_flip([(x + 2.5, y + 4) for x, y in shape], side))), fill(c.deep, 0.6, 3.5))
        canvas.drawPath(path, shade(linear((side * 100, 140), (side * 50, 215), tone)))
        with clipped(canvas, path):
            canvas.drawPath(
                polygon(taper(_flip([(52, 138), (66, 160), (74, 186), (60, 214)], side), 9, (1, 1))),
                fill(c.deep, 0.45, 4),
            )
    for points in ([(57, 134), (78, 152), (100, 170), (88, 181)], [(88, 181), (104, 194), (92, 216), (70, 236)]):
        canvas.drawPath(polygon(taper(_flip(points, side), 1.3, (1, 1))), fill(c.edge, 0.55 if lit else 0.35, 0.4))
    canvas.drawPath(polygon(taper(_flip([(60, 153), (73, 170), (88, 181)], side), 1.6, (1, 1))), fill(c.deep, 0.7, 0.5))
    glow(canvas, (side * 84, 168), 20, c.edge, 0.20 if lit else 0.08)


def _straight(shape: Shape) -> Points:
    return np.asarray(shape, np.float64)


def ear_sprite(c: SkinColors) -> Sprite:
    """The ear on the picture's right with a pearl; the other is its mirror image."""
    box = (72.0, -34.0, 108.0, 46.0)
    pixels = blank(round((box[2] - box[0]) * TEXTURE_DENSITY), round((box[3] - box[1]) * TEXTURE_DENSITY))
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-box[0], -box[1])
    shape = [
        (76, -14),
        (82, -22),
        (89, -26),
        (95.5, -24),
        (98.5, -16),
        (97.5, -4),
        (94, 9),
        (91, 20),
        (87.5, 28),
        (83, 32),
        (78, 30),
        (76, 18),
    ]
    path = polygon(spline(shape, 80, closed=True))
    canvas.drawPath(path, shade(linear((84, -26), (84, 32), [(0, c.mid), (0.5, c.shadow), (1, c.shadow)])))
    with clipped(canvas, path):
        canvas.drawPath(
            polygon(spline([(81, -10), (86, -15), (91, -12), (91, -3), (88, 8), (84, 14), (80, 8)], 40, True)),
            fill(c.deep, 0.75, 2.4),
        )
        canvas.drawPath(
            polygon(taper([(79, -15), (84, -21), (90, -23), (95, -18), (95.5, -7), (92, 8), (88, 19)], 2.4)),
            fill(c.high, 0.7, 0.9),
        )
        canvas.drawPath(polygon(spline([(70, -24), (78, -10), (79, 30), (70, 34)], 40, True)), fill(c.deep, 0.55, 2.4))
    canvas.drawCircle(84.4, 33.4, 4.4, fill(c.line, 0.5, 1.4))
    pearl = radial((82.6, 30.6), 6.0, [(0, "#ffffff"), (0.45, "#f2e6e0"), (1, "#a98f8a")])
    canvas.drawCircle(84, 32.4, 4.2, shade(pearl))
    return Sprite(pixels, box[0], box[1])
