"""Paints the blurred studio behind the host, in picture pixels."""

import math

import skia

from models.avatar.geometry import taper
from models.avatar.paint import Rgba, blank, canvas_on, fill, glow, linear, polygon, radial, shade
from models.avatar.projection import PICTURE_PX


def backdrop() -> Rgba:
    """An opaque picture: a window on the left, a shelf on the right, lamp light behind the shoulders."""
    size = PICTURE_PX
    pixels = blank(size, size)
    canvas = canvas_on(pixels)
    everything = skia.Rect.MakeWH(size, size)
    canvas.drawRect(
        everything, shade(linear((0, 0), (size, size), [(0, "#f4eeea"), (0.45, "#e2dcdf"), (1, "#b4bccb")]))
    )
    _window(canvas)
    _shelf(canvas)
    for x, y, radius, alpha in ((70, 388, 30, 0.24), (28, 446, 22, 0.18), (118, 470, 17, 0.16), (420, 392, 21, 0.34),
                                (470, 438, 30, 0.22), (386, 470, 17, 0.22), (498, 350, 14, 0.2)):  # fmt: skip
        rings = radial((x, y), radius, [(0, "#fff3dc", alpha * 0.7), (0.86, "#fff3dc", alpha), (1, "#fff3dc", 0)])
        canvas.drawCircle(x, y, radius, shade(rings))
    glow(canvas, (428, 410), 190, "#ffd7a4", 0.55)
    canvas.drawRect(everything, shade(radial((256, 230), 250, [(0, "#fff8f0", 0.6), (1, "#fff8f0", 0)])))
    edge = radial((256, 250), 430, [(0, "#1a2333", 0), (0.62, "#1a2333", 0), (1, "#1a2333", 0.36)])
    canvas.drawRect(everything, shade(edge))
    return pixels


def _box(canvas: skia.Canvas, code: str, alpha: float, edges: tuple[float, float, float, float], blur: float) -> None:
    canvas.drawRoundRect(skia.Rect.MakeLTRB(*edges), 6, 6, fill(code, alpha, blur))


def _window(canvas: skia.Canvas) -> None:
    _box(canvas, "#b9b3b4", 0.5, (-60, -40, 122, 372), 9)
    _box(canvas, "#eff5f7", 1.0, (-50, -30, 114, 362), 6)
    for pane, code in (((-46, -30, 28, 168), "#dfeaf0"), ((38, -30, 108, 168), "#e6eef3"),
                       ((-46, 182, 28, 354), "#d6e7de"), ((38, 182, 108, 354), "#dceae4")):  # fmt: skip
        _box(canvas, code, 0.95, pane, 5)
    for x, y, radius, code in ((-6, 318, 34, "#9fc3a4"), (30, 342, 28, "#8db596"), (64, 322, 32, "#a9caa8"),
                               (98, 346, 26, "#93ba9a"), (80, 282, 22, "#b9d3b4")):  # fmt: skip
        canvas.drawCircle(x, y, radius, fill(code, 0.55, 9))
    _box(canvas, "#fffdf6", 0.5, (-40, -30, 108, 190), 22)
    _box(canvas, "#faf7f4", 1.0, (29, -30, 37, 362), 2.2)
    _box(canvas, "#faf7f4", 1.0, (-50, 171, 114, 179), 2.2)
    for i in range(6):
        _box(canvas, "#ffffff", 0.30, (112 + i * 7, -40, 117 + i * 7, 460), 3)


def _shelf(canvas: skia.Canvas) -> None:
    for y in (196, 330):
        _box(canvas, "#8e7f7c", 0.5, (392, y, 560, y + 9), 6)
    for x, width, height, code in ((404, 14, 60, "#c9705a"), (421, 11, 50, "#e2b878"), (436, 15, 66, "#4f7d88"),
                                   (456, 12, 54, "#e8dccb"), (492, 17, 64, "#596a86")):  # fmt: skip
        _box(canvas, code, 0.75, (x, 194 - height, x + width, 194), 5)
    for x, width, height, code in ((406, 44, 40, "#e9dccd"), (458, 13, 56, "#6f8f86"), (474, 15, 66, "#c98866"),
                                   (494, 14, 52, "#d8c9b4")):  # fmt: skip
        _box(canvas, code, 0.7, (x, 328 - height, x + width, 328), 6)
    for i in range(11):
        angle, reach = -2.75 + i * 0.235, 46 + 16 * math.sin(i * 5.1)
        tip = (484 + reach * math.cos(angle), 112 + 1.05 * reach * math.sin(angle))
        leaf = [(484, 118), ((484 + tip[0]) / 2 + 5 * math.sin(i), (112 + tip[1]) / 2 - 6), tip]
        canvas.drawPath(polygon(taper(leaf, 12)), fill("#5d8a6a" if i % 2 else "#7ba37c", 0.6, 4.0))
    _box(canvas, "#c98d73", 0.7, (472, 112, 498, 136), 4.5)
