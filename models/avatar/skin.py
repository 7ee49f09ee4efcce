"""Paints the face's skin: light on the surface, then the accents an illustrator would set."""

from typing import Final

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar import face_shape
from models.avatar.geometry import Points, bump, smoothstep, spline, taper
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.paint import MULTIPLY, Rgba, blank, canvas_on, fill, glow, linear, polygon, rgb, shade
from models.avatar.spec import AvatarSpec, SkinColors

BOX: Final = (-96.0, -132.0, 96.0, 122.0)
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
    nose = 15 * np.exp(-((x / 9.5) ** 2)) * smoothstep(y, -34, 24) * (1 - smoothstep(y, 30, 43))
    ball = 4.5 * bump(x, y, (0, 27), (9, 8)) + 3.2 * bump(side, y, (11.5, 33), (5, 6))
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


def lit_skin(colors: SkinColors, density: float = TEXTURE_DENSITY) -> NDArray[np.float64]:
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
    width, height = round((x1 - x0) * TEXTURE_DENSITY), round((y1 - y0) * TEXTURE_DENSITY)
    pixels = blank(width, height)
    pixels[..., :3] = np.clip(lit_skin(spec.skin), 0, 255).round()
    pixels[..., 3] = 255
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-x0, -y0)
    _accents(canvas, spec.skin)
    if hair_alpha is not None:
        _cast_shadow(pixels, hair_alpha, spec.skin)
    mask = blank(width, height)
    mask_canvas = canvas_on(mask)
    mask_canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    mask_canvas.translate(-x0, -y0)
    mask_canvas.drawPath(polygon(face_shape.outline(200)), fill("#ffffff"))
    cover = mask[..., 3:].astype(np.float64) / 255
    return Sprite((pixels * cover).round().astype(np.uint8), x0, y0)


def _cast_shadow(pixels: Rgba, hair_alpha: NDArray[np.uint8], colors: SkinColors) -> None:
    shifted = (
        np.roll(hair_alpha, (int(6 * TEXTURE_DENSITY), int(2.5 * TEXTURE_DENSITY)), (0, 1)).astype(np.float64) / 255
    )
    soft = cv2.GaussianBlur(shifted, (0, 0), 3.0 * TEXTURE_DENSITY)[..., None] * 0.55
    tint = np.array(rgb(colors.shadow)) / 255 * np.array([0.93, 0.86, 0.88])
    pixels[..., :3] = (pixels[..., :3] * (1 - soft) + pixels[..., :3] * tint * soft).round()


def _accents(canvas: skia.Canvas, c: SkinColors) -> None:
    def blob(shape: list[tuple[float, float]], code: str, alpha: float, blur: float) -> None:
        canvas.drawPath(polygon(spline(shape, 60, closed=True)), fill(code, alpha, blur, MULTIPLY))

    def line(shape: list[tuple[float, float]], width: float, code: str, alpha: float, blur: float) -> None:
        canvas.drawPath(polygon(taper(shape, width)), fill(code, alpha, blur))

    def flip(shape: list[tuple[float, float]], side: int) -> list[tuple[float, float]]:
        return [(x * side, y) for x, y in shape]

    blob(
        [(62, -90), (73, -40), (67, 8), (60, 48), (40, 90), (16, 114), (90, 122), (110, 20), (100, -100)],
        "#dba386",
        0.55,
        11,
    )
    blob([(-66, -80), (-76, -10), (-73, 30), (-60, 66), (-36, 102), (-100, 110), (-110, 0)], "#e9bda6", 0.5, 9)
    blob([(-44, 108), (0, 116), (44, 108), (34, 132), (-34, 132)], "#c98a72", 0.6, 6)
    for side, alpha in ((-1, 0.40), (1, 0.36)):
        glow(canvas, (side * 50, 27), 30, c.blush, alpha)
        glow(canvas, (side * 46, 24), 15, c.blush, 0.10)
        blob(
            flip([(15, -20), (32, -27), (58, -26), (68, -13), (62, -7), (38, -16), (20, -9)], side),
            "#d79a80",
            0.55,
            4.0,
        )
        blob(flip([(8, -24), (13, -18), (13.5, -8), (11, 2), (7, -8)], side), "#d9a188", 0.5 if side > 0 else 0.3, 3.6)
        blob(flip([(18, 9), (36, 14), (57, 8), (50, 14), (36, 17), (22, 14)], side), "#e0a892", 0.35, 3.0)
    glow(canvas, (-14, -72), 56, c.high, 0.45)
    glow(canvas, (-47, 12), 24, c.high, 0.5)
    glow(canvas, (43, 11), 20, c.high, 0.32)
    glow(canvas, (-3, 96), 15, c.high, 0.45)
    _nose(canvas, c)


def _nose(canvas: skia.Canvas, c: SkinColors) -> None:
    def soft(shape: list[tuple[float, float]], code: str, alpha: float, blur: float) -> None:
        canvas.drawPath(polygon(spline(shape, 48, closed=True)), fill(code, alpha, blur, MULTIPLY))

    soft(
        [(8, -16), (7.5, 0), (8.5, 18), (12, 27), (15.5, 35), (11, 39), (7, 28), (5, 8), (4.5, -18)],
        "#d99f86",
        0.55,
        3.2,
    )
    soft([(-12, 37), (0, 42), (12, 37), (15, 43), (5, 50), (-6, 50), (-15, 43)], "#d29078", 0.65, 3.0)
    soft([(-9, 36), (0, 40), (9, 36), (7, 41), (0, 43.5), (-7, 41)], "#b9694f", 0.42, 1.6)
    canvas.drawPath(polygon(taper([(-2, -22), (-2.4, 0), (-2.2, 20)], 5.6)), fill("#fffaf2", 0.62, 2.4))
    glow(canvas, (-2.4, 24.5), 8, "#ffffff", 0.9)
    for side in (-1, 1):
        wing = [(12.6 * side, 27.5), (15.2 * side, 32), (14.8 * side, 37), (11.4 * side, 40)]
        canvas.drawPath(polygon(taper(wing, 1.7, (0.1, 1.0, 0.5))), fill("#b06a56", 0.55, 0.7))
        hole = [(3.4 * side, 39.8), (6.2 * side, 37.6), (9.2 * side, 38.6), (9.6 * side, 40.2), (6.0 * side, 40.6)]
        canvas.drawPath(polygon(spline(hole, 30, closed=True)), fill("#6a2f2a", 0.8, 0.5))
        glow(canvas, (11.4 * side, 31), 4.2, "#fff4ea", 0.42)
    canvas.drawPath(
        polygon(spline([(-3, 45), (3, 45), (4, 54), (-4, 54)], 30, closed=True)),
        shade(linear((0, 44), (0, 56), [(0, "#d9977f", 0.0), (0.5, "#cf8a72", 0.5), (1, "#cf8a72", 0.1)]), 1.0, 1.4),
    )
    for side in (-1, 1):
        ridge: Points = taper([(4.6 * side, 46), (5.2 * side, 51), (5.8 * side, 56)], 2.0)
        canvas.drawPath(polygon(ridge), fill("#fff2e6", 0.45 if side < 0 else 0.3, 1.0))
