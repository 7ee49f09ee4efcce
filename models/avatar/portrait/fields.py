"""Lays the face's movements onto lattices: depth of the head, how much each part follows it, flow of each control."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.basis import BOTH_CONTROLS, LOWER_CONTROLS, UPPER_CONTROLS
from models.avatar.portrait.flow import lattice
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.framing import PICTURE_PX
from models.avatar.portrait.geometry import FIELD_STEP_PX, POSE_STEP_PX
from models.avatar.portrait.numerics import Floats, Image, Scattered, blur, limit_slope, smoothstep, stack
from models.avatar.portrait.surface import Moves
from models.avatar.portrait.topology import (
    CHIN,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LIP_CORNERS,
    LOWER_INNER,
    LOWER_LIP,
    LOWER_OUTER,
    MESH_POINTS,
    NOSE_BASE,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    UPPER_INNER,
    UPPER_LIP,
    UPPER_OUTER,
)

LIP_ROWS: Final = (UPPER_INNER, LOWER_INNER, UPPER_OUTER, LOWER_OUTER)
LIP_POINTS: Final = tuple(i for row in LIP_ROWS for i in row)
"""Contours that the mouth is drawn with, 11 points each."""

SILHOUETTE_Z: Final = 1.10
MAX_SLOPE: Final = 1.25
"""Depth per face unit; steeper, and a turn of 20 degrees folds the nose over the cheek."""
UPPER_BOX: Final = (-1.16, -1.02, 1.16)
"""Left, top, right of what the upper face's controls move, in face units."""
LOWER_SIDE: Final = 1.28
LOWER_FOOT: Final = 0.62
"""The lower face reaches this far beside the middle and below the chin, in face units."""
BAND: Final = 0.14
"""Within this distance of the border between the regions only what moves both of them moves, in face units."""
_FADE: Final = 0.22
_CONTROLS_RADIUS: Final = 0.035
_SMOOTHING: Final = 3e-4


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the field lattice, in nodes."""

    x: int
    y: int
    columns: int
    rows: int

    @property
    def box_px(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in picture pixels, the last ones exclusive."""
        step = FIELD_STEP_PX
        return self.x * step, self.y * step, (self.x + self.columns - 1) * step, (self.y + self.rows - 1) * step


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """Everything that moves, on lattices."""

    points: NDArray[np.float32]
    """(n, n, 3) face units of the pose lattice's nodes."""
    follows: NDArray[np.float32]
    """(n, n) how much a node follows the head."""
    upper: NDArray[np.float32]
    """(controls, rows, columns, 3): flow in face units, and depth gained against the surface it moves over."""
    lower: NDArray[np.float32]
    """The same, (controls, rows, 2 columns, 3): on the left the upper lip's side, on the right the lower lip's."""
    upper_window: Window
    lower_window: Window
    border: float
    """v of the line between the regions."""
    lips: NDArray[np.float32]
    """(44, 3) face units of LIP_POINTS at rest."""
    lip_moves: NDArray[np.float32]
    """(controls, 44, 3), in the order of the lower region's controls."""


def region_border(face: Floats) -> float:
    """v of the line between the regions: across the nose, where neither brows nor lips reach."""
    return 0.58 * float(face[NOSE_BASE, 1])


