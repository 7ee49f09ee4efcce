"""What belongs to a head besides its skin: eyeballs, teeth, tongue, the mouth's inside, ears, neck, hair, glasses."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.teeth import MM_PER_UNIT
from models.diffusion.head3d.raster import Ints
from models.diffusion.head3d.surface import EYEBALL_RADIUS
from models.diffusion.head3d.template import Floats

ATLAS_PX: Final = 1024
PX_PER_UNIT: Final = 200.0
MAP_CORNER: Final = (-1.75, -2.05)
"""The map's point at the atlas's upper left."""
EYE_AT, EYE_PX = (712, 4), 150
TEETH_AT, TEETH_SIZE = (712, 170), (300, 60)
TEETH_LOW_AT: Final = (712, 240)
TEETH_COLUMNS: Final = 81
TONGUE_COLUMNS: Final = 13
TONGUE_AT, TONGUE_PX = (712, 310), 96
CAVITY_AT: Final = (830, 330)
HAIR_AT, HAIR_SIZE = (712, 420), (300, 300)
CLOTH_AT, CLOTH_PX = (712, 740), 120
FRAME_AT: Final = (860, 760)
"""Where each piece lies in the atlas, in its pixels."""


_TEETH_MM: Final = {True: (8.6, 6.7, 7.6, 6.8, 6.5, 9.0, 9.0), False: (5.4, 6.0, 6.9, 7.0, 7.0, 10.0, 10.0)}
"""Widths from the middle outwards, of an adult and as the portrait paints them: gaps lie where the base has them."""
ARCH: Final = {True: (0.45, 0.57), False: (0.40, 0.50)}
"""Half width and depth of the ellipse that a row stands on, in face units."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One part's mesh at rest."""

    name: str
    vertices: Floats
    """(V, 3)."""
    triangles: Ints
    uv: Floats
    """(V, 2) atlas pixels."""


def map_uv(flat: Floats) -> Floats:
    """Atlas pixels of map points (N, 2)."""
    uv = (flat - MAP_CORNER) * PX_PER_UNIT
    return np.asarray(np.clip(uv, 2, (698, 900)))


def grid_triangles(rows: int, columns: int, wrap: bool = False) -> Ints:
    """Triangles of a (rows, columns) grid, clockwise for x right and y down; `wrap` joins its sides."""
    ids = np.arange(rows * columns).reshape(rows, columns)
    if wrap:
        ids = np.concatenate([ids, ids[:, :1]], 1)
    a, b, c, d = ids[:-1, :-1], ids[:-1, 1:], ids[1:, 1:], ids[1:, :-1]
    both = (np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3))
    return np.asarray(np.concatenate(both), np.int32)


def _uv_grid(rows: int, columns: int, at: tuple[int, int], size: tuple[int, int]) -> Floats:
    v, u = np.meshgrid(np.linspace(1, size[1] - 2, rows), np.linspace(1, size[0] - 2, columns), indexing="ij")
    return np.asarray(np.stack([u + at[0], v + at[1]], -1).reshape(-1, 2), np.float64)


def eyeball() -> Piece:
    """The front of an eyeball at the origin, looking at the viewer; its texture is a flat view of it."""
    n = 19
    a = np.linspace(-1, 1, n)
    x, y = np.meshgrid(a, a)
    r = np.maximum(np.hypot(x, y), 1e-9)
    square = np.maximum(np.abs(x), np.abs(y))
    # a square grid pulled onto a disc, denser in the middle
    k = square / r * np.where(r > 0, square**0.15, 1)
    x, y = x * k, y * k
    radius = EYEBALL_RADIUS
    angle = np.hypot(x, y) * np.pi * 0.48
    direction = np.stack([x, y], -1) / np.maximum(np.hypot(x, y), 1e-9)[..., None]
    front = np.dstack([direction * np.sin(angle)[..., None] * radius, -np.cos(angle) * radius])
    vertices = front.reshape(-1, 3)
    uv = vertices[:, :2] / radius * (EYE_PX / 2 - 2) + EYE_PX / 2 + EYE_AT
    return Piece("eyeball", vertices, grid_triangles(n, n), uv)


