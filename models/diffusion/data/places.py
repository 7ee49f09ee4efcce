"""Where the parts of an illustrated face lie in the picture: points for flow, outlines for masks, landmarks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar import face_shape
from models.avatar.eye_shape import COLUMNS as LID_COLUMNS
from models.avatar.eye_shape import FORWARD, IRIS_RADIUS, eye_points, lids
from models.avatar.eye_shape import PARTS as EYE_PARTS
from models.avatar.eyes import SHUT
from models.avatar.face_shape import Surface
from models.avatar.geometry import Points, smoothstep
from models.avatar.mesh import crossings
from models.avatar.mouth_shape import COLUMNS, MouthShape, mouth_shape
from models.avatar.projection import View
from realtime.core.facs import Controls

OPEN: Final = 0.35
"""Gap between the lips, in head units, from which on the rig draws what lies behind them."""
_SPAN: Final = np.linspace(-1, 1, 11)
_MIDDLE: Final = np.array([0.0, 5.0])
_AROUND: Final = 1.55
_TURN: Final = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_EYE_CENTRES: Final = np.array([(-37.4, -4.6), (37.4, -4.6)])
_ENDS: Final = np.cumsum(list(EYE_PARTS.values()))[:-1]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """One face in one frame, in pixels of the picture."""

    points: Points
    """(N, 2): the same points of the skin in every frame."""
    outlines: Mapping[str, tuple[Points, ...]]
    """Closed outlines by part: `skin`, `upper_lip`, `lower_lip`, `opening`, `upper_teeth`, `lower_teeth`, `tongue`,
    `lid`, `lashes`, `eyeball`, `iris`, `brow`."""
    landmarks: Points
    """(len(LANDMARKS), 2)."""
    centre: Points
    """(2,): between the eyes."""
    unit_px: float
    """Distance of the eye centres when facing the viewer."""


class FacePlaces:
    """The places of one host."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        vertices, _ = crossings(np.arange(-90.0, 91.0, 12.0), np.arange(-96.0, 121.0, 12.0))
        x, y = np.abs(vertices[:, 0]), vertices[:, 1]
        free = ~(((x < 40) & (y > 52) & (y < 92)) | ((x > 10) & (x < 66) & (y > -44) & (y < 12)))
        self._vertices = vertices[free]
        self._outline = face_shape.outline(96)

    def at(self, view: View, controls: Controls) -> Places:
        """All places for controls that are settled already (see `face_shape.settled`)."""
        mouth = mouth_shape(controls, self._surface.shape.lip_fullness)
        lines = self._lip_lines(view, mouth)
        eyes = [self._eye(view, controls, side) for side in (-1, 1)]
        lids_and_brows = [np.concatenate([eye["lids"].reshape(-1, 2), eye["brow"].reshape(-1, 2)]) for eye in eyes]
        rest_eyes = view.head(self._surface.lift(_EYE_CENTRES))
        facing = self._surface.lift(_EYE_CENTRES)
        return Places(
            points=np.concatenate(
                [self._skin(view, controls, self._vertices), self._around(view), lines.reshape(-1, 2), *lids_and_brows]
            ),
            outlines=self._outlines(view, controls, mouth, lines, eyes),
            landmarks=_landmarks(lines, eyes),
            centre=np.asarray(rest_eyes.mean(0)),
            unit_px=float(facing[1, 0] - facing[0, 0]) * 1.36,
        )

    def iris_points(self, view: View, controls: Controls) -> Points:
        """Points on both irises, (2 * 7, 2): they move with the gaze. Well inside, or they would tear at the lids."""
        eyes = [self._eye(view, controls, side) for side in (-1, 1)]
        inner = [np.vstack([eye["centre"] + 0.4 * (eye["iris"][::4] - eye["centre"]), eye["centre"]]) for eye in eyes]
        return np.concatenate(inner)

    def _skin(self, view: View, c: Controls, at: Points) -> Points:
        """As `models.avatar.face.Face` moves its sheet."""
        xyz = self._surface.points(at)
        basis = face_shape.skin_basis(at)
        xyz[:, :2] += np.einsum("w,wnk->nk", face_shape.skin_weights(c), basis)
        drop = face_shape.jaw_drop(c) * face_shape.jaw_share(at[:, 1])
        xyz[:, 0] *= 1 - 0.0022 * drop
        xyz[:, 1] += drop
        return view.head(xyz)

    def _around(self, view: View) -> Points:
        """Points about the face, which its muscles do not move."""
        ring = (self._outline[::4] - _MIDDLE) * _AROUND + _MIDDLE
        return view.head(self._surface.points(ring))

    def _lip_lines(self, view: View, m: MouthShape) -> NDArray[np.float64]:
        """Outer and inner line of the upper lip, inner and outer line of the lower: (4, COLUMNS, 2)."""
        ys = (m.upper_out, m.upper_in, m.lower_in, m.lower_out)
        xs = (m.x * 1.03, m.x, m.x, m.x * 1.03)
        forward = np.repeat([0.8, 0.6, 0.6, 0.8], COLUMNS) + m.forward
        return self._on_mouth(view, np.column_stack([np.concatenate(xs), np.concatenate(ys)]), forward, m.jaw * 0.55)

    def _on_mouth(
        self, view: View, xy: Points, forward: float | NDArray[np.float64], jaw: float
    ) -> NDArray[np.float64]:
        flat = xy.copy()
        flat[:, 1] = np.clip(flat[:, 1] - jaw * smoothstep(flat[:, 1], 64, 90), 52, 100)
        flat[:, 0] *= 0.95
        px = view.head(self._surface.carry(xy, flat, forward))
        return px.reshape(-1, COLUMNS, 2) if len(xy) == 4 * COLUMNS else px

    def _eye(self, view: View, c: Controls, side: int) -> dict[str, NDArray[np.float64]]:
        xy = eye_points(c, side, lids(c, side), self._surface.shape)
        px = view.head(self._surface.lift(xy, FORWARD))
        lid, lashes, _, brow, iris = np.split(px, _ENDS)
        centre, across, down = iris[0], iris[1] - iris[0], iris[2] - iris[0]
        ring = centre + IRIS_RADIUS * (np.cos(_TURN)[:, None] * across + np.sin(_TURN)[:, None] * down)
        half = len(lashes) // 2
        return {
            "lids": lid.reshape(4, LID_COLUMNS, 2), "brow": brow.reshape(3, -1, 2), "iris": ring, "centre": iris[:1],
            "lashes": np.concatenate([lashes[:half], lashes[half:][::-1]]),
        }  # fmt: skip

    def _outlines(
        self, view: View, c: Controls, m: MouthShape, lines: NDArray[np.float64],
        eyes: list[dict[str, NDArray[np.float64]]],
    ) -> Mapping[str, tuple[Points, ...]]:  # fmt: skip
        upper_out, upper_in, lower_in, lower_out = lines
        width, arch = min(m.half_width * 0.92, 26.0), 2.6 * _SPAN**2

        def row(half: float, top: NDArray[np.float64], bottom: NDArray[np.float64]) -> Points:
            x = _SPAN * half
            xy = np.concatenate([np.column_stack([x, top]), np.column_stack([x, bottom])[::-1]])
            return self._on_mouth(view, xy, -3.0, 0.0)

        low = float(m.lower_in[COLUMNS // 2])
        back = min(0.42 * m.gap, 7.5)
        raised = low - (low - m.teeth_y + 3.0) * c["tongue_up"]
        tip = low - back + 3.0 * _SPAN**2 if c["tongue_up"] <= 0.05 else raised + 1.6 * _SPAN**2
        if c["tongue_out"] > 0.05:
            tip = m.teeth_y - 0.6 + 0.8 * _SPAN**2
        skin = self._skin(view, c, self._outline)
        return {
            "skin": (skin,),
            "upper_lip": (np.concatenate([upper_out, upper_in[::-1]]),),
            "lower_lip": (np.concatenate([lower_in, lower_out[::-1]]),),
            "opening": (np.concatenate([upper_in, lower_in[::-1]]),) if m.gap > OPEN else (),
            "upper_teeth": (row(width, m.teeth_y - 12.0 - arch * 0.4, m.teeth_y - arch),),
            "lower_teeth": (row(width * 0.86, m.lower_teeth_y + arch * 0.6, m.lower_teeth_y + arch * 0.6 + 7.0),),
            "tongue": (row(m.half_width * 0.62, tip, np.maximum(tip, low) + 6.0),),
            "lid": tuple(np.concatenate([eye["lids"][2], eye["lids"][0][::-1]]) for eye in eyes),
            "lashes": tuple(eye["lashes"] for eye in eyes),
            "eyeball": tuple(
                np.concatenate([eye["lids"][0], eye["lids"][1][::-1]])
                for eye, name in zip(eyes, ("blink_r", "blink_l"), strict=True)
                if c[name] < SHUT
            ),
            "iris": tuple(eye["iris"] for eye in eyes),
            "brow": tuple(np.concatenate([eye["brow"][0], eye["brow"][2][::-1]]) for eye in eyes),
        }


def _landmarks(lines: NDArray[np.float64], eyes: list[dict[str, NDArray[np.float64]]]) -> Points:
    middle, lid_middle = COLUMNS // 2, LID_COLUMNS // 2
    rows = [(lines[1, 0] + lines[2, 0]) / 2, (lines[1, -1] + lines[2, -1]) / 2, *(line[middle] for line in lines)]
    for eye in eyes:
        upper, lower = eye["lids"][:2]
        brow = eye["brow"][1]
        rows += [upper[0], upper[-1], upper[lid_middle], lower[lid_middle], eye["centre"][0]]
        rows += [brow[0], brow[len(brow) // 2], brow[-1]]
    return np.array(rows)
