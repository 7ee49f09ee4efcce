"""Small numerical tools of the portrait: smooth steps, curves, masks, scattered interpolation, hole filling."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

SUBPIXEL_BITS: Final = 4
_cv: Final[Any] = cv2
"""OpenCV seen without its type stubs, which refuse calls that its documentation allows."""
_SUBPIXEL: Final = 1 << SUBPIXEL_BITS
_RBF_BLOCK: Final = 8000


def smoothstep(low: float, high: float, x: NDArray[np.floating[Any]]) -> Floats:
    """0 below `low`, 1 above `high`, a cubic between."""
    t = np.clip((np.asarray(x, np.float64) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float64)


@lru_cache(maxsize=64)
def spline_weights(points: int, per_segment: int = 8) -> Floats:
    """Catmull-Rom weights, (samples, points): the curve through an open polyline `p` is `weights @ p`."""
    rows = []
    for i in range(points - 1):
        for t in np.linspace(0, 1, per_segment, endpoint=False):
            row = np.zeros(points + 2)
            row[i : i + 4] = 0.5 * np.array(
                [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]
            )
            rows.append(row)
    last = np.zeros(points + 2)
    last[points] = 1.0
    padded = np.array([*rows, last])
    weights = padded[:, 1:-1].copy()
    # phantom end points continue the first and the last segment
    weights[:, 0] += 2 * padded[:, 0]
    weights[:, 1] -= padded[:, 0]
    weights[:, -1] += 2 * padded[:, -1]
    weights[:, -2] -= padded[:, -1]
    return weights


def curve(points: NDArray[np.floating[Any]], per_segment: int = 8) -> Floats:
    """A smooth curve through an open polyline (N, 2)."""
    return np.asarray(spline_weights(len(points), per_segment) @ points, np.float64)


def byte_mask(shape: tuple[int, ...], points: NDArray[np.floating[Any]], blur_px: float = 0.0) -> NDArray[np.uint8]:
    """Coverage 0..255 of a polygon, anti-aliased, softened by a Gaussian of `blur_px`."""
    mask = np.zeros(shape, np.uint8)
    _cv.fillPoly(mask, [np.round(points * _SUBPIXEL).astype(np.int32)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(blur_px, 0.3)), np.uint8) if blur_px > 0 else mask


def closed_mask(shape: tuple[int, ...], points: NDArray[np.floating[Any]], blur_px: float = 0.0) -> Image:
    """Coverage 0..1 of a polygon, anti-aliased, softened by a Gaussian of `blur_px`."""
    out = byte_mask(shape, points).astype(np.float32) * np.float32(1 / 255)
    return blur(out, blur_px) if blur_px > 0 else out


def remap(image: NDArray[Any], where: NDArray[np.floating[Any]], interpolation: int = cv2.INTER_LINEAR) -> NDArray[Any]:
    """The image's values at `where` (height, width, 2), x and y in pixels; beyond its edges the nearest ones."""
    return np.asarray(
        _cv.remap(image, np.asarray(where, np.float32), None, interpolation, borderMode=cv2.BORDER_REPLICATE)
    )


def polyline(mask: Image, points: NDArray[np.floating[Any]], value: float, thickness_px: int) -> None:
    """Draw an open line into a mask, in place."""
    line = [np.round(points * _SUBPIXEL).astype(np.int32)]
    _cv.polylines(mask, line, False, value, thickness_px, cv2.LINE_AA, SUBPIXEL_BITS)


def blur(image: Image, sigma_px: float) -> Image:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma_px, 0.3)), np.float32)


def over(below: Image, above: NDArray[np.floating[Any]], alpha: NDArray[np.floating[Any]]) -> Image:
    """`above` laid over `below` with alpha (height, width)."""
    return np.asarray(below + (above - below) * alpha[..., None], np.float32)