def teeth(upper: bool, gap: float) -> Piece:
    """One row of teeth on its arch, biting edge at y = 0 and the gum side away from it; front teeth at z = 0."""
    columns, rows = TEETH_COLUMNS, 12
    s = np.linspace(-1, 1, columns)
    half, deep = ARCH[upper]
    turn, length = _along_arch(upper)
    phi = np.sign(s) * np.interp(np.abs(s) * length[-1], length, turn)
    x, z = half * np.sin(phi), deep * (1 - np.cos(phi))
    height = 0.19 if upper else 0.15
    widths = tooth_edges(upper)
    place = np.abs(s)
    index = np.clip(np.searchsorted(widths, place, side="right") - 1, 0, len(widths) - 2)
    within = (place - widths[index]) / (widths[index + 1] - widths[index])
    bulge = -0.020 * np.clip(1 - (2 * within - 1) ** 4, 0, 1)
    longer = np.array(
        [1.0, 0.90, 1.0, 0.86, 0.82, 0.75, 0.75, 0.7] if upper else [0.92, 0.96, 1.02, 0.92, 0.85, 0.8, 0.8, 0.7]
    )
    corner = 0.022 * gap * np.abs(2 * within - 1) ** 5
    pointed = np.where((index == 2) & upper, 0.018 * np.abs(2 * within - 1), 0)
    edge = (longer[index] - 1) * 0.09 - corner - pointed
    f = np.linspace(0, 1, rows)[:, None]
    away = edge[None] - f * (height + edge[None])
    curve = 0.035 * f**2 - 0.004
    y = away if upper else -away
    vertices = np.dstack([np.broadcast_to(x, y.shape), y, z[None] + bulge[None] * (1 - 0.5 * f) + curve])
    order = slice(None, None, -1) if upper else slice(None)
    vertices = vertices[order]
    uv = _uv_grid(rows, columns, TEETH_AT if upper else TEETH_LOW_AT, TEETH_SIZE).reshape(rows, columns, 2)
    return Piece(
        "upper_teeth" if upper else "lower_teeth",
        vertices.reshape(-1, 3),
        grid_triangles(rows, columns),
        uv.reshape(-1, 2),
    )


def tooth_edges(upper: bool) -> Floats:
    """Where teeth meet along half an arch 0..1, from the middle."""
    edges = np.concatenate([[0.0], np.cumsum(_TEETH_MM[upper])]) / MM_PER_UNIT / _along_arch(upper)[1][-1]
    return np.append(edges[edges < 0.97], 1.0)


def _along_arch(upper: bool) -> tuple[Floats, Floats]:
    """Angles of a quarter of an arch, and the length of the arch up to each in face units."""
    half, deep = ARCH[upper]
    turn = np.linspace(0, np.pi / 2, 400)
    steps = np.hypot(half * np.cos(turn), deep * np.sin(turn)) * (turn[1] - turn[0])
    return turn, np.concatenate([[0.0], np.cumsum(steps)[:-1]])


def tongue() -> Piece:
    """A tongue lying flat, tip at the origin pointing at the viewer."""
    rows, columns = 12, TONGUE_COLUMNS
    f = np.linspace(0, 1, rows)[:, None]
    s = np.linspace(-1, 1, columns)[None]
    half = 0.25 * np.sqrt(np.clip(1 - (1 - f) ** 2.4, 0.0, 1)) + 0.002
    top = np.clip(1 - s**2, 0, 1) ** 0.6
    thick = 0.055 * np.sqrt(np.clip(1 - (1 - f) ** 2, 0, 1))
    groove = 0.018 * np.exp(-((s / 0.12) ** 2)) * np.clip(f * 3, 0, 1)
    x = half * s + 0 * f
    y = -thick * top + groove - 0.05 * f
    z = 0.75 * f + 0 * s
    # the underside, from the tip down to the floor: seen where the tip is raised
    side, drop, back = (
        np.array(column)[:, None] for column in ((0.09, 0.17, 0.22), (0.012, 0.035, 0.06), (0.01, 0.07, 0.15))
    )
    under = np.dstack([side * s, drop + 0 * s, back + 0 * s])
    vertices = np.concatenate([np.dstack([x, y, z])[::-1], under])
    uv = _uv_grid(rows + 3, columns, TONGUE_AT, (TONGUE_PX, TONGUE_PX))
    return Piece("tongue", vertices.reshape(-1, 3), grid_triangles(rows + 3, columns), uv)


