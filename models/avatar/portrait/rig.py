"""Draws a portrait: base frames at a pose, and the face's regions over them, each with one warp of the photo."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait import shading
from models.avatar.portrait.assets import Assets
from models.avatar.portrait.basis import BOTH_CONTROLS, LOWER_CONTROLS, UPPER_CONTROLS
from models.avatar.portrait.eyes import SIDES, draw
from models.avatar.portrait.fields import BAND, Window
from models.avatar.portrait.flow import inverse, lattice, spread
from models.avatar.portrait.framing import PICTURE_PX, PLATE_PX
from models.avatar.portrait.geometry import FIELD_STEP_PX, POSE_STEP_PX, REST_KEY, Posture, lean_centre
from models.avatar.portrait.mouth import Lips, Placing, draw_inside
from models.avatar.portrait.numerics import remap
from models.avatar.portrait.shading import MAP_PX
from realtime.core.facs import CONTROL_INDEX, Controls
from realtime.core.units import even_ceil, even_floor
from realtime.core.values import I420, BaseKey, Roi

Picture = NDArray[np.uint8]
Map = NDArray[np.float32]

WHOLE: Final = Roi(0, 0, PICTURE_PX, PICTURE_PX)
_POSE_NEWTON, _FIELD_NEWTON = 4, 4
_UPPER: Final = np.array([CONTROL_INDEX[n] for n in (*UPPER_CONTROLS, *BOTH_CONTROLS)], np.intp)
_LOWER: Final = np.array([CONTROL_INDEX[n] for n in (*BOTH_CONTROLS, *LOWER_CONTROLS)], np.intp)
_GAIN_UNIT: Final = 128
"""A gain of 1 in the bytes that shading multiplies with."""
_KEPT_VIEWS: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A pose, worked out: where every pixel of the head comes from."""

    posture: Posture
    placing: Placing
    origin: Map
    """(n, n, 2) at the pose lattice's nodes: the resting picture's pixel that is seen there."""
    rois: dict[str, Roi]
    """`upper` and `lower`, sharing one edge; or, at strong turns, `lower` for the whole face alone."""


