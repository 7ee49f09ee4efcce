"""The outfits: what is worn from the neck down, each painted over neck and chest."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import skia

from models.avatar.geometry import Points, spline, taper
from models.avatar.paint import clipped, fill, glow, linear, mix, polygon, radial, shade
from models.avatar.spec import AvatarSpec, ClothColors, SkinColors
from models.avatar.tailoring import (
    Shape,
    cloth,
    collar,
    flip,
    folds,
    necklace,
    shirt_front,
    straight,
    strokes,
    torso,
)


def blazer(canvas: skia.Canvas, spec: AvatarSpec) -> None:
    """Blouse and an open blazer."""
    _blouse(canvas, spec.cloth, spec.skin)
    if spec.wears.necklace:
        necklace(canvas, spec.skin)
    for side in (1, -1):
        _jacket(canvas, spec.cloth, side)


def suit(canvas: skia.Canvas, spec: AvatarSpec) -> None:
    """Shirt, tie and jacket."""
    c = spec.cloth
    shirt_front(canvas, c.blouse, c.blouse_shade)
    _tie(canvas, c)
    collar(canvas, c.blouse, c.blouse_shade, c.deep, 3.0)
    for side in (1, -1):
        _jacket(canvas, c, side)


def shirt(canvas: skia.Canvas, spec: AvatarSpec) -> None:
    """A shirt with its top button open."""
    c = spec.cloth
    body = torso([(50, 130), (34, 150), (14, 172), (0, 186)])
    cloth(canvas, body, c)
    with clipped(canvas, body):
        folds(canvas, c)
        strokes(canvas, (([(62, 160), (52, 190), (58, 224)], 10.0, c.deep, 0.22, 4.5),))
        canvas.drawPath(polygon(straight([(-8, 176), (8, 182), (8, 252), (-8, 252)])), fill(c.light, 0.55, 0.5))
        canvas.drawPath(polygon(taper([(8.5, 180), (8.5, 230)], 1.4, (1, 1))), fill(c.deep, 0.6, 0.6))
        for y in (194, 214):
            canvas.drawCircle(0.4, y + 0.8, 2.9, fill(c.deep, 0.55, 0.8))
            canvas.drawCircle(0, y, 2.6, shade(radial((-0.8, y - 0.8), 3.4, [(0, "#ffffff"), (1, c.edge)])))
    collar(canvas, mix(c.light, c.edge, 0.25), c.base, c.deep, 9.0)


def hoodie(canvas: skia.Canvas, spec: AvatarSpec) -> None:
    """A sweatshirt with its hood down and two strings."""
    c = spec.cloth
    body = torso([(56, 130), (50, 158), (26, 178), (0, 184)])
    cloth(canvas, body, c)
    with clipped(canvas, body):
        folds(canvas, c)
    for side in (1, -1):
        hood: Shape = [(40, 110), (60, 118), (84, 136), (88, 160), (66, 184), (36, 200), (0, 207), (0, 186), (24, 181),
                       (44, 166), (52, 146), (48, 126)]  # fmt: skip
        path = polygon(spline(flip(hood, side), 120, closed=True))
        canvas.drawPath(polygon(spline(flip([(x + 2, y + 5) for x, y in hood], side), 120, True)), fill(c.deep, 0.5, 5))
        tones = [(0.0, c.light if side < 0 else c.base), (0.5, c.base), (1.0, c.dark)]
        canvas.drawPath(path, shade(linear((side * 60, 120), (side * 30, 206), tones)))
        with clipped(canvas, path):
            strokes(canvas, (
                ([(46, 122), (53, 146), (44, 168), (22, 184), (0, 189)], 7.0, c.deep, 0.75, 2.6),
                ([(66, 126), (76, 146), (62, 172), (30, 192), (0, 198)], 7.0, c.edge, 0.34 if side < 0 else 0.2, 3.0),
                ([(80, 140), (78, 160), (58, 182), (30, 197)], 4.0, c.deep, 0.4, 2.4),
            ), (side,))  # fmt: skip
    for side in (-1, 1):
        end = (side * 21, 224)
        cord: Shape = [(side * 15, 190), (side * 17, 206), end]
        canvas.drawPath(polygon(taper([(x + 1, y + 1.5) for x, y in cord], 4.0, (1, 1))), fill(c.deep, 0.5, 1.2))
        canvas.drawPath(polygon(taper(cord, 3.2, (1, 1))), fill(c.blouse))
        canvas.drawPath(polygon(taper([(x - 0.7, y) for x, y in cord], 1.0, (1, 1))), fill("#ffffff", 0.6, 0.3))
        canvas.drawCircle(side * 15, 190, 2.9, fill(c.deep, 0.85, 0.5))


def dress(canvas: skia.Canvas, spec: AvatarSpec) -> None:
    """A dress with a boat neck that leaves the collarbones free."""
    c = spec.cloth
    neckline = [(134, 153), (104, 163), (70, 178), (34, 188), (0, 191)]
    _shoulders(canvas, spec.skin)
    edge: Shape = [*flip(neckline, -1), *neckline[-2::-1]]
    canvas.drawPath(polygon(taper([(x, y - 2) for x, y in edge], 6, (1, 1), 60)), fill(spec.skin.line, 0.40, 2.6))
    body = torso(neckline)
    cloth(canvas, body, c)
    with clipped(canvas, body):
        folds(canvas, c)
        strokes(canvas, (
            ([(20, 196), (26, 212), (24, 228)], 8.0, c.deep, 0.26, 3.6),
            ([(64, 190), (52, 208), (50, 226)], 8.0, c.edge, 0.18, 3.6),
        ))  # fmt: skip
        canvas.drawPath(polygon(taper([(x, y + 3.6) for x, y in edge], 1.2, (1, 1), 60)), fill(c.deep, 0.6, 0.5))
    canvas.drawPath(polygon(taper([(x, y + 0.6) for x, y in edge], 1.8, (1, 1), 60)), fill(c.edge, 0.7, 0.4))
    if spec.wears.necklace:
        necklace(canvas, spec.skin)


def cardigan(canvas: skia.Canvas, spec: AvatarSpec) -> None:
    """A blouse with a collar under a knitted cardigan."""
    c = spec.cloth
    front = torso([(52, 132), (36, 154), (14, 170), (0, 176)])
    blouse = ClothColors(c.blouse_shade, c.blouse_shade, c.blouse, c.blouse, "#ffffff")
    cloth(canvas, front, blouse)
    collar(canvas, c.blouse, c.blouse_shade, mix(c.blouse_shade, "#3a2a2a", 0.5), 4.0)
    for side in (1, -1):
        half: Shape = [(48, 128), (70, 139), (104, 148), (140, 156), (172, 168), (198, 186), (213, 214), (214, 252),
                       (8, 252), (20, 230), (40, 204), (56, 180), (60, 158)]  # fmt: skip
        path = polygon(spline(flip(half, side), 160, closed=True))
        canvas.drawPath(path, fill("#140c14", 0.42, 6))
        tones = [(0.0, c.light if side < 0 else c.base), (0.5, c.base), (1.0, c.dark)]
        canvas.drawPath(path, shade(linear((side * 180, 150), (side * 20, 226), tones)))
        with clipped(canvas, path):
            _knit(canvas, c, side)
            folds(canvas, c)
            band: Shape = [(52, 130), (66, 158), (62, 182), (46, 208), (26, 234), (14, 252)]
            canvas.drawPath(polygon(taper(flip(band, side), 15, (1, 1))), fill(c.dark, 0.85, 0.8))
            canvas.drawPath(polygon(taper(flip(band, side), 12.5, (1, 1))), fill(c.base, 0.95, 0.5))
            line = spline(flip(band, side), 46)
            ribs = [taper(np.stack([p - [5, 1], p + [5, 1]]), 1.0, (1, 1), 2) for p in line]
            for rib in ribs:
                canvas.drawPath(polygon(rib), fill(c.deep, 0.34, 0.4))
    for x, y in ((30, 220),):
        canvas.drawCircle(x + 0.8, y + 1.2, 4.4, fill(c.deep, 0.6, 1.0))
        canvas.drawCircle(x, y, 4.0, shade(radial((x - 1.4, y - 1.4), 5.4, [(0, "#fdf3e2"), (1, "#8a6a4c")])))


def _knit(canvas: skia.Canvas, c: ClothColors, side: int) -> None:
    """Rows of small stitches, faint."""
    x, y = np.meshgrid(np.arange(40, 216, 6.0), np.arange(128, 252, 5.0))
    for px, py in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True):
        slope = (px - 40) * 0.18
        stitch = [(px - 2.4, py + slope - 1.6), (px, py + slope + 1.4), (px + 2.4, py + slope - 1.6)]
        canvas.drawPath(polygon(taper(flip(stitch, side), 1.1, (0.4, 1, 0.4), 6)), fill(c.deep, 0.24, 0.5))


def _shoulders(canvas: skia.Canvas, c: SkinColors) -> None:
    skin = torso([(46, 130), (30, 150), (0, 156)])
    canvas.drawPath(skin, shade(linear((-150, 150), (160, 210), [(0, c.light), (0.5, c.mid), (1, c.shadow)])))
    strokes(canvas, (
        ([(13, 173), (46, 166), (92, 163), (128, 160)], 6.5, c.deep, 0.34, 3.0),
        ([(13, 168), (46, 160), (88, 158)], 5.0, c.high, 0.42, 2.4),
        ([(38, 118), (24, 144), (8, 168)], 5.5, c.deep, 0.26, 3.0),
        ([(104, 152), (150, 164), (184, 184)], 6.0, c.high, 0.30, 3.2),
    ))  # fmt: skip
    canvas.drawOval(skia.Rect.MakeLTRB(-8, 161, 8, 176), fill(c.deep, 0.32, 4))


def _tie(canvas: skia.Canvas, c: ClothColors) -> None:
    dark, light = mix(c.accent, "#000000", 0.45), mix(c.accent, "#ffffff", 0.25)
    blade = polygon(straight([(-7.5, 186), (7.5, 186), (15, 252), (-15, 252)]))
    knot = polygon(straight([(-12, 168), (12, 168), (8, 187), (-8, 187)]))
    for path in (blade, knot):
        canvas.drawPath(path, fill("#1a1216", 0.4, 3.0))
        canvas.drawPath(path, shade(linear((-12, 168), (14, 200), [(0, light), (0.45, c.accent), (1, dark)])))
    with clipped(canvas, blade):
        for y in range(180, 260, 11):
            canvas.drawPath(polygon(taper([(-20, y + 10), (20, y - 10)], 2.4, (1, 1))), fill(light, 0.55, 0.4))
    canvas.drawPath(polygon(taper([(-8, 187.5), (8, 187.5)], 1.8, (1, 1))), fill(dark, 0.8, 0.6))


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


def _jacket(canvas: skia.Canvas, c: ClothColors, side: int) -> None:
    lit = side < 0
    body = polygon(
        spline(
            flip(
                [
                    (48, 132),
                    (70, 141),
                    (104, 150),
                    (140, 158),
                    (172, 170),
                    (196, 188),
                    (211, 214),
                    (214, 252),
                    (30, 252),
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
            canvas.drawPath(polygon(taper(flip(points, side), width)), fill(code, alpha, blur))
    _lapel(canvas, c, side, lit)


def _lapel(canvas: skia.Canvas, c: ClothColors, side: int, lit: bool) -> None:
    collar = [(46, 128), (57, 134), (78, 152), (100, 170), (88, 181), (72, 170), (60, 152), (50, 140)]
    lapel = [(72, 170), (88, 181), (104, 194), (92, 216), (70, 236), (50, 236), (66, 206), (74, 186)]
    tone = [(0.0, c.light if lit else c.base), (0.6, c.base if lit else c.dark), (1.0, c.dark)]
    for shape in (lapel, collar):
        path = polygon(straight(flip(shape, side)))
        canvas.drawPath(polygon(straight(flip([(x + 2.5, y + 4) for x, y in shape], side))), fill(c.deep, 0.6, 3.5))
        canvas.drawPath(path, shade(linear((side * 100, 140), (side * 50, 215), tone)))
        with clipped(canvas, path):
            canvas.drawPath(
                polygon(taper(flip([(52, 138), (66, 160), (74, 186), (60, 214)], side), 9, (1, 1))),
                fill(c.deep, 0.45, 4),
            )
    for points in ([(57, 134), (78, 152), (100, 170), (88, 181)], [(88, 181), (104, 194), (92, 216), (70, 236)]):
        canvas.drawPath(polygon(taper(flip(points, side), 1.3, (1, 1))), fill(c.edge, 0.55 if lit else 0.35, 0.4))
    canvas.drawPath(polygon(taper(flip([(60, 153), (73, 170), (88, 181)], side), 1.6, (1, 1))), fill(c.deep, 0.7, 0.5))
    glow(canvas, (side * 84, 168), 20, c.edge, 0.20 if lit else 0.08)


OUTFITS: Final[Mapping[str, Callable[[skia.Canvas, AvatarSpec], None]]] = {
    "blazer": blazer, "suit": suit, "shirt": shirt, "hoodie": hoodie, "dress": dress, "cardigan": cardigan,
}  # fmt: skip