def cavity() -> Piece:
    """A dark bowl behind the teeth, its opening at z = 0 as wide as the mouth can open."""
    rows, columns = 7, 13
    f, s = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    depth = np.clip(1 - np.maximum(np.abs(f), np.abs(s)) ** 4, 0, 1)
    vertices = np.dstack([0.62 * s, 0.62 * f, 0.10 + 0.30 * depth]).reshape(-1, 3)
    uv = np.broadcast_to(np.array(CAVITY_AT, float) + 8, (rows * columns, 2)).copy()
    return Piece("cavity", vertices, grid_triangles(rows, columns), uv)


def body(neck: float) -> Piece:
    """Neck, shoulders and shirt as one tube around a vertical axis."""
    table = np.array(
        [
            # y, half width, half depth, axis z
            (0.90, 0.66, 0.66, 1.55),
            (1.35, 0.74, 0.70, 1.50),
            (1.80, 0.76, 0.70, 1.46),
            (2.15, 0.82, 0.72, 1.46),
            (2.35, 0.98, 0.76, 1.48),
            (2.48, 1.30, 0.80, 1.5),
            (2.62, 1.75, 0.86, 1.52),
            (2.80, 2.15, 0.95, 1.54),
            (3.05, 2.42, 1.05, 1.55),
            (3.5, 2.55, 1.15, 1.55),
            (4.6, 2.6, 1.25, 1.55),
        ]
    )
    ys = np.linspace(0.9, 4.6, 38)
    half, depth, axis = (np.interp(ys, table[:, 0], table[:, k])[:, None] for k in (1, 2, 3))
    half = half * np.where(ys < 2.4, 1 + 0.07 * neck, 1)[:, None]
    turn = np.linspace(-np.pi * 0.75, np.pi * 0.75, 41)[None]
    x, z = half * np.sin(turn), axis - depth * np.cos(turn)
    y = np.broadcast_to(ys[:, None], x.shape)
    v = np.clip((ys - 0.9) / 3.7, 0, 1)
    uv = np.stack(
        np.broadcast_arrays(
            np.linspace(2, CLOTH_PX - 2, 41)[None] + CLOTH_AT[0], (v * (CLOTH_PX - 4) + 2)[:, None] + CLOTH_AT[1]
        ),
        -1,
    )
    return Piece("body", np.dstack([x, y, z]).reshape(-1, 3), grid_triangles(38, 41), uv.reshape(-1, 2))


def ear(side: int, size: float, out: float) -> Piece:
    """An ear: a dish with a rim, standing off the head."""
    rows, columns = 9, 24
    r = np.linspace(0, 1, rows)[:, None]
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    grow = 1 + 0.08 * size
    along = np.sin(a) * (0.43 - 0.05 * np.sin(a)) * grow  # up and down
    back = np.cos(a) * (0.27 - 0.07 * np.sin(a)) * grow
    y, z0 = 0.30 + r * along, 1.32 + r * back
    rim = 0.075 * np.exp(-(((r - 0.86) / 0.12) ** 2)) + 0.05 * np.exp(-(((r - 0.5) / 0.13) ** 2)) * (
        np.cos(a - 0.6) > 0.0
    )
    stand = (0.22 + 0.06 * out) * np.clip((z0 - 1.08) / 0.5, 0, 1)
    x = 1.05 + stand + rim - 0.10 * r**8
    vertices = np.dstack([side * x, y, z0]).reshape(-1, 3)
    triangles = grid_triangles(rows, columns, wrap=True)
    uv = np.full((rows * columns, 2), 0.0) + map_uv(np.array([[1.25 * side, 0.35]]))
    uv += np.stack(np.broadcast_arrays(r * np.cos(a) * 20, r * np.sin(a) * 40), -1).reshape(-1, 2)
    return Piece("ear", vertices, triangles if side < 0 else triangles[:, ::-1].copy(), np.clip(uv, 2, 900))


