"""Paints the blurred room behind the host, in picture pixels: five rooms from a few blocks of furniture."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import skia

from models.avatar.geometry import taper
from models.avatar.paint import Rgba, Stop, blank, canvas_on, fill, glow, linear, polygon, radial, rgb, shade
from models.avatar.projection import PICTURE_PX
from models.avatar.spec import Room

Edges = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Interior:
    """Colours of the wall from upper left to lower right, of the lamp light and of the corners' shade; furniture."""

    wall: tuple[str, str, str]
    lamp: str
    lamp_alpha: float
    halo: float
    shade: str
    furniture: tuple[Callable[[skia.Canvas], None], ...]


FOCUS_PX: Final = 9.0
"""Blur at the strongest defocus."""
LIGHT_GAIN: Final = 0.35
"""Share of brightness that the light of a room takes or gives."""


def backdrop(name: str, room: Room) -> Rgba:
    """An opaque picture of one of `ROOMS`, as one host has it."""
    return _as_lived_in(_painted(ROOMS[name]), room)


def _as_lived_in(pixels: Rgba, room: Room) -> Rgba:
    """The picture turned round, come nearer, out of focus, in the room's own light."""
    colors = np.ascontiguousarray(pixels[:, ::-1, :3] if room.mirrored else pixels[..., :3])
    if room.zoom > 1.0:
        # zooms towards the upper third, where the furniture is seen beside the head
        matrix = cv2.getRotationMatrix2D((PICTURE_PX / 2, PICTURE_PX / 3), 0.0, room.zoom)
        size = PICTURE_PX, PICTURE_PX
        colors = np.asarray(cv2.warpAffine(colors, matrix, size, flags=cv2.INTER_LINEAR), np.uint8)
    if room.focus > 0.0:
        colors = np.asarray(cv2.GaussianBlur(colors, (0, 0), FOCUS_PX * room.focus), np.uint8)
    tint = 1.0 + room.tint_strength * (np.array(rgb(room.tint)) / 255.0 - 1.0)
    lit = colors * tint * (1.0 + LIGHT_GAIN * room.light)
    out = pixels.copy()
    out[..., :3] = np.clip(lit, 0, 255).round()
    return out


def _painted(room: Interior) -> Rgba:
    """An opaque picture of a room as it is drawn."""
    size = PICTURE_PX
    pixels = blank(size, size)
    canvas = canvas_on(pixels)
    everything = skia.Rect.MakeWH(size, size)
    walls: list[Stop] = [(0, room.wall[0]), (0.45, room.wall[1]), (1, room.wall[2])]
    canvas.drawRect(everything, shade(linear((0, 0), (size, size), walls)))
    for piece in room.furniture:
        piece(canvas)
    _sparks(canvas, room)
    glow(canvas, (428, 410), 190, room.lamp, room.lamp_alpha)
    canvas.drawRect(everything, shade(radial((256, 230), 250, [(0, "#fff8f0", room.halo), (1, "#fff8f0", 0)])))
    edge = radial((256, 250), 430, [(0, room.shade, 0), (0.62, room.shade, 0), (1, room.shade, 0.36)])
    canvas.drawRect(everything, shade(edge))
    return pixels


def _sparks(canvas: skia.Canvas, room: Interior) -> None:
    for x, y, radius, alpha in ((70, 388, 30, 0.24), (28, 446, 22, 0.18), (118, 470, 17, 0.16), (420, 392, 21, 0.34),
                                (470, 438, 30, 0.22), (386, 470, 17, 0.22), (498, 350, 14, 0.2)):  # fmt: skip
        rings = radial((x, y), radius, [(0, room.lamp, alpha * 0.7), (0.86, room.lamp, alpha), (1, room.lamp, 0)])
        canvas.drawCircle(x, y, radius, shade(rings))


def _box(canvas: skia.Canvas, code: str, alpha: float, edges: Edges, blur: float) -> None:
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
    _plant(canvas, (484, 118))


def _plant(canvas: skia.Canvas, root: tuple[float, float]) -> None:
    x, y = root
    for i in range(11):
        angle, reach = -2.75 + i * 0.235, 46 + 16 * math.sin(i * 5.1)
        tip = (x + reach * math.cos(angle), y - 6 + 1.05 * reach * math.sin(angle))
        leaf = [(x, y), ((x + tip[0]) / 2 + 5 * math.sin(i), (y + tip[1]) / 2 - 6), tip]
        canvas.drawPath(polygon(taper(leaf, 12)), fill("#5d8a6a" if i % 2 else "#7ba37c", 0.6, 4.0))
    _box(canvas, "#c98d73", 0.7, (x - 12, y - 6, x + 14, y + 18), 4.5)


