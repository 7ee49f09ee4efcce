"""The face's template: points of a flat map of the head, triangulated around mouth and eyes, once for all identities.

Map coordinates are face units (eye centres 1 apart, origin between them, x to the picture's right, y down); x is an
arc length around the head. Proportions follow L. G. Farkas, *Anthropometry of the Head and Face* (2nd ed. 1994):
eye centres 61 mm apart, mouth width 51 mm, nose width 33 mm, face width 134 mm, nasion to chin 117 mm."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LINE: Final = 1.10
"""y of the mouth line."""
MOUTH_HALF: Final = 0.42
EYE: Final = (0.5, 0.0)
EYE_HALF: Final = 0.25
SLIT: Final = 0.05
"""The map's mouth stands open by this much on either side, so that the triangulation has a hole."""
LIP_SAMPLES: Final = 33
LID_SAMPLES: Final = 21
_EDGE_X: Final = 3.4
TOP, BOTTOM = -1.93, 2.4


def upper_height(t: Floats) -> Floats:
    """Height of the upper vermilion above the mouth line at t = -1..1, with its bow."""
    bow = 1 - 0.17 * np.exp(-((t / 0.15) ** 2))
    return np.asarray(0.142 * np.clip(1 - np.abs(t) ** 2.0, 0, 1) ** 0.9 * bow, np.float64)


def lower_height(t: Floats) -> Floats:
    """Height of the lower vermilion below the mouth line."""
    return np.asarray(0.175 * np.clip(1 - np.abs(t) ** 2.3, 0, 1) ** 0.9, np.float64)


def upper_lid(s: Floats) -> Floats:
    """y of the upper lid's margin; s runs -1 at the inner to 1 at the outer corner."""
    return np.asarray(-0.012 * s - 0.094 * np.clip(1 - np.abs(s) ** 2.3, 0, 1) ** 0.8 * (1 - 0.10 * s), np.float64)


def lower_lid(s: Floats) -> Floats:
    """y of the lower lid's margin."""
    return np.asarray(-0.012 * s + 0.080 * np.clip(1 - np.abs(s) ** 2.2, 0, 1) ** 0.85 * (1 + 0.12 * s), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The flat head. All arrays are read-only by convention; V vertices, T triangles."""

    points: Floats
    """(V, 2) on the map."""
    triangles: NDArray[np.int32]
    lip: Floats
    """(V, 2): t along the mouth -1..1, and q: 0 at the seam .. 1 at the vermilion border, larger on the skin."""
    low: Bools
    """Belongs to the lower lip's side of the mouth line."""
    upper_seam: NDArray[np.int64]
    lower_seam: NDArray[np.int64]
    """The lips' inner contours, picture left to right, corners shared."""
    lids: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.int64]]]
    """(upper, lower) margins, picture-left eye first, each from the inner to the outer corner, corners shared."""


@lru_cache(maxsize=1)
def template() -> Template:
    """Builds the template; a second of work, once."""
    fixed = np.vstack([_mouth_points(), _eye_points(), _nose_points()])
    fixed = fixed[fixed[:, 0] >= -1e-9]
    half = _filled(fixed)
    mirrored = half[half[:, 0] > 1e-6] * (-1.0, 1.0)
    points = np.vstack([half, mirrored])
    triangles = _triangulated(points)
    t = np.clip(points[:, 0] / MOUTH_HALF, -1, 1)
    low = points[:, 1] > LINE
    away = np.abs(points[:, 1] - LINE)
    gap = SLIT * np.clip(1 - t**2, 0, 1)
    full = np.where(low, lower_height(t), upper_height(t))
    q = (away - gap) / np.maximum(full, 0.012)
    outside = np.abs(points[:, 0]) > MOUTH_HALF + 1e-6
    q = np.where(outside, 3.0, np.clip(q, 0, 3))
    return Template(
        points, triangles, np.stack([t, q], 1), low, _along(points, seam_points(-1)), _along(points, seam_points(1)),
        (_lids(points, -1), _lids(points, 1)),
    )  # fmt: skip


