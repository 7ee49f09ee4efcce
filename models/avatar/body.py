"""Paints neck and ears, and dresses the body as it shows in a close portrait."""

from typing import Final

import numpy as np
import skia

from models.avatar.geometry import mirrored, ribbon, spline, taper
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.outfits import OUTFITS
from models.avatar.paint import MULTIPLY, blank, canvas_on, clipped, fill, linear, mix, polygon, radial, shade
from models.avatar.spec import Accessories, AvatarSpec, SkinColors
from models.avatar.tailoring import Shape

BOX: Final = (-214.0, 26.0, 214.0, 222.0)


def body_sprite(spec: AvatarSpec) -> Sprite:
    """Everything below the chin that the hair does not cover."""
    x0, y0, x1, y1 = BOX
    pixels = blank(round((x1 - x0) * TEXTURE_DENSITY), round((y1 - y0) * TEXTURE_DENSITY))
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-x0, -y0)
    _neck(canvas, spec.skin, spec.shape.neck_width)
    OUTFITS[spec.outfit](canvas, spec)
    return Sprite(pixels, x0, y0)


NECK: Final = (
    (0.0, 28.0),
    (40.0, 28.0),
    (47.0, 60.0),
    (45.0, 92.0),
    (43.0, 112.0),
    (47.0, 130.0),
    (66.0, 146.0),
    (112.0, 160.0),
    (150.0, 176.0),
    (160.0, 230.0),
    (0.0, 232.0),
)


def _neck(canvas: skia.Canvas, c: SkinColors, width: float) -> None:
    shape = polygon(spline(mirrored(NECK) * [width, 1.0], 160, closed=True))
    tone = linear((-60, 110), (70, 170), [(0, c.light), (0.45, c.mid), (1, mix(c.mid, c.shadow, 0.6))])
    canvas.drawPath(shape, shade(tone))
    with clipped(canvas, shape):

        def soft(shape: Shape, code: str, alpha: float, blur: float) -> None:
            canvas.drawPath(polygon(spline(shape, 60, closed=True)), fill(code, alpha, blur, MULTIPLY))

        soft([(-90, 40), (-56, 92), (-26, 122), (10, 134), (48, 120), (72, 86), (90, 40)], "#e4b29c", 0.75, 9)
        soft([(-84, 40), (-54, 84), (-24, 112), (6, 121), (42, 108), (66, 78), (84, 40)], "#d49d8a", 0.66, 5)
        soft([(24, 100), (34, 128), (58, 146), (130, 180), (140, 120), (70, 80)], "#e6b8a4", 0.8, 8)
        for points, width, code, alpha, blur in (
            ([(36, 116), (24, 142), (8, 166)], 6.0, c.deep, 0.34, 3.0),
            ([(-36, 118), (-24, 144), (-8, 166)], 5.0, c.deep, 0.26, 3.0),
            ([(-31, 120), (-18, 146), (-3, 164)], 5.5, c.high, 0.30, 3.2),
            ([(12, 172), (46, 165), (96, 168)], 6.0, c.deep, 0.38, 2.8),
            ([(-12, 172), (-46, 165), (-96, 168)], 6.0, c.deep, 0.32, 2.8),
            ([(-13, 166.5), (-46, 159.5), (-92, 162)], 4.6, c.high, 0.55, 2.2),
            ([(15, 167), (46, 160), (86, 162)], 4.2, c.high, 0.30, 2.2),
        ):
            canvas.drawPath(polygon(taper(points, width)), fill(code, alpha, blur))
        canvas.drawOval(skia.Rect.MakeLTRB(-8, 160, 8, 176), fill(c.deep, 0.35, 4))


def ear_sprite(c: SkinColors, wears: Accessories, bare_side: bool) -> Sprite:
    """The ear on the picture's right with what it wears; the other is its mirror image. `bare_side` adds the skin
    between ear and cheek, which short hair leaves free."""
    box = (46.0, -64.0, 108.0, 66.0)
    pixels = blank(round((box[2] - box[0]) * TEXTURE_DENSITY), round((box[3] - box[1]) * TEXTURE_DENSITY))
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-box[0], -box[1])
    if bare_side:
        _side_of_head(canvas, c)
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
    _earring(canvas, wears, c)
    return Sprite(pixels, box[0], box[1])


def _side_of_head(canvas: skia.Canvas, c: SkinColors) -> None:
    """Comes out from behind the face when this turns away."""
    side = polygon(spline([(46, -60), (74, -56), (83, -34), (84, -6), (80, 22), (68, 42), (46, 56)], 60, closed=True))
    tones = [(0.0, c.mid), (0.6, mix(c.mid, c.shadow, 0.5)), (1.0, c.shadow)]
    canvas.drawPath(side, shade(linear((48, 0), (84, 20), tones)))


def _earring(canvas: skia.Canvas, wears: Accessories, c: SkinColors) -> None:
    tone = wears.earring_color
    light, dark = mix(tone, "#ffffff", 0.8), mix(tone, "#3a2418", 0.45)
    if wears.earrings in ("pearl", "stud"):
        size = 1.0 if wears.earrings == "pearl" else 0.66
        canvas.drawCircle(84.4, 31.4 + 2 * size, 4.4 * size, fill(c.line, 0.5, 1.4))
        lit = radial((82.6, 28.6 + 2 * size), 6.0 * size, [(0, light), (0.45, tone), (1, dark)])
        canvas.drawCircle(84, 30.4 + 2 * size, 4.2 * size, shade(lit))
    elif wears.earrings == "hoop":
        ring = spline([(84, 28), (91, 36), (90, 48), (84, 53), (78, 48), (77, 36)], 60, closed=True)
        for shift, width, paint in (
            (0.9, 3.4, fill(c.line, 0.35, 1.2)),
            (0.0, 2.9, fill(dark)),
            (-0.5, 1.7, fill(tone)),
            (-0.9, 0.7, fill(light, 0.9)),
        ):
            outline = ribbon(np.vstack([ring, ring[:1]]) + [shift * 0.5, shift], width)
            canvas.drawPath(polygon(outline), paint)
