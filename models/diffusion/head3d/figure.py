"""One person's whole mesh at rest: skin, lips' lining, eyes, teeth, tongue, ears, neck, hair and glasses in one."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.frame import FaceFrame
from models.diffusion.data.sample import PARTS
from models.diffusion.head3d import parts
from models.diffusion.head3d.person import Person
from models.diffusion.head3d.raster import F32, Ints
from models.diffusion.head3d.shape import bent
from models.diffusion.head3d.surface import EYEBALL_RADIUS, EYEBALL_Z, LID_THICKNESS, closed, head
from models.diffusion.head3d.template import EYE, Floats, Template, template

PART: Final = {name: index for index, name in enumerate(PARTS)}
TEETH_EDGE: Final = 0.055
"""The upper teeth end this far below the closed lips' line, in face units."""
_LABEL_OF: Final = {
    "skin": "skin",
    "upper_lining": "upper_lip",
    "lower_lining": "lower_lip",
    "right_eye": "sclera",
    "left_eye": "sclera",
    "upper_teeth": "upper_teeth",
    "lower_teeth": "lower_teeth",
    "tongue": "tongue",
    "cavity": "cavity",
    "body": "skin",
    "right_ear": "skin",
    "left_ear": "skin",
    "cap": "hair",
    "curtain": "hair",
    "glasses": "glasses",
}


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """Everything of a person that does not change from frame to frame."""

    person: Person
    rest: F32
    """(V, 3) face units: eye centres 1 apart, origin between them."""
    triangles: Ints
    uv: F32
    """(V, 2) atlas pixels."""
    labels: NDArray[np.uint8]
    """(T,) part of each triangle; skin is told apart by its texture."""
    slices: dict[str, slice]
    """Vertices of each piece."""
    follows: F32
    """(V,) how much a vertex goes with the head."""
    seams: tuple[NDArray[np.int64], NDArray[np.int64]]
    lids: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    eyes: tuple[Floats, Floats]
    """Centres of the eyeballs, picture left first."""
    eye_scale: float
    flat: Floats
    """(skin vertices, 2) on the map with lips closed."""
    neighbours: Ints
    """(V, 8) for smoothing; a vertex repeats where it has fewer."""


@lru_cache(maxsize=1)
def _mean() -> tuple[Template, Floats, Floats]:
    flat = template()
    return flat, closed(flat), head(flat)


def figure_of(person: Person) -> Figure:
    """Builds a person; tens of milliseconds."""
    flat, lips_closed, mean = _mean()
    skin = bent(flat, mean, lips_closed, person.shape)
    corners = np.array([skin[lid[0][[0, -1]], :2].mean(0) for lid in flat.lids])
    distance = float(np.linalg.norm(corners[1] - corners[0]))
    middle = corners.mean(0)
    skin = (skin - (*middle, 0.0)) / distance
    scale = 1 / distance
    eyes = []
    for way, lid in zip((-1, 1), flat.lids, strict=True):
        moved = skin[lid[0]].mean(0) - mean[lid[0]].mean(0)
        eyes.append(np.array([way * EYE[0], EYE[1], EYEBALL_Z * scale]) + (moved[0], moved[1], moved[2] * 0.5))
    for centre, lid in zip(eyes, flat.lids, strict=True):
        cover_ball(skin, centre, scale)
        for margin in lid:
            drape(skin, margin, centre, scale)
    pieces = [parts.Piece("skin", skin, flat.triangles, parts.map_uv(flat.points))]
    pieces += _mouth(person, skin, flat, scale) + _eyes(eyes, scale) + _around(person, skin, flat, mean)
    return _joined(person, pieces, flat, (eyes[0], eyes[1]), scale, lips_closed)


def drape(skin: Floats, ids: NDArray[np.int64], centre: Floats, scale: float) -> None:
    """Lay vertices onto the eyeball, in place."""
    r = (EYEBALL_RADIUS + LID_THICKNESS) * scale
    square = ((skin[ids, :2] - centre[:2]) ** 2).sum(1)
    skin[ids, 2] = centre[2] - np.sqrt(np.maximum(r * r - square, (0.20 * r) ** 2))


