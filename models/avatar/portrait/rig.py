"""Draws a portrait: base frames at a pose, and the face's regions over them, each with one warp of the photo."""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.held import Held
from models.avatar.portrait.assets import Assets
from models.avatar.portrait.basis import BOTH_CONTROLS, LOWER_CONTROLS, UPPER_CONTROLS
from models.avatar.portrait.eyes import SIDES, draw
from models.avatar.portrait.fields import BAND, Window
from models.avatar.portrait.flow import doubled, inverse, lattice, spread, spread_half
from models.avatar.portrait.framing import PICTURE_PX, PLATE_PX
from models.avatar.portrait.geometry import FIELD_STEP_PX, POSE_STEP_PX, REST_KEY, Posture, features, lean_centre
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
_PARTED_BY_ROUNDING: Final = [(*BOTH_CONTROLS, *LOWER_CONTROLS).index(n) for n in ("AU22", "lip_round")]
_PRESSED: Final = 0.6
"""From this much of AU24 on, funnelled lips no longer part."""
_RATIO: Final = PLATE_PX / PICTURE_PX
"""Plate pixels to one of the picture: a pixel's middle x lies at `_RATIO` x + (`_RATIO` - 1) / 2 in the plate."""
_GAIN_UNIT: Final = 128
"""A gain of 1 in the bytes that shading multiplies with."""
_TINT: Final = np.array([1.2, 1.05, 0.8])
"""Shadows on skin are warm: exponents of blue, green, red."""
_LEVELS_PER_LOG: Final = 128.0
_NO_SHADE: Final = 160.0
"""Log gains as bytes: this many levels to one, and the level of nothing; down to e^-1.25, up to e^0.74."""
_GAINS: Final = np.clip(
    np.exp((np.arange(256) - _NO_SHADE)[:, None] / _LEVELS_PER_LOG * _TINT) * _GAIN_UNIT + 0.5, 0, 255
).astype(np.uint8)[:, None]
"""(256, 1, 3): gains by level, for one look-up per pixel."""
_VIEWS_BYTES: Final = 16 * 2**20
"""A pose's lattice takes 34 KB; the loops of a speaking and listening body pass through fewer than fit."""
_BACKS_BYTES: Final = 12 * 2**20
_EYES_BYTES: Final = 4 * 2**20
_SPLIT_REACH: Final = 0.95
"""Beyond this, in face units from the middle, nothing moves near the line between the regions."""
_EYE_STEPS: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A pose, worked out: where every pixel of the head comes from."""

    placing: Placing
    origin: Map
    """(n, n, 2) at the pose lattice's nodes: the resting picture's pixel that is seen there."""
    to_nodes: Map
    """(3, 2): from flow in face units and depth to nodes of the fields; depth counts by the head's turn."""


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
        nodes = features(assets.fields.points, assets.fields.follows)
        self._nodes = np.ascontiguousarray(nodes.reshape(-1, 7))
        self._outline = _Outline(
            _inside(nodes, assets.fields.upper_window), _inside(nodes, assets.fields.lower_window),
            *(self._line(assets.fields.border + way * BAND) for way in (-1, 1)),
        )  # fmt: skip
        self._shades = _Shading(assets)
        self._drawn: Picture | None = None
        self._views: Held[View] = Held(_VIEWS_BYTES, lambda one: one.origin.nbytes)
        self._rois_of = lru_cache(maxsize=1024)(self._rois)
        self._backs: Held[Picture] = Held(_BACKS_BYTES, lambda one: one.nbytes)
        self._eyes: Held[Picture] = Held(_EYES_BYTES, lambda one: one.nbytes)

    @property
    def held_bytes(self) -> int:
        """What is kept because it comes again."""
        return self._views.size_bytes + self._backs.size_bytes + self._eyes.size_bytes

    # --- pictures -------------------------------------------------------------------------------------------------

    def base(self, key: BaseKey) -> I420:
        """The base frame at a pose, face at rest."""
        view = self._views.get(key, lambda: self._view(key))
        head = remap(self._a.head, doubled(_in_plate(_half_of(view, WHOLE))))
        front = np.asarray(cv2.cvtColor(head, cv2.COLOR_BGRA2BGR), np.uint8)
        return _i420(self._over_back(front, np.ascontiguousarray(head[..., 3]), key, WHOLE))

    def rois(self, key: BaseKey) -> dict[str, Roi]:
        """`upper` and `lower`, sharing one edge; or, at strong turns, `lower` for the whole face alone."""
        return self._rois_of(key[:3] + key[4:])

    def region(self, key: BaseKey, controls: Controls, name: str, roi: Roi) -> I420:
        """One region's pixels."""
        upper = name == "upper" or "upper" not in self.rois(key)
        return _i420(self._face(key, controls, roi, upper=upper, lower=name == "lower"))

    def _face(self, key: BaseKey, controls: Controls, roi: Roi, *, upper: bool, lower: bool) -> Picture:
        view = self._views.get(key, lambda: self._view(key))
        moved, lips = self._expression(view, controls, roi, upper, lower)
        picture = remap(self._with_eyes(controls) if upper else self._a.head, moved)
        alpha = np.ascontiguousarray(picture[..., 3])
        front = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR), np.uint8)
        self._shades.multiply(front, moved, controls, upper, lower)
        out = self._over_back(front, alpha, key, roi)
        if lips is not None:
            draw_inside(out, roi, lips, controls, self._a.mouth, view.placing)
        return out

    # --- where pixels come from -----------------------------------------------------------------------------------

    def _expression(
        self, view: View, controls: Controls, roi: Roi, upper: bool, lower: bool
    ) -> tuple[Map, Lips | None]:
        """Where in the plate the pixels of a region come from with the face moving; the lips if the region has them."""
        layout, lips = self._a.fields, None
        still = _half_of(view, roi)
        sides = [rest := _in_plate(still)] * 2
        nodes = still * np.float32(1 / FIELD_STEP_PX)
        if lower:
            weights = lip_weights(controls)
            points = layout.lips + np.tensordot(weights, layout.lip_moves, 1)
            lips = Lips.of(view.placing.pixels(points), self._frame)
            if weights.any():
                window = layout.lower_window
                both = self._flow(layout.lower, weights, view)
                at = nodes - np.array([window.x, window.y], np.float32)
                sides = [rest + remap(flow, at) for flow in both]
        if upper:
            weights = controls.vector[_UPPER]
            if weights.any():
                window = layout.upper_window
                (flow,) = self._flow(layout.upper, weights, view)
                high = rest + remap(flow, nodes - np.array([window.x, window.y], np.float32))
                above = self._above(still)[..., None]
                sides = [np.where(above, high, side) for side in sides] if lower else [high, high]
        if lips is None or sides[0] is sides[1]:
            return doubled(sides[0]), lips
        below = lips.below(roi)
        mixed = cv2.blendLinear(doubled(sides[0]), doubled(sides[1]), 1 - below, below)
        return np.asarray(mixed, np.float32), lips

    def _flow(self, basis: NDArray[np.float32], weights: NDArray[np.float32], view: View) -> list[Map]:
        """Backward displacement in plate pixels at a window's nodes; where lips part, of each lip's side."""
        k, rows, columns, _ = basis.shape
        flat = basis.reshape(k, 1, -1)
        units = np.zeros_like(flat[0])
        for i in np.flatnonzero(weights):
            units = np.asarray(cv2.scaleAdd(flat[i], float(weights[i]), units), np.float32)
        forward = (units.reshape(-1, 3) @ view.to_nodes).reshape(rows, columns, 2)
        flow = inverse(forward, _FIELD_NEWTON) * np.float32(FIELD_STEP_PX * _RATIO)
        width = self._a.fields.lower_window.columns if basis is self._a.fields.lower else columns
        return [np.ascontiguousarray(flow[:, i : i + width]) for i in range(0, columns, width)]

    def _above(self, origin: Map) -> NDArray[np.bool_]:
        """Whether a pixel of the resting picture lies above the border between the regions."""
        row, offset = self._height
        return np.asarray(origin[..., 0] * row[0] + origin[..., 1] * row[1] - offset < self._a.fields.border)

    def _view(self, key: BaseKey) -> View:
        posture = Posture.of(key)
        placing = Placing.of(posture, self._frame, self._mouth)
        parallax = np.linalg.solve(posture.rotation[:2, :2], posture.rotation[:2, 2]).astype(np.float32)
        to_nodes = np.vstack([self._to_nodes, parallax @ self._to_nodes])
        if key == REST_KEY:
            return View(placing, self._lattice, to_nodes)
        forward = (self._nodes @ posture.projection(self._frame, PICTURE_PX)).reshape(self._lattice.shape)
        moved = np.asarray((forward - self._lattice) / POSE_STEP_PX, np.float32)
        return View(placing, self._lattice + inverse(moved, _POSE_NEWTON) * np.float32(POSE_STEP_PX), to_nodes)

    def _line(self, v: float) -> Map:
        """Features (N, 7) of points across the face at a height in face units."""
        layout = self._a.fields
        u = np.linspace(-_SPLIT_REACH, _SPLIT_REACH, 39)
        nodes = self._frame.to_px(np.stack([u, np.full_like(u, v)], 1))[None] / POSE_STEP_PX
        return features(remap(layout.points, nodes)[0], remap(layout.follows, nodes)[0])

    def _rois(self, pose: BaseKey) -> dict[str, Roi]:
        # breath moves the head by less than the still rim of each region
        posture = Posture.of((*pose[:3], REST_KEY[3], *pose[3:]))
        (x0, y0, x1, _), (x2, _, x3, y3), above, below = self._outline.posed(
            posture.projection(self._frame, PICTURE_PX)
        )
        if above > below:
            left, right = min(x0, x2), max(x1, x3)
            return {"lower": Roi(left, y0, right - left, y3 - y0)}
        split = even_floor((above + below) / 2)
        return {"upper": Roi(x0, y0, x1 - x0, split - y0), "lower": Roi(x2, split, x3 - x2, y3 - split)}

    # --- pixels ---------------------------------------------------------------------------------------------------

    def _with_eyes(self, controls: Controls) -> Picture:
        """The head's plate with the eyes drawn as the controls say; valid until the next call."""
        if self._drawn is None:
            self._drawn = np.array(self._a.head)
        for side, (_, _, _, blink) in enumerate(SIDES):
            state = tuple(round(controls[name] * _EYE_STEPS) for name in (blink, "AU5", "AU7", "gaze_x", "gaze_y"))
            at = side, state
            eye, pixels = self._a.eyes[side], self._eyes.get(at, partial(self._eye, *at))
            self._drawn[eye.y : eye.y + pixels.shape[0], eye.x : eye.x + pixels.shape[1], :3] = pixels
        return self._drawn

    def _eye(self, side: int, state: tuple[int, ...]) -> Picture:
        blink, widen, squint, x, y = (n / _EYE_STEPS for n in state)
        drawn = draw(self._a.eyes[side], blink, widen, squint, (x, y))
        return np.asarray(np.clip(drawn + 0.5, 0, 255), np.uint8)

    def _over_back(self, front: Picture, alpha: Picture, key: BaseKey, roi: Roi) -> Picture:
        """The head, BGR and its coverage, over body and background."""
        if int(alpha.min()) == 255:
            return front
        back = self._back_at(key, roi)
        cover = cv2.merge([alpha, alpha, alpha])
        shown = cv2.multiply(front, cover, scale=1 / 255)
        return np.asarray(cv2.add(shown, cv2.multiply(back, cv2.bitwise_not(cover), scale=1 / 255)), np.uint8)

    def _back_at(self, key: BaseKey, roi: Roi) -> Picture:
        """One place of body and background, kept."""
        whole = self._backs.get(key[3:], lambda: self._back(key[3:]))
        return whole[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width]

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
        """Shade a BGR picture in place; `origin` says where in the plate its pixels come from."""
        size = (picture.shape[1], picture.shape[0])
        half = None
        for wanted, ((maps, x, y), weigh) in zip((upper, lower), self._parts, strict=True):
            weights = weigh(controls)
            if not (wanted and weights.any()):
                continue
            total = np.zeros_like(maps[0])
            for i in np.flatnonzero(weights):
                total = np.asarray(cv2.scaleAdd(maps[i], float(weights[i]) * _LEVELS_PER_LOG, total), np.float32)
            if half is None:
                half = origin[::2, ::2] * np.float32(MAP_PX / PLATE_PX)
            levels = remap(cv2.convertScaleAbs(total, beta=_NO_SHADE), half - np.array([x, y], np.float32))
            fine = cv2.resize(levels, size, interpolation=cv2.INTER_LINEAR)
            cv2.multiply(picture, cv2.applyColorMap(fine, _GAINS), dst=picture, scale=1 / _GAIN_UNIT)


