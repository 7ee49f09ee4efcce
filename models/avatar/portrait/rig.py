"""Draws a portrait: base frames at a pose, and the face's regions over them, each with one warp of the photo."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.assets import Assets
from models.avatar.portrait.basis import BOTH_CONTROLS, LOWER_CONTROLS, UPPER_CONTROLS
from models.avatar.portrait.eyes import SIDES, draw
from models.avatar.portrait.fields import BAND, Window
from models.avatar.portrait.flow import inverse, lattice, spread
from models.avatar.portrait.framing import PICTURE_PX, PLATE_PX
from models.avatar.portrait.geometry import FIELD_STEP_PX, POSE_STEP_PX, REST_KEY, Posture, lean_centre
from models.avatar.portrait.mouth import Lips, Placing, draw_inside
from models.avatar.portrait.numerics import remap
from models.avatar.portrait.shading import MAP_PX, lower_weights, upper_weights
from realtime.core.facs import CONTROL_INDEX, Controls
from realtime.core.units import even_ceil, even_floor
from realtime.core.values import I420, BaseKey, Roi

Picture = NDArray[np.uint8]
Map = NDArray[np.float32]

WHOLE: Final = Roi(0, 0, PICTURE_PX, PICTURE_PX)
_POSE_NEWTON, _FIELD_NEWTON = 3, 3
_UPPER: Final = np.array([CONTROL_INDEX[n] for n in (*UPPER_CONTROLS, *BOTH_CONTROLS)], np.intp)
_LOWER: Final = np.array([CONTROL_INDEX[n] for n in (*BOTH_CONTROLS, *LOWER_CONTROLS)], np.intp)
_GAIN_UNIT: Final = 128
"""A gain of 1 in the bytes that shading multiplies with."""
_TINT: Final = np.array([1.2, 1.05, 0.8, 0.0], np.float32)
"""Shadows on skin are warm: exponents of blue, green, red; alpha is left alone."""
_KEPT_VIEWS: Final = 64
_SPLIT_REACH: Final = 0.95
"""Beyond this, in face units from the middle, nothing moves near the line between the regions."""
_EYE_STEPS: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A pose, worked out: where every pixel of the head comes from."""

    posture: Posture
    placing: Placing
    origin: Map
    """(n, n, 2) at the pose lattice's nodes: the resting picture's pixel that is seen there."""


