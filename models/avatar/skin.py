"""Paints the face's skin: light on the surface, then the accents an illustrator would set."""

from typing import Final

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar import face_shape
from models.avatar.beard import paint_beard
from models.avatar.geometry import bump, ribbon, smoothstep, spline, taper
from models.avatar.glasses import RIM_UNITS, rim
from models.avatar.mesh import Sprite
from models.avatar.paint import MULTIPLY, Rgba, blank, canvas_on, fill, glow, linear, mix, polygon, rgb, shade
from models.avatar.spec import AvatarSpec, SkinColors

BOX: Final = (-96.0, -132.0, 96.0, 122.0)
SKIN_DENSITY: Final = 2.0
"""Texture pixels per head unit."""
LIGHT: Final = (-0.42, -0.52, 0.74)


def ramp(value: NDArray[np.float64], stops: tuple[tuple[float, str], ...]) -> NDArray[np.float64]:
    """Colour by brightness, (H, W) -> (H, W, 3)."""
    at = [s[0] for s in stops]
    colors = np.array([rgb(s[1]) for s in stops], np.float64)
    return np.stack([np.interp(value, at, colors[:, i]) for i in range(3)], -1)


def relief(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The surface that is lit: softer than the real depth where light should stay even."""
    side = np.abs(x)
    skull = 62 * np.sqrt(np.clip(1 - (x / 104) ** 2, 0.03, 1)) * np.sqrt(np.clip(1 - ((y + 12) / 168) ** 2, 0.03, 1))
    nose = 12.5 * np.exp(-((x / 9.5) ** 2)) * smoothstep(y, -34, 24) * (1 - smoothstep(y, 30, 43))
    ball = 4.2 * bump(x, y, (0, 27), (8, 8)) + 2.4 * bump(side, y, (10, 33), (4.2, 5.5))
    eyes = -7.5 * bump(side, y, (37, -5), (21, 13)) + 3.0 * bump(side, y, (36, -33), (26, 9))
    cheeks = 4.5 * bump(side, y, (46, 22), (20, 17)) - 2.0 * bump(side, y, (52, 58), (14, 20))
    mouth = (
        5.0 * bump(x, y, (0, 66), (24, 15))
        - 3.2 * bump(x, y, (0, 83.5), (15, 5.0))
        + 5.5 * bump(x, y, (0, 95), (15, 9))
    )
    corners = -1.6 * bump(side, y, (33, 67), (6, 7))
    philtrum = -0.9 * bump(x, y, (0, 53), (3.2, 6)) + 0.5 * bump(side, y, (5.0, 53), (2.4, 6))
    return np.asarray(skull + nose + ball + eyes + cheeks + mouth + corners + philtrum)


def lit_skin(colors: SkinColors, density: float = SKIN_DENSITY) -> NDArray[np.float64]:
    """Colour of the skin all over the texture, (H, W, 3)."""
    x0, y0, x1, y1 = BOX
    x, y = np.meshgrid(
        x0 + (np.arange(round((x1 - x0) * density)) + 0.5) / density,
        y0 + (np.arange(round((y1 - y0) * density)) + 0.5) / density,
    )
    height = relief(x, y)
    gy, gx = np.gradient(height, 1.0 / density)
    normal = np.stack([-gx * 0.75, -gy * 0.62, np.ones_like(gx)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.array(LIGHT) / np.linalg.norm(LIGHT)
    value = normal @ light
    fill_light = normal @ (np.array([0.75, 0.1, 0.55]) / 0.936)
    value = 0.78 * value + 0.22 * np.clip(fill_light, 0, 1)
    hollow = np.clip((cv2.GaussianBlur(height, (0, 0), 9 * density) - height) / 20, 0, 1)
    value = cv2.GaussianBlur(value - 0.35 * hollow, (0, 0), 1.6 * density)
    stops = ((0.05, colors.deep), (0.34, colors.shadow), (0.60, colors.mid), (0.78, colors.light), (0.93, colors.high))
    return ramp(value, stops)


def face_sprite(spec: AvatarSpec, hair_alpha: NDArray[np.uint8] | None = None) -> Sprite:
    """The skin of the face; `hair_alpha`, opacity of the front hair over the same box, casts the hairline's shadow."""
    x0, y0, x1, y1 = BOX
    width, height = round((x1 - x0) * SKIN_DENSITY), round((y1 - y0) * SKIN_DENSITY)
    pixels = blank(width, height)
    pixels[..., :3] = np.clip(lit_skin(spec.skin), 0, 255).round()
    pixels[..., 3] = 255
    canvas = canvas_on(pixels)
    canvas.scale(SKIN_DENSITY, SKIN_DENSITY)
    canvas.translate(-x0, -y0)
    _accents(canvas, spec.skin)
    _age(canvas, spec.skin, spec.shape.age)
    paint_beard(canvas, spec, BOX, SKIN_DENSITY)
    if spec.wears.glasses != "none":
        _rim_shadow(canvas, spec)
    if hair_alpha is not None:
        _cast_shadow(pixels, hair_alpha, spec.skin)
    mask = blank(width, height)
    mask_canvas = canvas_on(mask)
    mask_canvas.scale(SKIN_DENSITY, SKIN_DENSITY)
    mask_canvas.translate(-x0, -y0)
    mask_canvas.drawPath(polygon(face_shape.outline(200)), fill("#ffffff"))
    cover = mask[..., 3:].astype(np.float64) / 255
    return Sprite((pixels * cover).round().astype(np.uint8), x0, y0, SKIN_DENSITY)


def _cast_shadow(pixels: Rgba, hair_alpha: NDArray[np.uint8], colors: SkinColors) -> None:
    hair_alpha = cv2.resize(hair_alpha, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    shifted = np.roll(hair_alpha, (int(6 * SKIN_DENSITY), int(2.5 * SKIN_DENSITY)), (0, 1)).astype(np.float64) / 255
    soft = cv2.GaussianBlur(shifted, (0, 0), 3.0 * SKIN_DENSITY)[..., None] * 0.55
    tint = np.array(rgb(colors.shadow)) / 255 * np.array([0.93, 0.86, 0.88])
    pixels[..., :3] = (pixels[..., :3] * (1 - soft) + pixels[..., :3] * tint * soft).round()


_Shape = tuple[tuple[float, float], ...]

_PLANES: Final[tuple[tuple[_Shape, str, float, float], ...]] = (
    (((62, -90), (73, -40), (67, 8), (60, 48), (40, 90), (16, 114), (90, 122), (110, 20), (100, -100)),
     "#e6bba5", 0.40, 11),
    (((-66, -80), (-76, -10), (-73, 30), (-60, 66), (-36, 102), (-100, 110), (-110, 0)), "#ecc6b2", 0.45, 9),
    (((-44, 108), (0, 116), (44, 108), (34, 132), (-34, 132)), "#d09a84", 0.5, 6),
    (((-10, 37), (0, 41), (10, 37), (12, 42), (4, 48), (-5, 48), (-12, 42)), "#dca591", 0.55, 2.8),
    (((-8, 36), (0, 39.5), (8, 36), (6, 40.5), (0, 42.5), (-6, 40.5)), "#c4806a", 0.40, 1.6),
    (((8, -16), (7, 0), (7.5, 18), (10, 27), (13, 34), (10, 38), (6.5, 28), (5, 8), (4.5, -18)), "#e3b09a", 0.45, 3.2),
)  # fmt: skip
"""Soft multiplied shapes: outline, colour, opacity, blur."""

_PAIRED: Final[tuple[tuple[_Shape, str, float, float], ...]] = (
    (((15, -21), (32, -28), (58, -27), (69, -13), (62, -7), (38, -17), (20, -10)), "#e2ab95", 0.45, 4.2),
    (((8, -24), (13, -18), (13.5, -8), (11, 2), (7, -8)), "#e4b5a1", 0.32, 3.6),
    (((18, 10), (36, 15), (57, 9), (50, 15), (36, 18), (22, 15)), "#e8b8a6", 0.30, 3.0),
)  # fmt: skip
"""The same, on both sides of the face."""

_LIGHTS: Final = (
    (-14.0, -72.0, 56.0, 0.42), (-47.0, 13.0, 24.0, 0.48), (44.0, 12.0, 20.0, 0.32), (-3.0, 96.0, 15.0, 0.42),
    (-30.0, -27.0, 14.0, 0.30), (34.0, -27.0, 12.0, 0.22),
)  # fmt: skip
"""Highlights: centre, radius, opacity."""


def _accents(canvas: skia.Canvas, c: SkinColors) -> None:
    for shape, code, alpha, blur in _PLANES:
        canvas.drawPath(polygon(spline(shape, 60, closed=True)), fill(code, alpha, blur, MULTIPLY))
    for side, blush in ((-1, 0.38), (1, 0.34)):
        glow(canvas, (side * 50, 28), 30, c.blush, blush)
        glow(canvas, (side * 46, 25), 15, c.blush, 0.10)
        for shape, code, alpha, blur in _PAIRED:
            outline = [(x * side, y) for x, y in shape]
            canvas.drawPath(polygon(spline(outline, 60, closed=True)), fill(code, alpha, blur, MULTIPLY))
    for x, y, radius, alpha in _LIGHTS:
        glow(canvas, (x, y), radius, c.high, alpha)
    _nose(canvas, c)


def _nose(canvas: skia.Canvas, c: SkinColors) -> None:
    ridge = taper([(-2, -22), (-2.4, 0), (-2.2, 20)], 5.0)
    canvas.drawPath(polygon(ridge), fill(mix(c.high, "#ffffff", 0.4), 0.50, 2.4))
    glow(canvas, (-2.2, 25), 7, mix(c.high, "#ffffff", 0.5), 0.8)
    for side in (-1, 1):
        wing = [(10.8 * side, 28.5), (13.0 * side, 32.5), (12.7 * side, 36.5), (10.0 * side, 39)]
        canvas.drawPath(polygon(taper(wing, 1.6, (0.1, 1.0, 0.5))), fill(c.deep, 0.42, 0.8))
        hole = [(3.2 * side, 39.4), (5.4 * side, 37.8), (7.8 * side, 38.3), (8.2 * side, 39.7), (5.2 * side, 40.1)]
        canvas.drawPath(polygon(spline(hole, 30, closed=True)), fill(mix(c.line, "#1a0808", 0.2), 0.75, 0.6))
        glow(canvas, (10.2 * side, 31.5), 3.8, c.high, 0.38)
        ridge = taper([(4.4 * side, 46), (5.0 * side, 51), (5.6 * side, 56)], 2.0)
        canvas.drawPath(polygon(ridge), fill(c.high, 0.40 if side < 0 else 0.26, 1.0))
    groove = linear((0, 44), (0, 56), [(0, c.shadow, 0.0), (0.5, c.deep, 0.30), (1, c.deep, 0.06)])
    canvas.drawPath(
        polygon(spline([(-2.6, 45), (2.6, 45), (3.6, 54), (-3.6, 54)], 30, closed=True)), shade(groove, 1.0, 1.4)
    )


_LINES: Final[tuple[tuple[_Shape, float, float], ...]] = (
    (((15, 36), (23, 45), (31, 54), (37, 65), (38, 73)), 4.2, 0.46),
    (((20, 16), (31, 20.5), (44, 20), (56, 14)), 3.0, 0.40),
    (((24, 23), (36, 27), (50, 24)), 2.4, 0.24),
    (((64, -9), (72, -14), (78, -21)), 1.7, 0.34),
    (((65, -4), (74, -5), (80, -7)), 1.7, 0.34),
    (((64, 1), (72, 5), (77, 10)), 1.6, 0.28),
    (((0, -64), (22, -66), (46, -62)), 2.0, 0.30),
    (((0, -77), (20, -79), (40, -75)), 1.9, 0.26),
    (((6, -40), (5, -34), (6, -27)), 1.8, 0.26),
    (((36, 78), (39, 86), (37, 94)), 2.8, 0.26),
)
"""Lines that years leave, on both sides: points, width, opacity at age 1."""


def _age(canvas: skia.Canvas, c: SkinColors, age: float) -> None:
    for points, width, alpha in _LINES if age > 0 else ():
        for side in (-1, 1):
            line = [(x * side, y) for x, y in points]
            canvas.drawPath(polygon(taper(line, width * 1.6)), fill(c.deep, alpha * age, 1.4))
            lit = [(x, y + width * 0.9) for x, y in line]
            canvas.drawPath(polygon(taper(lit, width)), fill(c.high, 0.4 * alpha * age, 1.1))


def _rim_shadow(canvas: skia.Canvas, spec: AvatarSpec) -> None:
    """What the glasses' rims throw on the cheeks."""
    for side in (-1, 1):
        ring = rim(spec.wears.glasses, side) + [1.5, 4.5]
        outline = ribbon(np.vstack([ring, ring[:1]]), RIM_UNITS[spec.wears.glasses] * 1.3)
        canvas.drawPath(polygon(outline), fill(spec.skin.deep, 0.36, 1.8))