def curtain(length: float) -> Piece:
    """Long hair: a sheet around the back and the sides of the head."""
    rows, columns = 16, 30
    ys = np.linspace(-1.4, -1.2 + 4.4 * length, rows)[:, None]
    turn = np.linspace(np.pi * 0.32, np.pi * 1.68, columns)[None]
    radius = np.interp(ys, [-1.4, -0.6, 0.3, 1.2, 2.2, 3.2], [0.80, 1.20, 1.32, 1.30, 1.42, 1.30])
    x = radius * np.sin(turn) * (1 + 0.03 * np.sin(turn * 9))
    z = 1.45 - radius * 1.1 * np.cos(turn)
    z = np.where(z < 1.0, 1.0 + 0.4 * (z - 1.0), z)
    y = np.broadcast_to(ys, x.shape)
    both = grid_triangles(rows, columns)
    return Piece(
        "curtain",
        np.dstack([x, y, z]).reshape(-1, 3),
        np.concatenate([both, both[:, ::-1]]),
        _uv_grid(rows, columns, HAIR_AT, HAIR_SIZE),
    )


def glasses(broad: bool) -> Piece:
    """Rims, bridge and temples as thin tubes."""
    tubes = []
    a = np.linspace(0, 2 * np.pi, 33)
    power = 0.55 if broad else 0.9
    rx, ry = (0.40, 0.29) if broad else (0.36, 0.32)
    for side in (-1, 1):
        cx = np.sign(np.cos(a)) * np.abs(np.cos(a)) ** power * rx
        cy = np.sign(np.sin(a)) * np.abs(np.sin(a)) ** power * ry
        x = side * 0.52 + cx
        tubes.append(np.stack([x, 0.10 + cy, -0.20 + 0.22 * (np.abs(x) - 0.2).clip(0) ** 2], 1))
        start = side * (0.52 + rx)
        tubes.append(np.array([(start, 0.0, -0.04), (side * 1.10, -0.01, 0.25), (side * 1.18, 0.02, 1.2)]))
    tubes.append(np.array([(-0.17, 0.05, -0.20), (0.0, 0.02, -0.24), (0.17, 0.05, -0.20)]))
    radius = 0.024 if broad else 0.013
    vertices, triangles, count = [], [], 0
    for line in tubes:
        tube = _tube(line, radius)
        vertices.append(tube)
        triangles.append(grid_triangles(len(line), 6, wrap=True) + count)
        count += len(tube)
    both = np.concatenate(triangles)
    everything = np.concatenate(vertices)
    uv = np.full((len(everything), 2), 0.0) + np.array(FRAME_AT) + 8
    return Piece("glasses", everything, np.concatenate([both, both[:, ::-1]]).astype(np.int32), uv)


def _tube(line: Floats, radius: float) -> Floats:
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    first = np.cross(along, np.array([0.3, 0.1, 1.0]))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    a = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    ring = first[:, None] * np.cos(a)[None, :, None] + second[:, None] * np.sin(a)[None, :, None]
    return np.asarray((line[:, None] + radius * ring).reshape(-1, 3))


def hair_line(x: Floats, offset: float, fringe: float) -> Floats:
    """Map y at which hair begins, for distances x from the middle."""
    at = [0, 0.45, 0.75, 0.95, 1.12, 1.24, 1.34, 1.5, 3.4]
    line = np.interp(x, at, [-1.00, -0.97, -0.82, -0.52, -0.25, 0.20, -0.12, 0.10, 1.25])
    return np.asarray(line + offset * np.clip(1.2 - x, 0, 1) + fringe * 0.50 * np.clip(1.0 - x, 0, 1) ** 0.5)


def lip_lining(seam: Floats, way: int) -> tuple[Floats, NDArray[np.int64]]:
    """Rings behind an inner lip contour (N, 3): offsets (2 N, 3) from it, and which contour point each belongs to."""
    n = len(seam)
    t = np.linspace(-1, 1, n)
    body = np.clip(1 - t**2, 0, 1) ** 0.5
    first = np.stack([0 * t, -way * 0.0 * body, 0.05 + 0 * t], 1)
    second = np.stack([0 * t, way * 0.10 * body, 0.17 + 0 * t], 1)
    return np.concatenate([first, second]), np.tile(np.arange(n), 2)