def seam_points(way: int) -> Floats:
    """The map's inner contour of a lip (way -1 upper, 1 lower), picture left to right."""
    t = np.sin(np.linspace(-np.pi / 2, np.pi / 2, LIP_SAMPLES))
    return np.stack([MOUTH_HALF * t, LINE + way * SLIT * (1 - t**2)], 1)


def lid_points(way: int, upper: bool) -> Floats:
    """The map's lid margin of one eye (way -1: picture left), inner to outer corner."""
    s = np.sin(np.linspace(-np.pi / 2, np.pi / 2, LID_SAMPLES))
    y = upper_lid(s) if upper else lower_lid(s)
    return np.stack([way * (EYE[0] + EYE_HALF * s), y], 1)


def _mouth_points() -> Floats:
    t = np.sin(np.linspace(-np.pi / 2, np.pi / 2, LIP_SAMPLES))
    rows = [seam_points(-1), seam_points(1)[1:-1]]
    for way, height in ((-1, upper_height(t)), (1, lower_height(t))):
        gap = SLIT * (1 - t**2)
        for q in (0.14, 0.32, 0.52, 0.72, 0.88, 1.0, 1.14, 1.4, 1.75):
            inner = np.abs(t) < (0.985 if q <= 1 else 0.95)
            y = gap + (height if q <= 1 else np.maximum(height, 0.05)) * q
            rows.append(np.stack([MOUTH_HALF * t, LINE + way * y], 1)[inner][:: 1 if q < 1.2 else 2])
    for out in (0.03, 0.065):
        for y in (-0.06, -0.025, 0.0, 0.025, 0.06):
            rows.append(np.array([[-MOUTH_HALF - out, LINE + y], [MOUTH_HALF + out, LINE + y]]))
    return np.vstack(rows)


def _eye_points() -> Floats:
    rows = [lid_points(1, True), lid_points(1, False)[1:-1]]
    s = np.sin(np.linspace(-np.pi / 2, np.pi / 2, LID_SAMPLES))
    x = EYE[0] + EYE_HALF * s
    for d in (0.012, 0.03, 0.055, 0.085, 0.12):
        grow = 1 + d / EYE_HALF * 0.75
        rows.append(np.stack([EYE[0] + (x - EYE[0]) * grow, upper_lid(s) - d], 1)[:: 1 if d < 0.08 else 2])
        rows.append(np.stack([EYE[0] + (x - EYE[0]) * grow, lower_lid(s) + d * 0.9], 1)[:: 1 if d < 0.08 else 2])
    return np.vstack(rows)


def _nose_points() -> Floats:
    ys = np.concatenate([np.linspace(0.1, 0.55, 9), np.linspace(0.59, 0.84, 11)])
    return np.array([(x, y) for y in ys for x in np.arange(0, 0.33, 0.036 if y > 0.55 else 0.045)])


def _spacing(p: Floats) -> Floats:
    """Wanted distance of neighbours."""
    x, y = np.abs(p[:, 0]), p[:, 1]
    mouth = np.hypot(np.maximum(x - 0.35, 0), np.maximum(np.abs(y - LINE) - 0.18, 0))
    eye = np.hypot(np.maximum(np.abs(x - 0.5) - 0.25, 0), np.maximum(np.abs(y + 0.05) - 0.15, 0))
    near = np.minimum(mouth, eye)
    return np.asarray(np.clip(0.042 + 0.09 * near, 0.042, 0.16) + 0.10 * np.clip(x - 1.1, 0, 1), np.float64)


