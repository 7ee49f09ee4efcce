"""The mean head in depth, written as formulas over the template's map: skull, sockets, nose, lips, lids, chin.

Sections are half ellipses between a midline and the widest points; features are added to their depth. Figures follow
Farkas (1994): bizygomatic 134 mm, bigonial 100 mm, nose protrusion 20 mm, vermilion 9 and 10 mm."""

from typing import Final

import numpy as np

from models.diffusion.head3d.template import (
    EYE,
    EYE_HALF,
    LINE,
    Floats,
    Template,
    lower_height,
    lower_lid,
    upper_height,
    upper_lid,
)

EYEBALL_RADIUS: Final = 0.27
EYEBALL_Z: Final = 0.335
"""Depth of the eyeball's centre. Its radius covers the lids' whole span; the visible iris keeps its true size."""
LID_THICKNESS: Final = 0.018

_ROWS: Final = np.array(
    [
        # map y,  y,   midline z, half width, z of the widest, z of the back
        (-1.93, -1.80, 1.50, 0.02, 1.52, 1.55),
        (-1.80, -1.73, 0.80, 0.62, 1.50, 2.20),
        (-1.60, -1.56, 0.42, 0.86, 1.48, 2.60),
        (-1.35, -1.32, 0.17, 1.02, 1.42, 2.85),
        (-1.10, -1.10, 0.04, 1.10, 1.36, 3.00),
        (-0.80, -0.80, -0.05, 1.13, 1.28, 3.08),
        (-0.50, -0.50, -0.10, 1.13, 1.22, 3.10),
        (-0.30, -0.30, -0.09, 1.12, 1.20, 3.08),
        (0.00, 0.00, 0.00, 1.12, 1.18, 3.02),
        (0.30, 0.30, 0.00, 1.11, 1.16, 2.90),
        (0.60, 0.60, -0.06, 1.07, 1.12, 2.70),
        (0.85, 0.85, -0.10, 1.01, 1.08, 2.50),
        (1.10, 1.10, -0.10, 0.93, 1.02, 2.30),
        (1.30, 1.30, -0.06, 0.84, 0.90, 2.10),
        (1.50, 1.50, -0.03, 0.70, 0.72, 1.90),
        (1.66, 1.66, -0.01, 0.52, 0.52, 1.80),
        (1.78, 1.78, 0.03, 0.36, 0.36, 1.75),
        (1.88, 1.85, 0.12, 0.23, 0.36, 1.70),
        (2.00, 1.865, 0.36, 0.36, 0.65, 1.65),
        (2.20, 1.82, 0.75, 0.60, 0.95, 1.60),
        (2.40, 1.75, 1.05, 0.66, 1.15, 1.55),
    ]
)
_NOSE: Final = np.array(
    [
        # y, height of the ridge, half width
        (-0.32, 0.01, 0.16),
        (-0.18, 0.045, 0.12),
        (-0.04, 0.085, 0.098),
        (0.10, 0.150, 0.095),
        (0.30, 0.245, 0.110),
        (0.48, 0.325, 0.128),
        (0.60, 0.375, 0.150),
        (0.665, 0.375, 0.155),
        (0.715, 0.315, 0.160),
        (0.76, 0.195, 0.150),
        (0.80, 0.08, 0.140),
        (0.86, 0.02, 0.13),
        (0.95, 0.0, 0.12),
    ]
)


def blob(p: Floats, x: float, y: float, rx: float, ry: float) -> Floats:
    """A Gaussian spot on either side of the middle; for x = 0 one in the middle."""
    return np.asarray(np.exp(-(((np.abs(p[:, 0]) - x) / rx) ** 2) - ((p[:, 1] - y) / ry) ** 2))


def closed(template: Template) -> Floats:
    """The map with the mouth's slit drawn together, (V, 2): where skin lies when the lips touch."""
    p = template.points.copy()
    t, q = template.lip.T
    full = np.where(template.low, lower_height(t), upper_height(t))
    gap = np.abs(p[:, 1] - LINE) - np.maximum(full, 0.012) * q
    shift = np.where(q < 2.9, np.clip(gap, 0, None) * np.clip((2.4 - q) / 1.3, 0, 1), 0)
    p[:, 1] += np.where(template.low, -shift, shift)
    t_abs = np.clip(np.abs(t), 0, 1)
    lip = np.clip(1.5 - q, 0, 1) * (np.abs(template.points[:, 0]) <= 0.43)
    p[:, 1] += lip * (0.010 * np.exp(-((t / 0.2) ** 2)) + 0.022 * t_abs**3 - 0.004)
    return p


def head(template: Template) -> Floats:
    """The mean head's vertices (V, 3) in face units, z away from the viewer, lips closed, eyes open."""
    flat = closed(template)
    y, zm, a, zc, zb = (_smooth(flat[:, 1], column) for column in range(1, 6))
    angle = np.clip(flat[:, 0] / np.maximum(a, 0.05), -np.pi, np.pi)
    front = np.abs(angle) < np.pi / 2
    cosine = np.cos(angle)
    x = a * np.sin(angle)
    z = np.where(front, zc - (zc - zm) * np.sign(cosine) * np.abs(cosine) ** 0.92, zc - (zb - zc) * cosine)
    under = np.clip((flat[:, 1] - 1.84) / 0.3, 0, 1)
    y = y - 0.42 * under * np.sin(angle) ** 2
    z += _features(flat) + _lips(template)
    z = _over_eyeballs(np.stack([flat[:, 0], y], 1), z, flat)
    return np.stack([x, y, z], 1)


