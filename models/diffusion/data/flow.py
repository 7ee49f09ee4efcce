"""Dense flow from scattered points: fast, smooth, and wrong where skin opens, as the warp that it stands for."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

NODE_PX: Final = 4
"""Pixels between the places where the flow is solved; it is interpolated between them."""
SOFTNESS: Final = 1e-4
"""How far the flow may miss single points in favour of smoothness: points of touching lips coincide."""


def scattered_flow(at: Doubles, moves: Doubles, width: int, height: int) -> Floats:
    """Displacements (N, 2), known at points (N, 2), at every pixel centre: (height, width, 2). Thin-plate splines
    (Bookstein, "Principal warps", 1989), smoothed, solved once and evaluated on a coarse lattice."""
    size = float(max(width, height))
    known = at / size
    count = len(known)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(known, known) + np.eye(count) * SOFTNESS
    system[:count, count:] = _affine(known)
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.solve(system, np.concatenate([moves, np.zeros((3, 2))]))
    columns, rows = width // NODE_PX, height // NODE_PX
    x, y = np.meshgrid((np.arange(columns) + 0.5) * NODE_PX / size, (np.arange(rows) + 0.5) * NODE_PX / size)
    nodes = np.column_stack([x.ravel(), y.ravel()])
    coarse = _kernel(nodes, known) @ weights[:count] + _affine(nodes) @ weights[count:]
    laid_out = coarse.reshape(rows, columns, 2).astype(np.float32)
    return np.asarray(cv2.resize(laid_out, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _kernel(a: Doubles, b: Doubles) -> Doubles:
    squared = (a[:, :1] - b[:, 0]) ** 2 + (a[:, 1:] - b[:, 1]) ** 2
    return np.asarray(0.5 * squared * np.log(squared + 1e-12), np.float64)


def _affine(at: Doubles) -> Doubles:
    return np.column_stack([np.ones(len(at)), at])


def grid(width: int, height: int) -> Floats:
    """Pixel centres, (height, width, 2), x then y."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5)
    return np.stack([x, y], -1)


def sample(picture: NDArray[np.uint8], places: Floats) -> NDArray[np.uint8]:
    """The picture (H, W, 3) at places (h, w, 2) whose whole numbers lie between pixels; the border is continued."""
    remapped = cv2.remap(
        picture,
        (places - 0.5).astype(np.float32),
        np.empty(0, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(remapped, np.uint8)


def stretch(places: Floats) -> Floats:
    """Area of the source per pixel of the target, (H, W): far below 1 where a warp has pulled skin apart."""
    dx, dy = np.gradient(places, axis=1), np.gradient(places, axis=0)
    return np.asarray(np.abs(dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]), np.float32)