def _crop(maps: NDArray[np.float32], window: Window) -> tuple[NDArray[np.float32], int, int]:
    """The part of shading maps that a window covers, with a rim of zeros, and its corner in map pixels."""
    x0, y0, x1, y1 = (n * MAP_PX // PICTURE_PX for n in window.box_px)
    part = np.array(maps[:, y0:y1, x0:x1])
    part[:, [0, -1]] = 0
    part[:, :, [0, -1]] = 0
    return part, x0, y0


def lip_weights(controls: Controls) -> NDArray[np.float32]:
    """Weights of the lower face's movements; lips that are pressed meet however much they are rounded."""
    weights = controls.vector[_LOWER].copy()
    weights[_PARTED_BY_ROUNDING] *= 1 - min(1.0, controls["AU24"] / _PRESSED)
    return weights


def _half_of(view: View, roi: Roi) -> Map:
    """Where in the picture at rest every second pixel of a rectangle comes from, and a rim for `doubled`."""
    return spread_half(view.origin, POSE_STEP_PX, roi.x - 2, roi.y - 2, roi.width // 2 + 2, roi.height // 2 + 2)


def _in_plate(origin: Map) -> Map:
    """Plate pixels of picture pixels."""
    return origin * np.float32(_RATIO) + np.float32((_RATIO - 1) / 2)


class _Outline:
    """What the regions' rectangles follow from: posed with one product of matrices."""

    def __init__(self, upper: Map, lower: Map, above: Map, below: Map) -> None:
        """Features (N, 7) of the nodes inside each region, and of the lines around the border between them."""
        parts = (upper, lower, above, below)
        self._features = np.ascontiguousarray(np.concatenate(parts))
        self._ends = np.cumsum([len(part) for part in parts])

    def posed(self, projection: Map) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int], float, float]:
        """Both regions' bounds, the lowest y of the line above the border, the highest y of the line below it."""
        px = projection.T @ self._features.T
        first, second, third, _ = self._ends
        upper, lower = _bounds(px[:, :first]), _bounds(px[:, first:second])
        return upper, lower, float(px[1, second:third].max()), float(px[1, third:].min())


def _inside(features: Map, window: Window) -> Map:
    """What is given at the pose nodes (n, n, k), of those inside a window, (N, k)."""
    left, top, right, bottom = (n / POSE_STEP_PX for n in window.box_px)
    rows = slice(int(np.floor(top)), int(np.ceil(bottom)) + 1)
    return features[rows, int(np.floor(left)) : int(np.ceil(right)) + 1].reshape(-1, features.shape[-1])


def _bounds(points: NDArray[np.floating[Any]]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of points (2, N), even and inside the picture."""
    low, high = points.min(1), points.max(1)
    x0, y0 = (max(0, even_floor(float(n))) for n in low)
    x1, y1 = (min(PICTURE_PX, even_ceil(float(n))) for n in high)
    return x0, y0, x1, y1


def _i420(picture: Picture) -> I420:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