def lay_out(face: Floats, frame: FaceFrame, alpha: Image, basis: dict[str, Moves]) -> Fields:
    """Fields of a face at rest (478, 3); `frame` and `alpha` (PICTURE_PX, PICTURE_PX) are in picture pixels."""
    count = PICTURE_PX // POSE_STEP_PX + 1
    fine = lattice(PICTURE_PX // FIELD_STEP_PX + 1, PICTURE_PX // FIELD_STEP_PX + 1, FIELD_STEP_PX)
    units = frame.to_units(fine)
    depth = _depth(face, frame, alpha, units)
    every = POSE_STEP_PX // FIELD_STEP_PX
    coarse = np.dstack([units, depth])[::every, ::every].astype(np.float32)
    assert coarse.shape[:2] == (count, count)
    chin, border = float(face[CHIN, 1]), region_border(face)
    follows = 1 - smoothstep(1.30, 2.7, coarse[..., 1] - 0.25 * np.exp(-((coarse[..., 0] / 0.7) ** 2)))
    upper_window = _window(frame, UPPER_BOX[0], UPPER_BOX[1], UPPER_BOX[2], border + BAND + 0.04)
    lower_window = _window(frame, -LOWER_SIDE, border - BAND - 0.04, LOWER_SIDE, chin + LOWER_FOOT)
    lids = {*RIGHT_UPPER_LID, *RIGHT_LOWER_LID, *LEFT_UPPER_LID, *LEFT_LOWER_LID}
    place = _Placing(face, basis, units, depth, frame, chin, border)
    calm = lids | (LOWER_LIP - LIP_CORNERS)
    upper = place.field((*UPPER_CONTROLS, *BOTH_CONTROLS), upper_window, calm)
    high = place.field((*BOTH_CONTROLS, *LOWER_CONTROLS), lower_window, calm)
    low = place.field((*BOTH_CONTROLS, *LOWER_CONTROLS), lower_window, lids | (UPPER_LIP - LIP_CORNERS))
    # near the line between the regions all three are one, so that pictures meet there
    v = units[lower_window.y :, lower_window.x :, 1][: lower_window.rows, : lower_window.columns]
    apart = smoothstep(border + BAND, border + BAND + 0.2, v).astype(np.float32)[..., None]
    low = high + (low - high) * apart
    ids = list(LIP_POINTS)
    at_nodes = (frame.to_px(face[ids, :2]) / FIELD_STEP_PX).astype(np.float32)
    z = cv2.remap(depth, at_nodes[:, 0], at_nodes[:, 1], cv2.INTER_LINEAR)[:, 0]
    return Fields(
        points=coarse, follows=follows.astype(np.float32), upper=upper, lower=np.concatenate([high, low], axis=2),
        upper_window=upper_window, lower_window=lower_window, border=border,
        lips=np.c_[face[ids, :2], z].astype(np.float32),
        lip_moves=np.stack([basis[name][ids] for name in (*BOTH_CONTROLS, *LOWER_CONTROLS)]).astype(np.float32),
    )  # fmt: skip


def _depth(face: Floats, frame: FaceFrame, alpha: Image, units: Floats) -> Image:
    """z at every node: the mesh inside the face, a constant at the head's outline, in between smooth."""
    contours, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = frame.to_units(max(contours, key=len)[:, 0].astype(np.float64))
    outline = outline[outline[:, 1] < 0.7][::12]
    neck = np.array([(x, y) for x in (-0.6, 0.0, 0.6) for y in (2.2, 2.8)])
    at = stack(face[:MESH_POINTS, :2], outline, neck)
    z = np.r_[face[:MESH_POINTS, 2], np.full(len(outline), SILHOUETTE_Z), np.full(len(neck), 0.9)]
    rough = Scattered(at, z[:, None], radius=0.08, smoothing=2e-3)(units.reshape(-1, 2)).reshape(units.shape[:2])
    limited = limit_slope(np.clip(rough, -0.65, 1.2).astype(np.float32), MAX_SLOPE * FIELD_STEP_PX / frame.scale_px)
    return blur(limited, 0.06 * frame.scale_px / FIELD_STEP_PX)


def _window(frame: FaceFrame, left: float, top: float, right: float, bottom: float) -> Window:
    corners = frame.to_px(np.array([(left, top), (right, top), (left, bottom), (right, bottom)]))
    last = PICTURE_PX // FIELD_STEP_PX
    low = np.clip(np.floor(corners.min(0) / FIELD_STEP_PX).astype(int), 0, last)
    high = np.clip(np.ceil(corners.max(0) / FIELD_STEP_PX).astype(int), 0, last)
    return Window(int(low[0]), int(low[1]), int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Placing:
    face: Floats
    basis: dict[str, Moves]
    units: Floats
    depth: Image
    frame: FaceFrame
    chin: float
    border: float

    def field(self, names: Sequence[str], window: Window, without: set[int] | frozenset[int]) -> NDArray[np.float32]:
        """The named controls on a window's nodes, interpolated from the mesh points that are not left out."""
        rows = slice(window.y, window.y + window.rows)
        columns = slice(window.x, window.x + window.columns)
        units = self.units[rows, columns]
        ids = [i for i in range(MESH_POINTS) if i not in without]
        angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        rings = [np.stack([r * np.cos(angles), 0.35 + (r + 0.3) * np.sin(angles)], 1) for r in (1.75, 3.0)]
        values = np.concatenate([self.basis[name][ids] for name in names], axis=1)
        still = np.zeros((2 * len(angles), values.shape[1]))
        flow = Scattered(stack(self.face[ids, :2], *rings), np.r_[values, still], _CONTROLS_RADIUS, _SMOOTHING)
        out = flow(units.reshape(-1, 2)).reshape(*units.shape[:2], len(names), 3).transpose(2, 0, 1, 3).copy()
        for row, name in enumerate(names):
            out[row] *= self._extent(name, units)[..., None]
        slope = np.gradient(self.depth, FIELD_STEP_PX / self.frame.scale_px)
        # the depth of a point against the surface at the place it moves to (first order)
        slope_px = np.stack([slope[1][rows, columns], slope[0][rows, columns]], -1) @ self.frame.axes.T
        out[..., 2] -= (out[..., :2] * slope_px).sum(-1)
        return np.asarray(out, np.float32)

    def _extent(self, name: str, units: Floats) -> Floats:
        """1 where a control may move the picture, exactly 0 beyond its region's borders."""
        u, v = np.abs(units[..., 0]), units[..., 1]
        upper = (1 - smoothstep(-UPPER_BOX[0] - _FADE, -UPPER_BOX[0] - 0.04, u)) * smoothstep(
            UPPER_BOX[1] + 0.04, UPPER_BOX[1] + _FADE, v
        )
        lower = (1 - smoothstep(LOWER_SIDE - _FADE, LOWER_SIDE - 0.04, u)) * (
            1 - smoothstep(self.chin + LOWER_FOOT - 0.34, self.chin + LOWER_FOOT - 0.04, v)
        )
        if name in UPPER_CONTROLS:
            return upper * (1 - smoothstep(self.border - BAND - 0.16, self.border - BAND, v))
        if name in LOWER_CONTROLS:
            return lower * smoothstep(self.border + BAND, self.border + BAND + 0.16, v)
        return upper * lower
