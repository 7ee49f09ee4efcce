"""Where the parts of a streamed face lie, for either kind of avatar: what the denoiser's conditioning is drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.face_shape import Surface, settled
from models.avatar.geometry import Points
from models.avatar.host import IllustratedHost
from models.avatar.portrait.assets import Assets
from models.avatar.portrait.avatar import PortraitAvatar
from models.avatar.portrait.eyes import GAZE_UNITS, SIDES, Eye
from models.avatar.portrait.framing import PICTURE_PX, PLATE_PX
from models.avatar.portrait.geometry import POSE_STEP_PX, Posture
from models.avatar.portrait.mouth import Placing
from models.avatar.portrait.rig import lip_weights
from models.avatar.projection import View
from models.diffusion.data.places import FacePlaces
from models.diffusion.data.raster import Frame, field_masks
from models.diffusion.spec import BOXES, CROPS, FIELDS
from realtime.core.facs import REST, Controls
from realtime.core.values import BaseKey
from realtime.ports import Avatar

KINDS: Final = ("illustrated", "portrait")
HEAD_UNITS: Final = 74.8
"""An illustrated head's own units between its eye centres."""
EYES_ABOVE: Final = 4.6
"""How far above the origin of an illustrated head its eyes lie, in its own units."""
_OPEN_PX: Final = 0.5
"""Gap between the lips from which on a portrait draws what lies behind them."""
_ROW: Final = 11
_LID_POINTS: Final = 9
_LID_UNITS: Final = 0.085
"""Height of the lid between crease and margin over the middle of an open eye."""
_BLUR_PX: Final = {
    "upper_lip": 0.8, "lower_lip": 0.8, "opening": 0.8, "upper_teeth": 1.6, "lower_teeth": 1.6, "tongue": 2.0,
    "lid": 1.0, "eyeball": 0.8, "iris": 0.8,
}  # fmt: skip
"""Nets for portraits learn from these very masks; what the warp hides is not known to them."""
_TEETH: Final = (0.30, 0.10)
_TONGUE: Final = (0.20, 0.25)
"""Half width and height in face units of what is expected of a tooth row, and of the tongue."""
_TURN: Final = np.linspace(0, 2 * np.pi, 16, endpoint=False)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in one frame, in pixels of the picture."""

    points: Points
    """(N, 2): the same points of the skin in every frame."""
    outlines: Mapping[str, tuple[Points, ...]]
    """Closed outlines, by the names that `data.raster.field_masks` takes."""


class Faces(Protocol):
    """One avatar's faces."""

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        ...

    def at(self, key: BaseKey, controls: Controls) -> Face:
        """The face at a pose."""
        ...

    def frame(self, crop: str, key: BaseKey) -> Frame:
        """Where a crop lies at a pose: it follows the head's turn and shift, not its tilt."""
        ...

    def fields(self, face: Face, frame: Frame) -> NDArray[np.uint8]:
        """The channels `spec.FIELDS` of a crop, (F, H, W), as the training's source of this kind draws them."""
        ...


def faces_of(avatar: Avatar) -> Faces | None:
    """The faces of an avatar; None for a kind that the denoiser does not know."""
    if isinstance(avatar, PortraitAvatar):
        return PortraitFaces(avatar.assets)
    if isinstance(avatar, IllustratedHost):
        return IllustratedFaces(Surface(avatar.spec.shape))
    return None


class IllustratedFaces:
    """Of a host drawn by code."""

    kind = "illustrated"

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._places = FacePlaces(surface)
        self._unit_px = self._places.at(View.of((0,) * 6), settled(REST)).unit_px

    def at(self, key: BaseKey, controls: Controls) -> Face:
        found = self._places.at(View.of(key), settled(controls))
        return Face(found.points, found.outlines)

    def frame(self, crop: str, key: BaseKey) -> Frame:
        left, top, right, bottom = BOXES[crop]
        size = CROPS[crop]
        middle = np.array([[(left + right) / 2 * HEAD_UNITS, (top + bottom) / 2 * HEAD_UNITS - EYES_ABOVE]])
        x, y = View.of(key).head(self._surface.lift(middle))[0]
        scale = size.width / ((right - left) * self._unit_px)
        return Frame(scale, (float(x), float(y)), (size.width / 2, size.height / 2), size.width, size.height)

    def fields(self, face: Face, frame: Frame) -> NDArray[np.uint8]:
        return field_masks(face.outlines, frame, np.zeros((frame.height, frame.width), np.bool_))