def cover_ball(skin: Floats, centre: Floats, scale: float) -> None:
    """Bring skin that lies behind an eyeball's surface in front of it, in place."""
    r = (EYEBALL_RADIUS + LID_THICKNESS) * scale
    square = ((skin[:, :2] - centre[:2]) ** 2).sum(1)
    near = np.flatnonzero((square < r * r) & (skin[:, 2] < 0.9))
    skin[near, 2] = np.minimum(skin[near, 2], centre[2] - np.sqrt(r * r - square[near]))


def _mouth(person: Person, skin: Floats, flat: Template, scale: float) -> list[parts.Piece]:
    pieces = []
    for name, seam, way in (("upper_lining", flat.upper_seam, -1), ("lower_lining", flat.lower_seam, 1)):
        offsets, owner = parts.lip_lining(skin[seam], way)
        vertices = np.concatenate([skin[seam], skin[seam][owner] + offsets * scale])
        rows = len(vertices) // len(seam)
        triangles = parts.grid_triangles(rows, len(seam))
        # the upper lining is seen from below, the lower one from above
        triangles = triangles if way < 0 else triangles[:, ::-1].copy()
        uv = np.tile(parts.map_uv(flat.points[seam]), (rows, 1)) + (0, -3.0 * way * -1)
        pieces.append(parts.Piece(name, vertices, np.concatenate([triangles, triangles[:, ::-1]]), uv))
    middle = skin[flat.upper_seam[len(flat.upper_seam) // 2]]
    width = 0.5 + 0.5 * scale
    for upper in (True, False):
        row = parts.teeth(upper, person.teeth_gap)
        at = np.array(
            [middle[0], middle[1] + TEETH_EDGE - (0 if upper else 0.018), middle[2] + (0.085 if upper else 0.125)]
        )
        pieces.append(parts.Piece(row.name, row.vertices + at, row.triangles, row.uv))
    tongue, bowl = parts.tongue(), parts.cavity()
    pieces.append(
        parts.Piece("tongue", tongue.vertices * width + middle + (0, 0.125, 0.19), tongue.triangles, tongue.uv)
    )
    pieces.append(
        parts.Piece("cavity", bowl.vertices * (1.0, 0.70, 1.0) + middle + (0, 0.06, 0.40), bowl.triangles, bowl.uv)
    )
    return pieces


def _eyes(eyes: list[Floats], scale: float) -> list[parts.Piece]:
    ball = parts.eyeball()
    return [
        parts.Piece(name, ball.vertices * scale + centre, ball.triangles, ball.uv)
        for name, centre in zip(("right_eye", "left_eye"), eyes, strict=True)
    ]


def _around(person: Person, skin: Floats, flat: Template, mean: Floats) -> list[parts.Piece]:
    shape = person.shape
    pieces = [parts.body(shape["neck_width"])]
    for name, side in (("right_ear", -1), ("left_ear", 1)):
        ear = parts.ear(side, shape["ear_size"], shape["ear_out"])
        near = np.argmin(((mean - (side * 1.1, 0.35, 1.1)) ** 2).sum(1))
        pieces.append(parts.Piece(name, ear.vertices + (skin[near] - mean[near]), ear.triangles, ear.uv))
    if person.hair_length > 0.03:
        pieces.append(_cap(person, skin, flat))
    if person.hair_length > 0.5:
        pieces.append(parts.curtain(person.hair_length))
    if person.glasses:
        frame = parts.glasses(person.glasses == 2)
        bridge = skin[np.argmin(((flat.points - (0, 0.12)) ** 2).sum(1)), 2]
        pieces.append(parts.Piece("glasses", frame.vertices + (0, 0, bridge + 0.16), frame.triangles, frame.uv))
    return pieces


def _cap(person: Person, skin: Floats, flat: Template) -> parts.Piece:
    """Hair over the scalp: the skin's own vertices moved outwards where hair grows, under the skin elsewhere."""
    rng = person.stream(6)
    x, y = np.abs(flat.points[:, 0]), flat.points[:, 1]
    bushy = 0.45 + min(1.0, person.hair_length * 1.6)
    line = parts.hair_line(x, person.hair_line, person.fringe)
    depth = line - y + 0.035 * rng.standard_normal(len(x)) * (0.5 + person.fringe)
    thick = np.clip(depth / 0.25, 0, 1) ** 0.8
    offset = np.where(
        depth > 0,
        0.015 + bushy * 0.13 * thick + 0.012 * rng.standard_normal(len(x)),
        -0.05 + np.clip(depth, -0.5, 0) * 0.6,
    )
    normal = _normals(skin, flat.triangles)
    kept = (depth[flat.triangles] > -0.16).any(1)
    used = np.unique(flat.triangles[kept])
    renumber = np.zeros(len(skin), np.int32)
    renumber[used] = np.arange(len(used))
    vertices = skin[used] + normal[used] * offset[used, None] - (0, 0.05 * bushy, 0) * thick[used, None]
    (hx, hy), (width, tall) = parts.HAIR_AT, parts.HAIR_SIZE
    across = flat.points[used, 0] * 70 + 12 * np.sin(flat.points[used, 1] * 2 + person.number)
    uv = np.stack(
        [
            hx + width / 2 + np.clip(across, -width / 2 + 3, width / 2 - 3),
            hy + np.clip((flat.points[used, 1] + 2.0) * 80, 3, tall - 3),
        ],
        1,
    )
    return parts.Piece("cap", vertices, renumber[flat.triangles[kept]], uv)


def _joined(
    person: Person,
    pieces: list[parts.Piece],
    flat: Template,
    eyes: tuple[Floats, Floats],
    scale: float,
    closed_map: Floats,
) -> Figure:
    slices, labels, triangles, count = {}, [], [], 0
    for piece in pieces:
        slices[piece.name] = slice(count, count + len(piece.vertices))
        triangles.append(piece.triangles + count)
        labels.append(np.full(len(piece.triangles), PART[_LABEL_OF[piece.name]], np.uint8))
        count += len(piece.vertices)
    rest = np.concatenate([piece.vertices for piece in pieces])
    every = np.concatenate(triangles).astype(np.int32)
    v = rest[:, 1] - 0.25 * np.exp(-((rest[:, 0] / 0.7) ** 2))
    low = np.clip((v - 1.30) / 1.40, 0, 1)
    follows = 1 - low * low * (3 - 2 * low)
    follows[slices["skin"]] = 1.0
    return Figure(
        person,
        rest.astype(np.float32),
        every,
        np.concatenate([piece.uv for piece in pieces]).astype(np.float32),
        np.concatenate(labels),
        slices,
        follows.astype(np.float32),
        (flat.upper_seam, flat.lower_seam),
        flat.lids,
        eyes,
        scale,
        closed_map,
        _neighbours(every, count),
    )


def _normals(vertices: Floats, triangles: Ints) -> Floats:
    return np.asarray(vertex_normals(vertices.astype(np.float32), triangles), np.float64)


def vertex_normals(vertices: F32, triangles: Ints) -> F32:
    """Unit normals (V, 3), outwards for triangles that turn clockwise on the screen."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    u, w = b - a, c - a
    cross = np.stack(
        [
            u[:, 2] * w[:, 1] - u[:, 1] * w[:, 2],
            u[:, 0] * w[:, 2] - u[:, 2] * w[:, 0],
            u[:, 1] * w[:, 0] - u[:, 0] * w[:, 1],
        ],
        1,
    )
    flat = triangles.T.ravel()
    out = np.stack([np.bincount(flat, np.tile(cross[:, k], 3), len(vertices)) for k in range(3)], 1)
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12), np.float32)


def _neighbours(triangles: Ints, count: int) -> Ints:
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    starts = np.searchsorted(pairs[:, 0], np.arange(count + 1))
    out = np.repeat(np.arange(count, dtype=np.int32)[:, None], 8, 1)
    for k in range(8):
        has = starts[:-1] + k < starts[1:]
        out[has, k] = pairs[starts[:-1][has] + k, 1]
    return out


def frame_at(scale_px: float, origin_px: tuple[float, float]) -> FaceFrame:
    """An upright face frame."""
    return FaceFrame(np.array(origin_px, np.float64), scale_px, np.eye(2))
