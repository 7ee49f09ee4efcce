"""Dense flow from scattered points: fast, smooth, and wrong where skin opens, as the warp that it stands for."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

NODE_PX: Final = 4
"""Pixels between the places where the flow is solved; it is interpolated between them."""
SOFT_PX: Final = 1.5
"""Distance below which nearer points do not weigh more."""


def scattered_flow(at: NDArray[np.float64], moves: NDArray[np.float64], width: int, height: int) -> Floats:
    """Displacements (N, 2), known at points (N, 2), at every pixel centre: (height, width, 2). Shepard's interpolation
    (Shepard, "A two-dimensional interpolation function for irregularly-spaced data", 1968) with exponent 4."""
    columns, rows = width // NODE_PX, height // NODE_PX
    x = (np.arange(columns, dtype=np.float32) + 0.5) * NODE_PX
    y = (np.arange(rows, dtype=np.float32) + 0.5) * NODE_PX
    px, py = at[:, 0].astype(np.float32), at[:, 1].astype(np.float32)
    away_x, away_y = (x[:, None] - px) ** 2, (y[:, None] - py) ** 2
    squared = away_y[:, None, :] + away_x[None, :, :] + SOFT_PX**2  # (rows, columns, N)
    weights = 1.0 / (squared * squared)
    weights /= weights.sum(-1, keepdims=True)
    coarse = np.einsum("rcn,nk->rck", weights, moves.astype(np.float32))
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


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