class Rig:
    """One portrait, ready to draw. Pure: the same arguments give the same pixels."""

    def __init__(self, assets: Assets) -> None:
        self._a = assets
        self._frame = assets.frame
        self._lattice = lattice(len(assets.fields.follows), len(assets.fields.follows), POSE_STEP_PX)
        self._to_nodes = (assets.frame.axes * assets.frame.scale_px / FIELD_STEP_PX).astype(np.float32)
        lips = assets.fields.lips
        self._mouth = (float(lips[[0, 10], 0].mean()), float(lips[:11, 1].mean()), float(lips[[5, 16], 2].mean()))
        self.view = lru_cache(maxsize=_KEPT_VIEWS)(self._view)
        self._backs = lru_cache(maxsize=16)(self._back)
        self._eyes = lru_cache(maxsize=256)(self._eye)

    # --- pictures -------------------------------------------------------------------------------------------------

    def base(self, key: BaseKey) -> I420:
        """The base frame at a pose, face at rest."""
        view = self.view(key)
        origin = spread(view.origin, POSE_STEP_PX, 0, 0, PICTURE_PX, PICTURE_PX)
        return _i420(self._over_back(self._sample(self._a.head, origin), key, WHOLE))

    def full(self, key: BaseKey, controls: Controls) -> I420:
        """The whole picture with the face as it is, without a base frame."""
        return _i420(self._face(key, controls, WHOLE, upper=True, lower=True))

    def region(self, key: BaseKey, controls: Controls, name: str, roi: Roi) -> I420:
        """One region's pixels."""
        merged = "upper" not in self.view(key).rois
        return _i420(self._face(key, controls, roi, upper=merged or name == "upper", lower=name == "lower"))

    def _face(self, key: BaseKey, controls: Controls, roi: Roi, *, upper: bool, lower: bool) -> Picture:
        view = self.view(key)
        origin = spread(view.origin, POSE_STEP_PX, roi.x, roi.y, roi.width, roi.height)
        moved, lips = self._expression(origin, view, controls, roi, upper, lower)
        plate = self._with_eyes(controls) if upper else self._a.head
        picture = self._sample(plate, moved)
        self._shade(picture, moved, controls, upper, lower)
        out = self._over_back(picture, key, roi)
        if lips is not None:
            draw_inside(out, roi, lips, controls, self._a.mouth, view.placing)
        return out

    # --- where pixels come from -----------------------------------------------------------------------------------

    def _expression(
        self, origin: Map, view: View, controls: Controls, roi: Roi, upper: bool, lower: bool
    ) -> tuple[Map, Lips | None]:
        """Where the pixels of a region come from with the face moving, and the lips if the region has them."""
        layout = self._a.fields
        lips, flow = None, None
        if lower:
            weights = controls.vector[_LOWER]
            points = layout.lips + np.tensordot(weights, layout.lip_moves, 1)
            lips = Lips.of(view.placing.pixels(points), self._frame)
            if weights.any():
                both = self._flow(layout.lower, weights, view.posture)
                columns = layout.lower_window.columns
                pair = np.concatenate([both[:, :columns], both[:, columns:]], axis=2)
                four = _at(pair, origin, layout.lower_window)
                below = lips.below(roi)[..., None]
                flow = four[..., :2] + (four[..., 2:] - four[..., :2]) * below
        if upper:
            weights = controls.vector[_UPPER]
            if weights.any():
                high = _at(self._flow(layout.upper, weights, view.posture), origin, layout.upper_window)
                if flow is None:
                    flow = high if not lower else high * self._above(origin)[..., None]
                else:
                    flow = np.where(self._above(origin)[..., None], high, flow)
            elif flow is not None:
                flow = flow * ~self._above(origin)[..., None]
        return (origin if flow is None else origin + flow), lips

    def _flow(self, basis: NDArray[np.float32], weights: NDArray[np.float32], posture: Posture) -> Map:
        """Backward displacement in pixels at a window's nodes."""
        active = np.flatnonzero(weights)
        k, rows, columns, _ = basis.shape
        flat = weights[active] @ basis.reshape(k, -1)[active]
        units = flat.reshape(rows, columns, 3)
        rotation = posture.rotation
        parallax = np.linalg.solve(rotation[:2, :2], rotation[:2, 2]).astype(np.float32)
        forward = (units[..., :2] + units[..., 2:] * parallax) @ self._to_nodes
        return inverse(np.ascontiguousarray(forward), _FIELD_NEWTON) * np.float32(FIELD_STEP_PX)

    def _above(self, origin: Map) -> NDArray[np.bool_]:
        """Whether a pixel of the resting picture lies above the border between the regions."""
        row = self._frame.axes[1] / self._frame.scale_px
        offset = float(self._frame.origin_px @ row)
        return np.asarray(origin[..., 0] * row[0] + origin[..., 1] * row[1] - offset < self._a.fields.border)

    def _view(self, key: BaseKey) -> View:
        posture = Posture.of(key)
        layout = self._a.fields
        middle, line, z = self._mouth
        centre = lean_centre(self._frame, PICTURE_PX)
        forward = posture.zoomed(self._frame.to_px(posture.units(layout.points, layout.follows)), centre)
        if key != REST_KEY:
            moved = (forward - self._lattice) / POSE_STEP_PX
            origin = self._lattice + inverse(np.asarray(moved, np.float32), _POSE_NEWTON) * POSE_STEP_PX
        else:
            origin = self._lattice
        placing = Placing(self._frame, posture, middle, line, z)
        return View(posture, placing, np.asarray(origin, np.float32), self._rois(forward))

    def _rois(self, forward: NDArray[np.floating[Any]]) -> dict[str, Roi]:
        layout = self._a.fields
        upper, lower = (_inside(forward, window) for window in (layout.upper_window, layout.lower_window))
        units = layout.points
        near = np.abs(units[..., 0]) < 1.25
        step = POSE_STEP_PX / self._frame.scale_px
        height = units[..., 1] - layout.border
        above = forward[near & (height < -BAND + step) & (height > -BAND - step)][:, 1].max()
        below = forward[near & (height > BAND - step) & (height < BAND + step)][:, 1].min()
        x0, y0, x1, _ = _bounds(upper)
        x2, _, x3, y3 = _bounds(lower)
        if above > below:
            left, right = min(x0, x2), max(x1, x3)
            return {"lower": Roi(left, y0, right - left, y3 - y0)}
        split = even_floor((float(above) + float(below)) / 2)
        return {"upper": Roi(x0, y0, x1 - x0, split - y0), "lower": Roi(x2, split, x3 - x2, y3 - split)}

    # --- pixels ---------------------------------------------------------------------------------------------------

    def _sample(self, plate: Picture, origin: Map) -> Picture:
        """BGRA of the plate where the map points; two plate pixels to one of the picture."""
        ratio = PLATE_PX / PICTURE_PX
        where = origin * np.float32(ratio) + np.float32((ratio - 1) / 2)
        return np.asarray(remap(plate, where), np.uint8)

    def _shade(self, picture: Picture, origin: Map, controls: Controls, upper: bool, lower: bool) -> None:
        """Multiply folds and shine into a BGRA picture, in place."""
        gain: NDArray[np.float32] | None = None
        parts = (
            (upper, self._a.shades.upper, shading.upper_weights), (lower, self._a.shades.lower, shading.lower_weights),
        )  # fmt: skip
        for wanted, maps, weigh in parts:
            weights = weigh(controls)
            if wanted and weights.any():
                total = np.tensordot(weights, maps, 1)
                gain = total if gain is None else gain + total
        if gain is None:
            return
        where = origin[::2, ::2] * np.float32(MAP_PX / PICTURE_PX)
        seen = np.exp(remap(gain.astype(np.float32), where)) * _GAIN_UNIT
        size = (picture.shape[1], picture.shape[0])
        fine = cv2.resize(np.rint(seen).clip(0, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
        unit = np.full_like(fine, _GAIN_UNIT)
        cv2.multiply(picture, cv2.merge([fine, fine, fine, unit]), dst=picture, scale=1 / _GAIN_UNIT)

    def _with_eyes(self, controls: Controls) -> Picture:
        """The head's plate with the eyes drawn as the controls say."""
        plate = self._a.head
        own = False
        for side, (_, _, _, blink) in enumerate(SIDES):
            state = tuple(round(controls[name] * 64) for name in (blink, "AU5", "AU7", "gaze_x", "gaze_y"))
            if not any(state):
                continue
            if not own:
                plate, own = plate.copy(), True
            eye, pixels = self._a.eyes[side], self._eyes(side, state)
            plate[eye.y : eye.y + pixels.shape[0], eye.x : eye.x + pixels.shape[1], :3] = pixels
        return plate

    def _eye(self, side: int, state: tuple[int, ...]) -> Picture:
        blink, widen, squint, x, y = (n / 64 for n in state)
        drawn = draw(self._a.eyes[side], blink, widen, squint, (x, y))
        return np.asarray(np.clip(drawn + 0.5, 0, 255), np.uint8)

    def _over_back(self, head: Picture, key: BaseKey, roi: Roi) -> Picture:
        """The head over body and background, BGR."""
        alpha = np.ascontiguousarray(head[..., 3])
        front = cv2.cvtColor(head, cv2.COLOR_BGRA2BGR)
        if int(alpha.min()) == 255:
            return np.asarray(front, np.uint8)
        back = self._backs(key[3:])[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width]
        cover = cv2.merge([alpha, alpha, alpha])
        shown = cv2.multiply(front, cover, scale=1 / 255)
        return np.asarray(cv2.add(shown, cv2.multiply(back, cv2.bitwise_not(cover), scale=1 / 255)), np.uint8)

    def _back(self, body_key: BaseKey) -> Picture:
        """Body and background as breath, lean and shoulders move them."""
        if body_key == REST_KEY[3:]:
            return np.asarray(self._a.back)
        posture = Posture.of((0, 0, 0, *body_key))
        centre = lean_centre(self._frame, PICTURE_PX).astype(np.float32)
        units = self._a.fields.points
        outer = np.clip(np.abs(units[..., 0]) / 1.5, 0.25, 1.0)
        up = (posture.rise + posture.shoulders * outer)[..., None] * self._frame.axes[1] * self._frame.scale_px
        away = up - (self._lattice - centre) * (1 - 1 / posture.grow)
        origin = (self._lattice + away * self._a.body[..., None]).astype(np.float32)
        where = spread(origin, POSE_STEP_PX, 0, 0, PICTURE_PX, PICTURE_PX)
        return np.asarray(remap(self._a.back, where), np.uint8)


def _at(nodes: Map, origin: Map, window: Window) -> Map:
    """Values of a window's nodes where the map points."""
    shift = np.array([window.x, window.y], np.float32)
    where = origin * np.float32(1 / FIELD_STEP_PX) - shift
    return np.asarray(remap(nodes, where), np.float32)


def _inside(forward: NDArray[np.floating[Any]], window: Window) -> NDArray[np.floating[Any]]:
    """Forward positions of the pose nodes inside a window, (N, 2)."""
    left, top, right, bottom = (n / POSE_STEP_PX for n in window.box_px)
    rows = slice(int(np.floor(top)), int(np.ceil(bottom)) + 1)
    return forward[rows, int(np.floor(left)) : int(np.ceil(right)) + 1].reshape(-1, 2)


def _bounds(points: NDArray[np.floating[Any]]) -> tuple[int, int, int, int]:
    low, high = points.min(0), points.max(0)
    x0, y0 = (max(0, even_floor(float(n))) for n in low)
    x1, y1 = (min(PICTURE_PX, even_ceil(float(n))) for n in high)
    return x0, y0, x1, y1


def _i420(picture: Picture) -> I420:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
