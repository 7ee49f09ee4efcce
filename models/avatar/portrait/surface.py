"""The face's surface at rest, described so that movements can be written down: what is lip, what lies above."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.numerics import Floats, smoothstep
from models.avatar.portrait.topology import (
    CHIN,
    LEFT_CORNER,
    LIP_CORNERS,
    LOWER_LIP,
    LOWER_OUTER,
    MESH_POINTS,
    NOSE_BASE,
    RIGHT_CORNER,
    UPPER_INNER,
    UPPER_LIP,
    UPPER_OUTER,
)

Moves = NDArray[np.float64]
"""Displacements of the mesh points, (MESH_POINTS, 3) in face units."""


def moves(du: NDArray[Any] | float = 0.0, dv: NDArray[Any] | float = 0.0, dz: NDArray[Any] | float = 0.0) -> Moves:
    """Displacements from their parts, each a number or (MESH_POINTS,)."""
    zero = np.zeros(MESH_POINTS)
    return np.stack([zero + du, zero + dv, zero + dz], 1)


def members(ids: object) -> NDArray[np.bool_]:
    """Which mesh points are in a collection of indices."""
    mask = np.zeros(MESH_POINTS, bool)
    mask[sorted(i for i in ids if i < MESH_POINTS)] = True  # type: ignore[attr-defined]
    return mask


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Per mesh point (MESH_POINTS,): place and relation to the mouth. Names follow the formulas of the basis."""

    face: Floats
    u: Floats
    v: Floats
    z: Floats
    middle: float
    """u of the mouth's middle."""
    half: float
    """Half the mouth's width."""
    line: float
    """v of the mouth line, mean."""
    nose: float
    chin: float
    t: Floats
    """-1 at the picture's left mouth corner, 1 at the right one; beyond outside."""
    reach: Floats
    """|t|, at most 1."""
    side: Floats
    below: Floats
    """v under the mouth line, negative above it."""
    low: NDArray[np.bool_]
    """Belongs to the lower half: what moves with the lower lip and the jaw."""
    upper_lip: NDArray[np.bool_]
    lower_lip: NDArray[np.bool_]
    upper_depth: Floats
    lower_depth: Floats
    """0 at the lip's inner edge, 1 at its outer edge."""
    upper_pull: Floats
    lower_pull: Floats
    """Influence of movers of the upper and lower lip, 1 at the lip and fading out over the skin."""
    edge: Floats
    """Distance outside the lips' outline, 0 on the lips."""

    def spot(self, cu: float, cv: float, ru: float, rv: float) -> Floats:
        """A Gaussian spot at (cu from the mouth's middle, cv)."""
        return np.asarray(np.exp(-(((self.u - self.middle - cu) / ru) ** 2) - ((self.v - cv) / rv) ** 2))

    def twin(self, cu: float, cv: float, ru: float, rv: float) -> Floats:
        """A spot on either side."""
        return self.spot(cu, cv, ru, rv) + self.spot(-cu, cv, ru, rv)

    @property
    def is_up(self) -> NDArray[np.bool_]:
        """Belongs to the upper half."""
        return ~self.low


def survey(face: Floats) -> Surface:
    """Describe a face at rest, (478, 3) in face units."""
    points = face[:MESH_POINTS]
    u, v, z = points.T
    middle = (face[RIGHT_CORNER, 0] + face[LEFT_CORNER, 0]) / 2
    half = (face[LEFT_CORNER, 0] - face[RIGHT_CORNER, 0]) / 2
    seam = _Row(face, UPPER_INNER)
    below = v - seam(u)
    upper_lip, lower_lip = members(UPPER_LIP | LIP_CORNERS), members(LOWER_LIP)
    low = ((below > 0) & ~upper_lip) | lower_lip
    nose, chin, line = face[NOSE_BASE, 1], face[CHIN, 1], float(face[list(UPPER_INNER), 1].mean())
    top, bottom = _Row(face, UPPER_OUTER)(u), _Row(face, LOWER_OUTER)(u)
    t = (u - middle) / half
    above_px, under_px = (line - nose) * 0.95, (chin - line) * 0.55
    outside = np.hypot(np.maximum(0, np.abs(t) - 1) * half, np.maximum(0, np.where(low, v - bottom, top - v)))
    return Surface(
        face=face, u=u, v=v, z=z, middle=float(middle), half=float(half), line=line, nose=float(nose),
        chin=float(chin), t=t, reach=np.clip(np.abs(t), 0, 1), side=np.sign(t), below=below, low=low,
        upper_lip=upper_lip, lower_lip=lower_lip,
        upper_depth=np.clip(-below / np.maximum(seam(u) - top, 0.02), 0, 1),
        lower_depth=np.clip(below / np.maximum(bottom - seam(u), 0.02), 0, 1),
        upper_pull=np.where(low, 0, 1 - smoothstep(0.30 * above_px, 1.15 * above_px, -below)),
        lower_pull=np.where(low, 1 - smoothstep(0.30 * under_px, 1.30 * under_px, below), 0),
        edge=outside,
    )  # fmt: skip


class _Row:
    """v of a contour at any u."""

    def __init__(self, face: Floats, ids: tuple[int, ...]) -> None:
        order = np.argsort(face[list(ids), 0])
        self._u, self._v = face[list(ids), 0][order], face[list(ids), 1][order]

    def __call__(self, u: Floats) -> Floats:
        return np.asarray(np.interp(u, self._u, self._v))


DEPTH_AT_JAW: Final = 0.85
"""z of the jaw's hinge in face units."""