def ellipse_kernel(size_px: float) -> NDArray[np.uint8]:
    """A round structuring element of odd size, at least 3."""
    size = max(3, int(size_px) | 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def dilate(mask: Image, size_px: float) -> Image:
    """Grow a mask by half of `size_px`."""
    return np.asarray(cv2.dilate(mask, ellipse_kernel(size_px)), np.float32)


def erode(mask: Image, size_px: float) -> Image:
    """Shrink a mask by half of `size_px`."""
    return np.asarray(cv2.erode(mask, ellipse_kernel(size_px)), np.float32)


class Scattered:
    """Interpolates values given at scattered points: multiquadric radial basis with an affine part (Hardy 1971)."""

    def __init__(self, points: Floats, values: Floats, radius: float = 0.1, smoothing: float = 1e-4) -> None:
        """`points` (N, 2) and `values` (N, D); `radius` rounds the basis off near its centre."""
        n = len(points)
        distance = np.sqrt(((points[:, None] - points[None]) ** 2).sum(2) + radius**2)
        affine = np.c_[np.ones(n), points]
        system = np.block([[-distance + smoothing * np.eye(n), affine], [affine.T, np.zeros((3, 3))]])
        self._points, self._radius = points, radius
        self._weights = np.linalg.solve(system, np.r_[values, np.zeros((3, values.shape[1]))])

    def __call__(self, at: Floats) -> Floats:
        """Values (M, D) at points (M, 2)."""
        out = np.empty((len(at), self._weights.shape[1]))
        n = len(self._points)
        for start in range(0, len(at), _RBF_BLOCK):
            q = at[start : start + _RBF_BLOCK]
            square = (q**2).sum(1)[:, None] + (self._points**2).sum(1)[None] - 2 * q @ self._points.T
            basis = -np.sqrt(np.maximum(square, 0) + self._radius**2)
            out[start : start + _RBF_BLOCK] = basis @ self._weights[:n] + np.c_[np.ones(len(q)), q] @ self._weights[n:]
        return out


def fill(image: Image, known: NDArray[np.floating[Any]]) -> Image:
    """Fill what is not `known` (0..1 weights) smoothly from what is, by pull-push over a pyramid (Gortler 1996)."""
    weight = np.asarray(known, np.float32)[..., None]
    if min(image.shape[:2]) <= 4 or weight.min() > 0.5:
        total = float(weight.sum())
        mean = (image * weight).sum((0, 1)) / max(total, 1e-6)
        return np.asarray(image * weight + (1 - weight) * mean, np.float32)
    small = cv2.pyrDown(image * weight)
    small_weight = cv2.pyrDown(np.asarray(known, np.float32))
    small = small / np.maximum(small_weight[..., None], 1e-4)
    below = fill(np.asarray(small, np.float32), (small_weight > 0.05).astype(np.float32))
    wide = cv2.pyrUp(below, dstsize=(image.shape[1], image.shape[0]))
    return np.asarray(image * weight + wide * (1 - weight), np.float32)


def limit_slope(z: Image, slope: float) -> Image:
    """The nearest surface that rises by at most `slope` per node: the mean of its upper and lower envelopes."""
    low, high = z.copy(), z.copy()
    size = (z.shape[1], z.shape[0])
    for _ in range(max(8, round(float(np.ptp(z)) / max(slope, 1e-6)))):
        for sx, sy in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            rise = np.float32(slope * np.hypot(sx, sy))
            shift = np.array([[1, 0, sx], [0, 1, sy]], np.float32)
            low = np.minimum(low, cv2.warpAffine(low, shift, size, borderMode=cv2.BORDER_REPLICATE) + rise)
            high = np.maximum(high, cv2.warpAffine(high, shift, size, borderMode=cv2.BORDER_REPLICATE) - rise)
    return np.asarray(0.5 * (low + high), np.float32)


def stack(*parts: Sequence[Sequence[float]] | NDArray[np.floating[Any]]) -> Floats:
    """Points of several lists as one array (N, 2)."""
    return np.vstack([np.asarray(part, np.float64).reshape(-1, 2) for part in parts])
