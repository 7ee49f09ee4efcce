"""Where the face mesh's 478 points lie on the head, so that the portrait's rig can be laid over it without a detector.

The layout was measured once: mediapipe's points on two dozen of our own rendered heads, brought back onto the map. Lips
and lids are tied to the template's own contours."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait import topology as mesh
from models.diffusion.data.sample import LANDMARKS
from models.diffusion.head3d.figure import Figure
from models.diffusion.head3d.raster import F32
from models.diffusion.head3d.surface import closed
from models.diffusion.head3d.template import Floats, template

_FILE: Final = Path(__file__).with_name("layout.npz")
_LIPS: Final = (
    (mesh.UPPER_OUTER, False, 1.0),
    (mesh.UPPER_MIDDLE, False, 0.66),
    (mesh.UPPER_INSIDE, False, 0.33),
    (mesh.UPPER_INNER, False, 0.0),
    (mesh.LOWER_OUTER, True, 1.0),
    (mesh.LOWER_MIDDLE, True, 0.66),
    (mesh.LOWER_INSIDE, True, 0.33),
    (mesh.LOWER_INNER, True, 0.0),
)
_CORNERS: Final = {61: -1.0, 76: -0.985, 62: -0.97, 78: -0.95, 291: 1.0, 306: 0.985, 292: 0.97, 308: 0.95}
_LIDS: Final = (
    (mesh.RIGHT_UPPER_LID, 0, 0, True),
    (mesh.RIGHT_LOWER_LID, 0, 1, True),
    (mesh.LEFT_UPPER_LID, 1, 0, False),
    (mesh.LEFT_LOWER_LID, 1, 1, False),
)
IRIS_RADIUS: Final = 0.098
_NAMED: Final = {
    "mouth_left": 61,
    "mouth_right": 291,
    "upper_lip_top": 0,
    "upper_lip_bottom": 13,
    "lower_lip_top": 14,
    "lower_lip_bottom": 17,
    "left_eye_inner": 133,
    "left_eye_outer": 33,
    "left_lid_upper": 159,
    "left_lid_lower": 145,
    "left_iris": 468,
    "left_brow_inner": 107,
    "left_brow_middle": 105,
    "left_brow_outer": 70,
    "right_eye_inner": 362,
    "right_eye_outer": 263,
    "right_lid_upper": 386,
    "right_lid_lower": 374,
    "right_iris": 473,
    "right_brow_inner": 336,
    "right_brow_middle": 334,
    "right_brow_outer": 300,
}
SAMPLE_POINTS: Final = tuple(_NAMED[name] for name in LANDMARKS)
"""Face mesh points of the sample's landmarks."""


@lru_cache(maxsize=1)
def anchors() -> tuple[NDArray[np.int64], Floats]:
    """For each of the 468 mesh points three skin vertices and their weights, (468, 3) each."""
    flat = template()
    points = closed(flat)
    layout = np.asarray(np.load(_FILE)["points"], np.float64)[: mesh.MESH_POINTS]
    corners = points[flat.triangles]  # (T, 3, 2)
    ids = np.zeros((mesh.MESH_POINTS, 3), np.int64)
    weights = np.zeros((mesh.MESH_POINTS, 3))
    base, e1, e2 = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    for i, at in enumerate(layout):
        d = at - base
        w1 = (d[:, 0] * e2[:, 1] - d[:, 1] * e2[:, 0]) / area
        w2 = (e1[:, 0] * d[:, 1] - e1[:, 1] * d[:, 0]) / area
        inside = np.minimum(np.minimum(w1, w2), 1 - w1 - w2)
        best = int(np.argmax(inside))
        w = np.clip([1 - w1[best] - w2[best], w1[best], w2[best]], 0, 1)
        ids[i], weights[i] = flat.triangles[best], w / w.sum()
    for i, vertex in _tied().items():
        ids[i], weights[i] = vertex, (1.0, 0.0, 0.0)
    return ids, weights


def _tied() -> dict[int, int]:
    """Mesh points that are vertices of the template: lips and lids by their place on lip and margin."""
    flat = template()
    layout = np.asarray(np.load(_FILE)["points"], np.float64)
    t, q = flat.lip.T
    found: dict[int, int] = {}
    for ids, low, wanted in _LIPS:
        side = np.flatnonzero((flat.low == low) & (np.abs(flat.points[:, 0]) < 0.43) & (q < 1.3))
        for i in ids:
            at = _CORNERS.get(i, float(np.clip(layout[i, 0] / 0.42, -0.93, 0.93)))
            if wanted == 0.0 or i in _CORNERS:
                seam = flat.lower_seam if low else flat.upper_seam
                found[i] = int(seam[np.argmin(np.abs(flat.points[seam, 0] / 0.42 - at))])
            else:
                found[i] = int(side[np.argmin((t[side] - at) ** 2 + (0.6 * (q[side] - wanted)) ** 2)])
    for ids, eye, margin, reverse in _LIDS:
        row = flat.lids[eye][margin]
        s = np.linspace(-1, 1, len(ids))
        along = np.sin(np.linspace(-np.pi / 2, np.pi / 2, len(row)))
        order = s[::-1] if reverse else s
        for i, place in zip(ids, order, strict=True):
            found[i] = int(row[np.argmin(np.abs(along - place))])
    return found


def mesh_points(figure: Figure, vertices: F32, looks: tuple[Floats, Floats]) -> Floats:
    """All 478 points (478, 3) on posed vertices; `looks` are unit vectors that the eyes look along."""
    ids, weights = anchors()
    skin = (vertices[ids].astype(np.float64) * weights[..., None]).sum(1)
    out = np.zeros((mesh.ALL_POINTS, 3))
    out[: mesh.MESH_POINTS] = skin
    for start, centre, look in zip((468, 473), figure.eyes, looks, strict=True):
        pupil = centre + look * 0.25 * figure.eye_scale
        ring = IRIS_RADIUS * figure.eye_scale * np.array([(0, 0), (1, 0), (0, -1), (-1, 0), (0, 1)])
        out[start : start + 5] = pupil
        out[start : start + 5, :2] += ring
    return out
