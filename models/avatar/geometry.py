"""Curves and ramps in the plane; numpy only."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
"""Points of shape (N, 2) or (N, 3), in head units unless said otherwise."""
_Number = TypeVar("_Number", bound=np.generic)


def within(at: NDArray[_Number], low: float, high: float) -> NDArray[_Number]:
    """`np.clip` in place, at a third of the cost for a few numbers; returns `at`."""
    np.maximum(at, low, out=at)
    return np.minimum(at, high, out=at)


def smoothstep(x: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Cubic ramp from 0 at `low` to 1 at `high`; `low` may lie above `high`."""
    t = np.clip((np.asarray(x, np.float64) - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def ramp(x: float, low: float, high: float) -> float:
    """`smoothstep` of one number, at a twentieth of the cost."""
    t = min(1.0, max(0.0, (x - low) / (high - low)))
    return t * t * (3.0 - 2.0 * t)


def bump(x: ArrayLike, y: ArrayLike, center: tuple[float, float], sigma: tuple[float, float]) -> NDArray[np.float64]:
    """A Gaussian hill of height 1."""
    u = (np.asarray(x, np.float64) - center[0]) / sigma[0]
    v = (np.asarray(y, np.float64) - center[1]) / sigma[1]
    return np.asarray(np.exp(-(u * u + v * v)))


def spline(points: ArrayLike, count: int, closed: bool = False) -> Points:
    """`count` points, evenly spaced by arc length, on the centripetal Catmull-Rom curve through `points`.

    Barry & Goldman (1988) in its Hermite form; the tangents are finite differences over the square root of the chords,
    which keeps unevenly spaced points from overshooting. Columns beyond the first two are carried along."""
    p = np.asarray(points, np.float64)
    if closed:
        p = np.vstack([p, p[:1]])
    n = len(p)
    chord = np.sqrt(np.maximum(np.hypot(*np.diff(p[:, :2], axis=0).T), 1e-9))
    tangent = np.empty_like(p)
    slope = np.diff(p, axis=0) / chord[:, None]
    weight = chord[1:] / (chord[:-1] + chord[1:])
    tangent[1:-1] = slope[:-1] * weight[:, None] + slope[1:] * (1 - weight)[:, None]
    tangent[0], tangent[-1] = slope[0], slope[-1]
    if closed:
        w = chord[0] / (chord[-1] + chord[0])
        tangent[0] = tangent[-1] = slope[-1] * w + slope[0] * (1 - w)
    fine = 12
    q = np.linspace(0.0, n - 1.0, (n - 1) * fine + 1)
    i = np.minimum(q.astype(int), n - 2)
    t = (q - i)[:, None]
    h = chord[i][:, None]
    curve = (
        (2 * t**3 - 3 * t**2 + 1) * p[i]
        + (t**3 - 2 * t**2 + t) * h * tangent[i]
        + (3 * t**2 - 2 * t**3) * p[i + 1]
        + (t**3 - t**2) * h * tangent[i + 1]
    )
    return resample(curve, count + 1)[:-1] if closed else resample(curve, count)


def resample(curve: Points, count: int) -> Points:
    """`count` points evenly spaced along a polyline."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve[:, :2], axis=0).T))])
    at = np.linspace(0.0, length[-1], count)
    return np.stack([np.interp(at, length, column) for column in curve.T], 1)


def normals(curve: Points) -> Points:
    """Unit normals of polylines of shape (..., N, 2), a quarter turn clockwise on the screen from the tangent."""
    # central differences and their lengths by hand: numpy's own take five times as long for so few points
    out = np.empty_like(curve)
    tx, ty = out[..., 1], out[..., 0]
    for t, at, sign in ((tx, curve[..., 0], 1.0), (ty, curve[..., 1], -1.0)):
        half = 0.5 * sign
        t[..., 1:-1] = (at[..., 2:] - at[..., :-2]) * half
        t[..., 0] = (at[..., 1] - at[..., 0]) * sign
        t[..., -1] = (at[..., -1] - at[..., -2]) * sign
    out /= (np.sqrt(tx * tx + ty * ty) + 1e-9)[..., None]
    return out


def ribbon(center: Points, width: ArrayLike) -> Points:
    """The outline of a stroke with a width per point; center (..., N, 2) gives (..., 2N, 2)."""
    side = normals(center[..., :2]) * (np.asarray(width, np.float64) * 0.5)[..., None]
    return np.concatenate([center[..., :2] + side, (center[..., :2] - side)[..., ::-1, :]], -2)


def taper(points: ArrayLike, width: float, profile: Sequence[float] = (0.08, 1.0, 0.08), count: int = 24) -> Points:
    """The outline of a tapered stroke through `points`; `profile` gives relative widths at even steps."""
    curve = spline(points, count)
    shape = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(profile)), profile)
    return ribbon(curve, shape * width)


def mirrored(half: ArrayLike) -> Points:
    """A closed outline from its right half, which starts and ends on the axis x = 0."""
    right = np.asarray(half, np.float64)
    return np.vstack([right, (right[1:-1] * [-1.0, 1.0])[::-1]])