class PortraitFaces:
    """Of a portrait."""

    kind = "portrait"

    def __init__(self, assets: Assets) -> None:
        self._a = assets
        lips = assets.fields.lips
        self._mouth = (float(lips[[0, 10], 0].mean()), float(lips[:_ROW, 1].mean()), float(lips[[5, 16], 2].mean()))
        self._eyes = tuple(_Eye.of(eye, assets) for eye in assets.eyes)

    def at(self, key: BaseKey, controls: Controls) -> Face:
        placing = self._placing(key)
        layout = self._a.fields
        lips = placing.pixels(layout.lips + np.tensordot(lip_weights(controls), layout.lip_moves, 1))
        upper_in, lower_in, upper_out, lower_out = lips.reshape(4, _ROW, 2)
        down = self._a.frame.axes[1]
        touching = ((lower_in - upper_in) @ down < _OPEN_PX)[:, None]
        middle = (upper_in + lower_in) / 2
        upper_in, lower_in = np.where(touching, middle, upper_in), np.where(touching, middle, lower_in)
        eyes = [eye.at(placing, controls, side[3]) for eye, side in zip(self._eyes, SIDES, strict=True)]
        upper_teeth, lower_teeth, tongue = self._inside(placing, controls)
        return Face(
            points=np.concatenate([lips, *(eye["margin"] for eye in eyes)]),
            outlines={
                "upper_lip": (np.concatenate([upper_out, upper_in[::-1]]),),
                "lower_lip": (np.concatenate([lower_in, lower_out[::-1]]),),
                "opening": () if touching.all() else (np.concatenate([upper_in, lower_in[::-1]]),),
                "upper_teeth": (upper_teeth,), "lower_teeth": (lower_teeth,), "tongue": (tongue,),
                "lid": tuple(eye["lid"] for eye in eyes),
                "eyeball": tuple(eye["ball"] for eye in eyes if len(eye["ball"])),
                "iris": tuple(eye["iris"] for eye in eyes),
            },
        )  # fmt: skip

    def frame(self, crop: str, key: BaseKey) -> Frame:
        left, top, right, _ = BOXES[crop]
        size, unit_px = CROPS[crop], self._a.frame.scale_px
        x, y = self._placing(key).pixels(np.zeros((1, 3)))[0]
        scale = size.width / ((right - left) * unit_px)
        corner = (-left * unit_px * scale, -top * unit_px * scale)
        return Frame(scale, (float(x), float(y)), corner, size.width, size.height)

    def fields(self, face: Face, frame: Frame) -> NDArray[np.uint8]:
        found = field_masks(face.outlines, frame, np.zeros((frame.height, frame.width), np.bool_))
        for index, name in enumerate(FIELDS):
            if name not in _BLUR_PX:
                found[index] = 0
            elif found[index].any():
                found[index] = cv2.GaussianBlur(found[index], (0, 0), _BLUR_PX[name])
        return found

    def _placing(self, key: BaseKey) -> Placing:
        return Placing.of(Posture.of(key), self._a.frame, self._mouth)

    def _inside(self, placing: Placing, c: Controls) -> tuple[Points, Points, Points]:
        """Where `portrait.mouth` paints both tooth rows and the tongue, as rectangles."""
        middle, line, z = self._mouth
        forward = min(1.0, c["AU18"] + 0.5 * c["AU22"])
        drop = 0.40 * c["AU26"] * (1 - 0.35 * c["teeth"])
        edge = self._a.mouth.edge_v - 0.030 * forward
        low = line + 0.047 + 0.94 * drop + 0.03 * forward - 0.016 * c["teeth"]
        lying, raised = line + 0.066 + 0.48 * drop, line + 0.060 + 0.12 * drop
        top = lying + (raised - lying) * 0.9 * c["tongue_up"]
        top += (edge - 0.026 - top) * c["tongue_out"]

        def box(half: float, v0: float, v1: float) -> Points:
            u = np.array([-half, half, half, -half]) + middle
            return placing.pixels(np.column_stack([u, [v0, v0, v1, v1], np.full(4, z + 0.10)]))

        (wide, tall), (narrow, thick) = _TEETH, _TONGUE
        return box(wide, edge - tall, edge), box(wide * 0.86, low, low + tall), box(narrow, top, top + thick)


