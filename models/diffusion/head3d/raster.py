"""A z-buffer rasteriser in numpy: exact scan-line spans of all triangles at once, resolved by one scatter-minimum."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Ints = NDArray[np.int32]

_DEPTH_STEPS: Final = float(1 << 22)
_DEPTH_NEAR, _DEPTH_FAR = -4.0, 12.0
"""Depths in face units that are told apart."""
_EMPTY: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Which triangle each covered pixel shows; arrays are aligned, one entry for each covered pixel."""

    width: int
    height: int
    pixel: NDArray[np.int64]
    """Flat index y * width + x."""
    triangle: NDArray[np.int64]
    weights: F32
    """(N, 3) barycentric."""

    def interpolate(self, values: F32, triangles: Ints) -> F32:
        """Per-vertex values (V, C) at the covered pixels, (N, C)."""
        corners = triangles[self.triangle]
        out = values[corners[:, 0]] * self.weights[:, :1]
        out += values[corners[:, 1]] * self.weights[:, 1:2]
        out += values[corners[:, 2]] * self.weights[:, 2:]
        return np.asarray(out, np.float32)

    def image(self, values: NDArray[np.float32], fill: float = 0.0) -> F32:
        """Values (N, C) of the covered pixels as a picture (height, width, C)."""
        out = np.full((self.height * self.width, values.shape[1]), fill, np.float32)
        out[self.pixel] = values
        return out.reshape(self.height, self.width, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """Openings through which alone some triangles are seen: lips and lids."""

    of_triangle: NDArray[np.uint8]
    """(T,) 0: seen everywhere, else the bit of its opening."""
    mask: NDArray[np.uint8]
    """(height, width) bits of the openings."""


def rasterise(
    xy: F32, depth: F32, triangles: Ints, width: int, height: int, cull: bool = True, gates: Gates | None = None
) -> Cover:
    """Nearest triangles (T, 3) at the pixel centres of a picture; `xy` (V, 2) in pixels, `depth` (V,) grows away.

    With `cull`, only triangles that turn clockwise on the screen (y down) are drawn."""
    a, b, c = xy[triangles[:, 0]], xy[triangles[:, 1]], xy[triangles[:, 2]]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    low = np.minimum(np.minimum(a, b), c)
    high = np.maximum(np.maximum(a, b), c)
    seen = (high[:, 0] >= 0) & (low[:, 0] <= width - 1) & (high[:, 1] >= 0) & (low[:, 1] <= height - 1)
    seen &= (area > 1e-6) if cull else (np.abs(area) > 1e-6)
    chosen = np.flatnonzero(seen)
    a, b, c = a[chosen], b[chosen], c[chosen]
    first = np.maximum(np.ceil(low[chosen, 1]), 0).astype(np.int64)
    last = np.minimum(np.floor(high[chosen, 1]), height - 1).astype(np.int64)
    rows = np.maximum(last - first + 1, 0)
    owner = np.repeat(np.arange(len(chosen)), rows)
    y = (np.arange(len(owner)) - np.repeat(np.cumsum(rows) - rows, rows) + first[owner]).astype(np.float32)
    left, right = _spans(a, b, c, owner, y)
    start = np.maximum(np.ceil(left), 0).astype(np.int64)
    stop = np.minimum(np.floor(right), width - 1).astype(np.int64)
    counts = np.maximum(stop - start + 1, 0)
    span = np.repeat(np.arange(len(owner)), counts)
    x = np.arange(len(span)) - np.repeat(np.cumsum(counts) - counts, counts) + start[span]
    who, fy = owner[span], y[span]
    pixel = fy.astype(np.int64) * width + x
    if gates is not None:
        bit = gates.of_triangle[chosen][who]
        free = np.flatnonzero((bit == 0) | ((gates.mask.ravel()[pixel] & bit) > 0))
        x, who, fy, pixel = x[free], who[free], fy[free], pixel[free]
    bary = _barycentric(a, b, c)
    far = depth[triangles[chosen]]
    # depth is linear on the screen: one gradient for each triangle
    slope = np.einsum("tij,ti->tj", bary, far)
    z = slope[who, 0] * x.astype(np.float32) + slope[who, 1] * fy + slope[who, 2]
    steps = np.clip((z - _DEPTH_NEAR) * (_DEPTH_STEPS / (_DEPTH_FAR - _DEPTH_NEAR)), 0, _DEPTH_STEPS)
    key = (steps.astype(np.int64) << 32) | np.arange(len(pixel))
    nearest = np.full(width * height, _EMPTY, np.int64)
    np.minimum.at(nearest, pixel, key)
    covered = np.flatnonzero(nearest != _EMPTY)
    winner = nearest[covered] & 0xFFFFFFFF
    mine = bary[who[winner]]
    at = np.stack([x[winner].astype(np.float32), fy[winner], np.ones(len(winner), np.float32)], 1)
    weights = np.clip(np.einsum("nij,nj->ni", mine, at), 0, 1)
    weights /= weights.sum(1, keepdims=True)
    return Cover(width, height, covered, chosen[who[winner]], weights.astype(np.float32))


def _spans(a: F32, b: F32, c: F32, owner: NDArray[np.int64], y: F32) -> tuple[F32, F32]:
    """Left and right end of each (triangle, row): the two edges that the row crosses."""
    left = np.full(len(y), np.inf, np.float32)
    right = np.full(len(y), -np.inf, np.float32)
    for p, q in ((a, b), (b, c), (c, a)):
        rise = q[:, 1] - p[:, 1]
        gradient = (q[:, 0] - p[:, 0]) / np.where(np.abs(rise) < 1e-9, 1e-9, rise)
        y0, y1 = np.minimum(p[:, 1], q[:, 1]), np.maximum(p[:, 1], q[:, 1])
        crossed = (y >= y0[owner]) & (y <= y1[owner]) & (np.abs(rise)[owner] > 1e-9)
        x = p[owner, 0] + gradient[owner] * (y - p[owner, 1])
        left = np.where(crossed, np.minimum(left, x), left)
        right = np.where(crossed, np.maximum(right, x), right)
    empty = ~np.isfinite(left) | ~np.isfinite(right)
    return np.where(empty, 1.0, left).astype(np.float32), np.where(empty, -1.0, right).astype(np.float32)


def _barycentric(a: F32, b: F32, c: F32) -> F32:
    """(T, 3, 3): row i times (x, y, 1) is the weight of corner i."""
    area: F32 = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    scale = 1 / np.where(np.abs(area) < 1e-9, 1e-9, area)
    rows = []
    for p, q in ((b, c), (c, a), (a, b)):
        rows.append(np.stack([p[:, 1] - q[:, 1], q[:, 0] - p[:, 0], p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1]], 1))
    return np.asarray(np.stack(rows, 1) * scale[:, None, None], np.float32)