def _filled(fixed: Floats) -> Floats:
    """Fixed points and, where they leave room, a graded filling of the half x >= 0; farthest candidates give way."""
    chosen = [tuple(p) for p in _unique(fixed)]
    chosen_array = np.array(chosen)
    holes = (_hole_mouth, _hole_eye)
    for step in (0.045, 0.06, 0.08, 0.11, 0.15, 0.22, 0.34):
        ys = np.arange(TOP, BOTTOM + 1e-9, step * 0.87)
        candidates = np.array([(0.0 if k == 0 else k * step - (step / 2 if i % 2 else 0), y)
                               for i, y in enumerate(ys) for k in range(int(_EDGE_X / step) + 1)])  # fmt: skip
        candidates = candidates[np.abs(candidates[:, 0]) <= _EDGE_X]
        want = _spacing(candidates)
        for p, w in zip(candidates[want <= step * 1.25], want[want <= step * 1.25], strict=True):
            if any(hole(p) for hole in holes) or 0 < p[0] < 0.4 * w:
                continue
            if ((chosen_array - p) ** 2).sum(1).min() > (0.8 * w) ** 2:
                chosen.append((p[0], p[1]))
                chosen_array = np.array(chosen)
    edge = [(x, y) for y in (TOP, BOTTOM) for x in np.linspace(0, _EDGE_X, 24)]
    edge += [(_EDGE_X, y) for y in np.linspace(TOP, BOTTOM, 26)[1:-1]]
    kept = chosen_array[(chosen_array[:, 0] < _EDGE_X - 0.08) & (chosen_array[:, 1] > TOP + 0.05)
                        & (chosen_array[:, 1] < BOTTOM - 0.05)]  # fmt: skip
    return np.vstack([kept, np.array(edge)])


def _unique(points: Floats) -> Floats:
    """Points without near doubles, the first of each kept."""
    kept: list[Floats] = []
    for p in points:
        if not kept or ((np.array(kept) - p) ** 2).sum(1).min() > 0.011**2:
            kept.append(p)
    return np.array(kept)


def _hole_mouth(p: Floats) -> bool:
    t = abs(p[0]) / MOUTH_HALF
    return bool(t < 1 and abs(p[1] - LINE) < SLIT * (1 - t * t) * 0.98)


def _hole_eye(p: Floats) -> bool:
    s = np.array((abs(p[0]) - EYE[0]) / EYE_HALF)
    if abs(s) >= 1:
        return False
    return bool(float(upper_lid(s)) * 0.98 + 0.0005 < p[1] < float(lower_lid(s)) * 0.98 - 0.0005)


def _triangulated(points: Floats) -> NDArray[np.int32]:
    """Delaunay triangles outside the holes, turning clockwise on the screen."""
    grid: Any = cv2.Subdiv2D((-4096, -4096, 8192, 8192))
    scaled = (points * 500).astype(np.float32)
    names: dict[int, int] = {}
    for index, p in enumerate(scaled):
        names[int(grid.insert((float(p[0]), float(p[1]))))] = index
    flat = np.asarray(grid.getTriangleList(), np.float64).reshape(-1, 3, 2)
    flat = flat[(np.abs(flat) < 4000).all((1, 2))]
    square = ((flat.reshape(-1, 1, 2) - scaled[None]) ** 2).sum(2) if len(flat) * len(scaled) < 2_000_000 else None
    ids = np.concatenate([
        (((part[:, None] - scaled[None]) ** 2).sum(2)).argmin(1) for part in np.array_split(flat.reshape(-1, 2), 64)
    ]) if square is None else square.argmin(1)  # fmt: skip
    triangles = ids.reshape(-1, 3)
    middle = points[triangles].mean(1)
    inside = np.array([_hole_mouth(p) or _hole_eye(p) for p in middle])
    triangles = triangles[~inside]
    a, b, c = (points[triangles[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    triangles = triangles[np.abs(area) > 1e-7]
    area = area[np.abs(area) > 1e-7]
    triangles[area < 0] = triangles[area < 0][:, ::-1]
    return np.asarray(triangles, np.int32)


def _along(points: Floats, contour: Floats) -> NDArray[np.int64]:
    """Indices of the vertices of a contour; near doubles collapse onto one."""
    found = ((contour[:, None] - points[None]) ** 2).sum(2).argmin(1)
    return np.asarray(found, np.int64)


def _lids(points: Floats, way: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return _along(points, lid_points(way, True)), _along(points, lid_points(way, False))