@dataclass(frozen=True, slots=True, eq=False)
class _Eye:
    """One eye of a portrait in face units: rows are columns of the plate, from corner to corner."""

    u: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    z: float
    iris: tuple[float, float, float]
    """Centre and radius."""

    @staticmethod
    def of(eye: Eye, assets: Assets) -> "_Eye":
        """Of an eye in plate pixels; a plain face, not tilted in its own photo, is what its columns are read as."""
        inside = np.flatnonzero(eye.inside > 0.5)
        columns = np.linspace(inside[0], inside[-1], _LID_POINTS).round().astype(int)
        ratio = PLATE_PX / PICTURE_PX

        def units(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
            plate = np.column_stack([x + eye.x, y + eye.y])
            return assets.frame.to_units((plate - (ratio - 1) / 2) / ratio)

        upper = units(columns.astype(float), eye.upper[columns].astype(float))
        lower = units(columns.astype(float), eye.lower[columns].astype(float))
        alpha = np.asarray(eye.iris_alpha, np.float64)
        rows, across = np.mgrid[: alpha.shape[0], : alpha.shape[1]]
        weight = max(1e-6, float(alpha.sum()))
        centre = units(np.array([(across * alpha).sum() / weight]), np.array([(rows * alpha).sum() / weight]))[0]
        middle_px = assets.frame.to_px(np.vstack([upper, lower]).mean(0))
        node = (middle_px[None, None] / POSE_STEP_PX).astype(np.float32)
        depth = cv2.remap(np.ascontiguousarray(assets.fields.points[..., 2]), node, np.empty(0), cv2.INTER_LINEAR)
        radius = float(np.sqrt(weight / np.pi)) / eye.unit_px
        return _Eye(
            (upper[:, 0] + lower[:, 0]) / 2, upper[:, 1], lower[:, 1], float(depth[0, 0]),
            (float(centre[0]), float(centre[1]), radius),
        )  # fmt: skip

    def at(self, placing: Placing, c: Controls, blink_name: str) -> dict[str, Points]:
        """Margin, lid, eyeball and iris in picture pixels; the lids move as `portrait.eyes.draw` moves them."""
        blink, squint, widen, look = c[blink_name], c["AU7"], c["AU5"], c["gaze_y"]
        gap = self.lower - self.upper
        follow = 0.22 * look if look > 0 else 0.10 * look
        upper = self.upper + gap * (0.88 * blink + (1 - blink) * (0.10 * squint + follow - 0.20 * widen))
        lower = self.lower - gap * (0.12 * blink + (1 - blink) * 0.20 * squint)
        upper = np.minimum(upper, lower)
        crease = self.upper - _LID_UNITS * np.sin(np.linspace(0.12, np.pi - 0.12, _LID_POINTS))

        def px(u: NDArray[np.float64], v: NDArray[np.float64]) -> Points:
            return placing.pixels(np.column_stack([u, v, np.full(len(u), self.z)]))

        margin, below = px(self.u, upper), px(self.u, lower)
        x, y, radius = self.iris
        x, y = x + c["gaze_x"] * GAZE_UNITS[0], y + look * GAZE_UNITS[1]
        shut = float((lower - upper).max()) < 0.01
        return {
            "margin": np.concatenate([margin, below, px(self.u, crease)]),
            "lid": np.concatenate([px(self.u, crease), margin[::-1]]),
            "ball": np.empty((0, 2)) if shut else np.concatenate([margin, below[::-1]]),
            "iris": px(x + radius * np.cos(_TURN), y + radius * np.sin(_TURN)),
        }