def _board(canvas: skia.Canvas) -> None:
    """A blackboard across the wall with traces of chalk, and a globe."""
    _box(canvas, "#7d5a3c", 0.95, (-40, 18, 560, 302), 5)
    board = linear((0, 30), (512, 290), [(0, "#4d7362"), (1, "#37574c")])
    canvas.drawRoundRect(skia.Rect.MakeLTRB(-26, 32, 546, 286), 4, 4, shade(board, 1.0, 4))
    for line in ([(22, 92), (60, 86), (104, 92)], [(22, 118), (58, 113), (92, 118)], [(26, 146), (62, 140), (112, 147)],
                 [(418, 150), (446, 92), (482, 150)], [(418, 150), (450, 153), (482, 150)],
                 [(420, 186), (452, 181), (492, 187)], [(424, 210), (446, 206), (478, 211)]):  # fmt: skip
        canvas.drawPath(polygon(taper(line, 5.0, (0.6, 1, 0.6))), fill("#eef4ee", 0.5, 2.2))
    _box(canvas, "#8f6b4b", 0.9, (-40, 296, 560, 308), 4)
    ball = radial((52, 336), 46, [(0, "#a9d4ee"), (0.7, "#5b93c2"), (1, "#3f6f9c")])
    canvas.drawCircle(60, 346, 34, shade(ball, 0.95, 4))
    for x, y, radius in ((50, 336, 11), (72, 352, 13), (60, 366, 8)):
        canvas.drawCircle(x, y, radius, fill("#86b070", 0.75, 4))
    _box(canvas, "#9a7044", 0.8, (52, 376, 68, 404), 5)


def _rack(canvas: skia.Canvas) -> None:
    """Shop shelves on both sides with boxes and bottles, lamps above them."""
    goods = ("#e58a7b", "#f2c46d", "#8fc0b4", "#f4ead9", "#c78fb0", "#89a9d6", "#e7a46a")
    for side, left in enumerate((-30, 396)):
        for row, y in enumerate((118, 222, 326, 430)):
            _box(canvas, "#b48a6a", 0.75, (left, y, left + 150, y + 9), 5)
            for i in range(6):
                code = goods[(i * 2 + row * 3 + side) % len(goods)]
                width, height = 15 + 5 * ((i + row) % 2), 44 + 22 * ((i * 5 + row * 3 + side) % 3) / 2
                x = left + 4 + i * 25
                _box(canvas, code, 0.78, (x, y - height, x + width, y), 4.5)
                _box(canvas, "#ffffff", 0.3, (x + 2, y - height + 5, x + 6, y - 6), 3)
        glow(canvas, (left + 75, 8), 90, "#fff0cf", 0.8)


def _bricks(canvas: skia.Canvas) -> None:
    """A brick wall, a monitor's glow and a guitar-shaped lamp."""
    for row in range(14):
        for column in range(9):
            x, y = column * 66 - (33 if row % 2 else 0) - 20, row * 38 - 10
            code = ("#a2705c", "#94614f", "#ad7c66", "#8b5a4a")[(row * 3 + column * 5) % 4]
            _box(canvas, code, 0.62, (x, y, x + 60, y + 32), 3.4)
    _box(canvas, "#2b2f3a", 0.95, (386, 86, 560, 226), 5)
    screen = linear((392, 92), (512, 220), [(0, "#6fb7d8"), (0.5, "#7d86d6"), (1, "#c77fc0")])
    canvas.drawRoundRect(skia.Rect.MakeLTRB(394, 94, 552, 218), 5, 5, shade(screen, 0.95, 4))
    _box(canvas, "#4a352c", 0.85, (-30, 236, 116, 246), 4)
    for x, height, code in ((8, 50, "#d8c6a4"), (30, 62, "#54707c"), (50, 44, "#c46a4c")):
        _box(canvas, code, 0.8, (x, 236 - height, x + 15, 236), 4.5)
    _plant(canvas, (92, 230))
    glow(canvas, (40, 70), 90, "#ffcf8a", 0.75)


def _skyline(canvas: skia.Canvas) -> None:
    """Tall windows on a city in the evening."""
    for i, (height, code) in enumerate(((150, "#33415f"), (214, "#2b3957"), (120, "#3a4868"), (250, "#2a3653"),
                                        (176, "#35436a"), (228, "#2c3a5c"), (140, "#384769"))):  # fmt: skip
        left = -24 + i * 80
        _box(canvas, code, 0.85, (left, 400 - height, left + 70, 440), 5)
        for k in range(14):
            x, y = left + 9 + 16 * (k % 4), 412 - height + 24 * (k // 4)
            if (k * 7 + i * 5) % 3:
                _box(canvas, "#ffd9a0", 0.5, (x, y, x + 7, y + 10), 2.6)
    for x in (-8, 166, 340, 500):
        _box(canvas, "#1d2436", 0.8, (x, -20, x + 11, 540), 2.6)
    _box(canvas, "#1d2436", 0.8, (-20, 392, 540, 404), 3)


ROOMS: Final[Mapping[str, Interior]] = {
    "studio": Interior(("#f4eeea", "#e2dcdf", "#b4bccb"), "#ffd7a4", 0.55, 0.6, "#1a2333", (_window, _shelf)),
    "classroom": Interior(("#f3ead9", "#e9dcc6", "#cdb798"), "#ffe2ae", 0.35, 0.22, "#2a2218", (_board,)),
    "shop": Interior(("#fdf1e6", "#f7e2d4", "#e2bfae"), "#ffd9b0", 0.5, 0.5, "#3a2020", (_rack,)),
    "loft": Interior(("#8d5e4e", "#7c5145", "#5c4440"), "#ffc07a", 0.4, 0.16, "#140c10", (_bricks,)),
    "evening": Interior(("#55648e", "#8d86a6", "#d39a8a"), "#ffb98a", 0.4, 0.2, "#0c1020", (_skyline,)),
}