class Rig:
    """One portrait, ready to draw. Pure: the same arguments give the same pixels."""

    def __init__(self, assets: Assets) -> None:
        self._a = assets
        self._frame = assets.frame
        self._lattice = lattice(len(assets.fields.follows), len(assets.fields.follows), POSE_STEP_PX)
        self._to_nodes = (assets.frame.axes * assets.frame.scale_px / FIELD_STEP_PX).astype(np.float32)
        lips = assets.fields.lips
        self._mouth = (float(lips[[0, 10], 0].mean()), float(lips[:11, 1].mean()), float(lips[[5, 16], 2].mean()))
        row = assets.frame.axes[1] / assets.frame.scale_px
        self._height = (row, float(assets.frame.origin_px @ row))
        self._above_band, self._below_band = (self._line(assets.fields.border + way * BAND) for way in (-1, 1))
        self._shades = _Shading(assets)
        self._drawn: Picture | None = None
        self._view_of = lru_cache(maxsize=_KEPT_VIEWS)(self._view)
        self._rois_of = lru_cache(maxsize=1024)(self._rois)
        self._backs = lru_cache(maxsize=16)(self._back)
        self._eyes = lru_cache(maxsize=256)(self._eye)

    # --- pictures -------------------------------------------------------------------------------------------------

    def base(self, key: BaseKey) -> I420:
        """The base frame at a pose, face at rest."""
        view = self._view_of(key)
        origin = spread(view.origin, POSE_STEP_PX, 0, 0, PICTURE_PX, PICTURE_PX)
        return _i420(self._over_back(self._sample(self._a.head, origin), key, WHOLE))

    def rois(self, key: BaseKey) -> dict[str, Roi]:
        """`upper` and `lower`, sharing one edge; or, at strong turns, `lower` for the whole face alone."""
        return self._rois_of(key[:3] + key[4:])

    def region(self, key: BaseKey, controls: Controls, name: str, roi: Roi) -> I420:
        """One region's pixels."""
        upper = name == "upper" or "upper" not in self.rois(key)
        return _i420(self._face(key, controls, roi, upper=upper, lower=name == "lower"))

    def _face(self, key: BaseKey, controls: Controls, roi: Roi, *, upper: bool, lower: bool) -> Picture:
        view = self._view_of(key)
        origin = spread(view.origin, POSE_STEP_PX, roi.x, roi.y, roi.width, roi.height)
        moved, lips = self._expression(origin, view, controls, roi, upper, lower)
        picture = self._sample(self._with_eyes(controls) if upper else self._a.head, moved)
        self._shades.multiply(picture, moved, controls, upper, lower)
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
        half = (roi.width // 2, roi.height // 2)
        coarse = np.asarray(cv2.resize(origin, half, interpolation=cv2.INTER_AREA), np.float32)
        if lower:
            weights = controls.vector[_LOWER]
            points = layout.lips + np.tensordot(weights, layout.lip_moves, 1)
            lips = Lips.of(view.placing.pixels(points), self._frame)
            if weights.any():
                both = self._flow(layout.lower, weights, view.posture)
                columns = layout.lower_window.columns
                halves = [
                    _at(np.ascontiguousarray(side), coarse, layout.lower_window, roi)
                    for side in (both[:, :columns], both[:, columns:])
                ]
                below = lips.below(roi)
                flow = np.asarray(cv2.blendLinear(halves[0], halves[1], 1 - below, below), np.float32)
        if upper:
            weights = controls.vector[_UPPER]
            if weights.any():
                high = _at(self._flow(layout.upper, weights, view.posture), coarse, layout.upper_window, roi)
                flow = high if flow is None else np.where(self._above(origin)[..., None], high, flow)
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
        row, offset = self._height
        return np.asarray(origin[..., 0] * row[0] + origin[..., 1] * row[1] - offset < self._a.fields.border)

    def _view(self, key: BaseKey) -> View:
        posture = Posture.of(key)
        middle, line, z = self._mouth
        placing = Placing(self._frame, posture, middle, line, z)
        if key == REST_KEY:
            return View(posture, placing, self._lattice)
        moved = np.asarray((self._forward(posture) - self._lattice) / POSE_STEP_PX, np.float32)
        return View(posture, placing, self._lattice + inverse(moved, _POSE_NEWTON) * np.float32(POSE_STEP_PX))

    def _forward(self, posture: Posture) -> Map:
        """Where the pose lattice's nodes come to lie in the picture."""
        layout = self._a.fields
        px = self._frame.to_px(posture.units(layout.points, layout.follows))
        return posture.zoomed(px, lean_centre(self._frame, PICTURE_PX))

    def _line(self, v: float) -> tuple[Map, Map]:
        """Points (N, 3) across the face at a height, in face units, and how much they follow the head (N,)."""
        layout = self._a.fields
        u = np.linspace(-_SPLIT_REACH, _SPLIT_REACH, 39)
        nodes = self._frame.to_px(np.stack([u, np.full_like(u, v)], 1))[None] / POSE_STEP_PX
        return remap(layout.points, nodes)[0], remap(layout.follows, nodes)[0]

    def _rois(self, pose: BaseKey) -> dict[str, Roi]:
        posture = Posture.of((*pose[:3], REST_KEY[3], *pose[3:]))
        forward = self._forward(posture)
        layout = self._a.fields
        upper, lower = (_inside(forward, window) for window in (layout.upper_window, layout.lower_window))
        centre = lean_centre(self._frame, PICTURE_PX)
        above, below = (
            posture.zoomed(self._frame.to_px(posture.units(line, follows)), centre)[:, 1]
            for line, follows in (self._above_band, self._below_band)
        )
        # breath moves the head by less than the still rim of each region
        x0, y0, x1, _ = _bounds(upper)
        x2, _, x3, y3 = _bounds(lower)
        if above.max() > below.min():
            left, right = min(x0, x2), max(x1, x3)
            return {"lower": Roi(left, y0, right - left, y3 - y0)}
        split = even_floor((float(above.max()) + float(below.min())) / 2)
        return {"upper": Roi(x0, y0, x1 - x0, split - y0), "lower": Roi(x2, split, x3 - x2, y3 - split)}

    # --- pixels ---------------------------------------------------------------------------------------------------

    def _sample(self, plate: Picture, origin: Map) -> Picture:
        """BGRA of the plate where the map points; two plate pixels to one of the picture."""
        ratio = PLATE_PX / PICTURE_PX
        where = origin * np.float32(ratio) + np.float32((ratio - 1) / 2)
        return np.asarray(remap(plate, where), np.uint8)

    def _with_eyes(self, controls: Controls) -> Picture:
        """The head's plate with the eyes drawn as the controls say; valid until the next call."""
        if self._drawn is None:
            self._drawn = np.array(self._a.head)
        for side, (_, _, _, blink) in enumerate(SIDES):
            state = tuple(round(controls[name] * _EYE_STEPS) for name in (blink, "AU5", "AU7", "gaze_x", "gaze_y"))
            eye, pixels = self._a.eyes[side], self._eyes(side, state)
            self._drawn[eye.y : eye.y + pixels.shape[0], eye.x : eye.x + pixels.shape[1], :3] = pixels
        return self._drawn

    def _eye(self, side: int, state: tuple[int, ...]) -> Picture:
        blink, widen, squint, x, y = (n / _EYE_STEPS for n in state)
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


class _Shading:
    """Multiplies folds and shine into pictures; keeps the maps cropped to where they differ from nothing."""

    def __init__(self, assets: Assets) -> None:
        layout = assets.fields
        self._parts = [
            (_crop(maps, window), weigh)
            for maps, window, weigh in (
                (assets.shades.upper, layout.upper_window, upper_weights),
                (assets.shades.lower, layout.lower_window, lower_weights),
            )
        ]

    def multiply(self, picture: Picture, origin: Map, controls: Controls, upper: bool, lower: bool) -> None:
        """Shade a BGRA picture in place; `origin` says where its pixels come from."""
        for wanted, ((maps, x, y), weigh) in zip((upper, lower), self._parts, strict=True):
            weights = weigh(controls)
            if not (wanted and weights.any()):
                continue
            total = np.tensordot(weights, maps, 1)
            where = origin[::2, ::2] * np.float32(MAP_PX / PICTURE_PX) - np.array([x, y], np.float32)
            seen = np.exp(remap(total, where)[..., None] * _TINT) * _GAIN_UNIT
            size = (picture.shape[1], picture.shape[0])
            fine = cv2.resize(np.rint(seen).clip(0, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
            cv2.multiply(picture, fine, dst=picture, scale=1 / _GAIN_UNIT)


def _crop(maps: NDArray[np.float32], window: Window) -> tuple[NDArray[np.float32], int, int]:
    """The part of shading maps that a window covers, with a rim of zeros, and its corner in map pixels."""
    x0, y0, x1, y1 = (n * MAP_PX // PICTURE_PX for n in window.box_px)
    part = np.array(maps[:, y0:y1, x0:x1])
    part[:, [0, -1]] = 0
    part[:, :, [0, -1]] = 0
    return part, x0, y0


def _at(nodes: Map, coarse: Map, window: Window, roi: Roi) -> Map:
    """Values of a window's nodes where the map of half the region's size points, at the region's full size."""
    shift = np.array([window.x, window.y], np.float32)
    seen = remap(nodes, coarse * np.float32(1 / FIELD_STEP_PX) - shift)
    return np.asarray(cv2.resize(seen, (roi.width, roi.height), interpolation=cv2.INTER_LINEAR), np.float32)


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