def _smooth(at: Floats, column: int) -> Floats:
    """A column of the section table, rounded between its rows."""
    grid = np.linspace(-2.3, 2.8, 511)
    values = np.interp(grid, _ROWS[:, 0], _ROWS[:, column])
    kernel = np.exp(-((np.arange(-15, 16) / 6.5) ** 2))
    padded = np.pad(values, 15, mode="edge")
    rounded = np.convolve(padded, kernel / kernel.sum(), "valid")
    if column == 1:
        rounded = values
    return np.asarray(np.interp(at, grid, rounded))


def _features(p: Floats) -> Floats:
    x = p[:, 0]
    height, width = (np.interp(p[:, 1], _NOSE[:, 0], _NOSE[:, k]) for k in (1, 2))
    z = -height * np.exp(-(np.abs(x / width) ** 2.1))
    z += (
        -0.055 * blob(p, 0, 0.655, 0.13, 0.09)
        - 0.185 * blob(p, 0.20, 0.685, 0.088, 0.080)
        + 0.03 * blob(p, 0.20, 0.56, 0.06, 0.06)
    )
    z += 0.11 * blob(p, 0.105, 0.752, 0.055, 0.026)
    z += 0.13 * blob(p, 0.44, 0.0, 0.25, 0.19) + 0.10 * blob(p, 0.20, 0.0, 0.10, 0.15)
    z += -0.075 * blob(p, 0.45, -0.32, 0.30, 0.10) - 0.035 * blob(p, 0, -0.33, 0.16, 0.15)
    z += -0.085 * blob(p, 0.72, 0.46, 0.26, 0.20) - 0.07 * blob(p, 0.42, 0.70, 0.20, 0.22)
    z += 0.06 * blob(p, 0.74, 1.05, 0.20, 0.28) + 0.035 * blob(p, 0.31, 0.86, 0.06, 0.14)
    z += 0.022 * blob(p, 0, 0.92, 0.045, 0.09) - 0.014 * blob(p, 0.085, 0.92, 0.03, 0.09)
    z += -0.085 * blob(p, 0, 1.08, 0.34, 0.24) + 0.035 * blob(p, 0.47, 1.10, 0.06, 0.07)
    z += 0.060 * blob(p, 0, 1.40, 0.26, 0.075) - 0.10 * blob(p, 0, 1.62, 0.22, 0.15)
    z += 0.05 * blob(p, 1.0, -0.40, 0.18, 0.30) + 0.03 * blob(p, 0.5, 0.27, 0.2, 0.06)
    return np.asarray(z)


def _lips(template: Template) -> Floats:
    """Two rolls that meet in a valley at the seam."""
    t, q = template.lip.T
    body = np.clip(1 - np.abs(t) ** 2.2, 0, 1) ** 0.7
    inside = np.clip(q, 0, 1)
    shape = np.sin(np.pi * (0.10 + 0.90 * inside) ** 0.85)
    rim = np.exp(-(((q - 1.02) / 0.10) ** 2))
    roll = np.where(template.low, 0.092, 0.072) * body * shape + 0.012 * body * rim
    valley = np.where(q < 1, 0.035 * body * np.exp(-((inside / 0.16) ** 2)), 0)
    outside = np.abs(template.points[:, 0]) > 0.43
    return np.asarray(np.where(outside | (q > 1.6), 0.0, -roll + valley))


def lid_front(xy: Floats, thickness: float = LID_THICKNESS) -> Floats:
    """Depth (N,) of a skin that lies on the nearer eyeball; infinite beside it."""
    r = EYEBALL_RADIUS + thickness
    square = (np.abs(xy[:, 0]) - EYE[0]) ** 2 + (xy[:, 1] - EYE[1]) ** 2
    return np.asarray(np.where(square < r * r, EYEBALL_Z - np.sqrt(np.maximum(r * r - square, 0)), np.inf))


def _over_eyeballs(xy: Floats, z: Floats, flat: Floats) -> Floats:
    """Lids drape over the eyeballs: a smooth minimum of socket and ball; on the margins the ball decides alone."""
    ball = np.minimum(lid_front(xy), 5.0)
    h = np.clip(0.5 + 0.5 * (z - ball) / 0.06, 0, 1)
    draped = z * (1 - h) + ball * h - 0.06 * h * (1 - h)
    near = np.exp(-((lid_distance(flat) / 0.035) ** 2)) * (ball < 4.0)
    return np.asarray(draped * (1 - near) + np.minimum(ball, draped + 1.0) * near)


def lid_distance(flat: Floats) -> Floats:
    """Distance (N,) of map points from the opening between the lids, roughly; 0 inside and on the margins."""
    s = (np.abs(flat[:, 0]) - EYE[0]) / EYE_HALF
    inside = np.clip(s, -1, 1)
    above, below = upper_lid(inside) - flat[:, 1], flat[:, 1] - lower_lid(inside)
    return np.asarray(np.hypot(np.maximum(0, np.maximum(above, below)), np.maximum(0, np.abs(s) - 1) * EYE_HALF))
