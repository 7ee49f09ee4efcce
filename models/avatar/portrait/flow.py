"""Flow on node lattices: forward movements inverted to "where does this pixel come from", and spread to full size."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Nodes = NDArray[np.float32]
"""(rows, columns, 2), x and y."""

MIN_DETERMINANT: Final = 0.15
"""Where a movement folds the surface its inverse is not unique; the step is kept from running away."""
_MAX_STEP: Final = 6.0
_FRESH_SLOPES: Final = 2


def inverse(forward: Nodes, steps: int) -> Nodes:
    """Solve u + d(u) = g for every node g by Newton's method; all in node units.

    `forward` is d at the nodes, (rows, columns, 2); d between nodes is bilinear. Returns u - g, exactly 0 where d is 0
    all around. The slopes of the first steps serve the later ones, too."""
    rows, columns, _ = forward.shape
    slope_x, slope_y = (
        cv2.Sobel(forward, cv2.CV_32F, *way, ksize=3, scale=0.125, borderType=cv2.BORDER_REPLICATE)
        for way in ((1, 0), (0, 1))
    )
    at_x = np.broadcast_to(np.arange(columns, dtype=np.float32), (rows, columns))
    at_y = np.broadcast_to(np.arange(rows, dtype=np.float32)[:, None], (rows, columns))
    du, dv = (np.negative(forward[..., i]) for i in (0, 1))
    for step in range(steps):
        x, y = at_x + du, at_y + dv
        d = _seen(forward, x, y)
        if step < _FRESH_SLOPES:
            along, across = _seen(np.asarray(slope_x), x, y), _seen(np.asarray(slope_y), x, y)
            a, c, b, e = 1 + along[..., 0], along[..., 1], across[..., 0], 1 + across[..., 1]
            scale = 1 / np.maximum(a * e - b * c, MIN_DETERMINANT)
            a, b, c, e = a * scale, b * scale, c * scale, e * scale
        residue_x, residue_y = du + d[..., 0], dv + d[..., 1]
        du -= (e * residue_x - b * residue_y).clip(-_MAX_STEP, _MAX_STEP)
        dv -= (a * residue_y - c * residue_x).clip(-_MAX_STEP, _MAX_STEP)
    out: Nodes = np.dstack([du, dv])
    return out


def _seen(values: NDArray[Any], x: Nodes, y: Nodes) -> Nodes:
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def lattice(columns: int, rows: int, step_px: int, x_px: int = 0, y_px: int = 0) -> Nodes:
    """Pixel coordinates of nodes."""
    xs = np.arange(columns, dtype=np.float32) * step_px + x_px
    ys = np.arange(rows, dtype=np.float32) * step_px + y_px
    nodes: Nodes = np.stack(np.meshgrid(xs, ys), -1).astype(np.float32)
    return nodes


def spread(nodes: Nodes, step_px: int, x_px: int, y_px: int, width: int, height: int) -> Nodes:
    """Values at every pixel of a rectangle with its corner at (x_px, y_px); node (0, 0) lies at pixel (0, 0)."""
    stretch = np.array([[step_px, 0, -x_px], [0, step_px, -y_px]], np.float32)
    out = cv2.warpAffine(nodes, stretch, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def spread_half(nodes: Nodes, step_px: int, x_px: int, y_px: int, width: int, height: int) -> Nodes:
    """The same for the middles of 2 x 2 pixels: `width` and `height` count these, and one may lie before the edge."""
    stretch = np.array([[step_px / 2, 0, -(x_px + 0.5) / 2], [0, step_px / 2, -(y_px + 0.5) / 2]], np.float32)
    out = cv2.warpAffine(nodes, stretch, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    half = np.asarray(out, np.float32)
    if x_px < 0:
        half[:, 0] = 2 * half[:, 1] - half[:, 2]
    if y_px < 0:
        half[0] = 2 * half[1] - half[2]
    return half


def doubled(half: Nodes) -> Nodes:
    """Values at every pixel, of values at the middles of 2 x 2 pixels with a rim of one, which goes away."""
    height, width, _ = half.shape
    fine = cv2.resize(half, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(fine[2:-2, 2:-2], np.float32)
