"""Flow on node lattices: forward movements inverted to "where does this pixel come from", and spread to full size."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Nodes = NDArray[np.float32]
"""(rows, columns, 2), x and y."""

MIN_DETERMINANT: Final = 0.15
"""Where a movement folds the surface its inverse is not unique; the step is kept from running away."""
_MAX_STEP: Final = 6.0


def inverse(forward: Nodes, steps: int, start: Nodes | None = None) -> Nodes:
    """Solve u + d(u) = g for every node g by Newton's method; all in node units.

    `forward` is d at the nodes, (rows, columns, 2); d between nodes is bilinear. Returns u - g, exactly 0 where d is 0
    all around. `start` is a first guess of u - g; without it -d."""
    rows, columns, _ = forward.shape
    slope_x = np.asarray(cv2.Sobel(forward, cv2.CV_32F, 1, 0, ksize=3, scale=0.125, borderType=cv2.BORDER_REPLICATE))
    slope_y = np.asarray(cv2.Sobel(forward, cv2.CV_32F, 0, 1, ksize=3, scale=0.125, borderType=cv2.BORDER_REPLICATE))
    slopes = np.concatenate([slope_x, slope_y], axis=2)
    at_x = np.broadcast_to(np.arange(columns, dtype=np.float32), (rows, columns))
    at_y = np.broadcast_to(np.arange(rows, dtype=np.float32)[:, None], (rows, columns))
    moved = -forward if start is None else start
    du, dv = moved[..., 0].copy(), moved[..., 1].copy()
    for _ in range(steps):
        x, y = at_x + du, at_y + dv
        d = np.asarray(cv2.remap(forward, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        j = np.asarray(cv2.remap(slopes, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        residue_x, residue_y = -du - d[..., 0], -dv - d[..., 1]
        a, c, b, e = 1 + j[..., 0], j[..., 1], j[..., 2], 1 + j[..., 3]
        scale = 1 / np.maximum(a * e - b * c, MIN_DETERMINANT)
        du += np.clip((e * residue_x - b * residue_y) * scale, -_MAX_STEP, _MAX_STEP)
        dv += np.clip((a * residue_y - c * residue_x) * scale, -_MAX_STEP, _MAX_STEP)
    out: Nodes = np.dstack([du, dv])
    return out


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
