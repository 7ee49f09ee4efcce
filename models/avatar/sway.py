"""Lets hanging hair, earrings, pendant and collar swing: bends the base frame's pixels where they hang.

Where how much may move is painted once per host as weights over the picture at rest; a pose carries the weights along
by an affine fit. Weights vanish at a rectangle's edges, so there is no seam, and bends stay far below what would fold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar import quantise
from models.avatar.geometry import Points, smoothstep
from models.avatar.held import Held
from models.avatar.paint import Rgba
from models.avatar.projection import PICTURE_PX, View
from models.avatar.spec import AvatarSpec
from realtime.core.composite import crop, planes
from realtime.core.facs import Controls
from realtime.core.units import even_ceil, even_floor
from realtime.core.values import I420, BaseKey, Patch, Region, Roi

Weights = NDArray[np.float32]

EDGE_PX: Final = 12
"""Width of the ramp by which a bend vanishes at the edges of its rectangle."""
FACE_EDGE_PX: Final = 28
"""The same beside the face, where hair hangs across the edge: wide enough that the strongest bend does not fold."""
SOFT_PX: Final = 9.0
"""How far the surroundings of the hair give way with it."""
HANGS_FROM: Final = 34.0
"""Head units: hair above lies on the head."""
SHORT: Final = 24.0
"""Hair that hangs less than this below `HANGS_FROM` does not swing, in head units."""

WEIGHTS_BYTES: Final = 24 * 2**20
"""Weights of rectangles that are kept, about 0.3 MB each."""

LEFT, RIGHT, MIDDLE = "sway_left", "sway_right", "sway_middle"
SWAYING: Final = (LEFT, RIGHT, MIDDLE)

_SIDE: Final = np.array([(72, 50), (110, 60), (76, 110), (118, 120), (80, 190), (122, 190)], np.float64)
"""Places on one side that a pose is fitted on, in head units."""
_CHEST: Final = np.array([(-60, 128), (60, 128), (-60, 200), (60, 200), (0, 160)], np.float64)
_EARLOBE: Final = (84.0, 33.0)
_LOBE_PX: Final = (13.0, 16.0)
"""How far the pixels around an earring go with it, in pixels."""
_PENDANT: Final = {"blazer": 172.0, "dress": 168.0}
"""Height of a necklace's pendant over what is worn, in head units."""


@dataclass(frozen=True, slots=True, eq=False)
class _Zone:
    """One rectangle of the picture at rest, and how strongly each bend acts there."""

    points: Points
    on_head: NDArray[np.float64]
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels at rest."""
    weights: Weights
    """(PICTURE_PX, PICTURE_PX, 3) at rest: hair, its tips, jewels and cloth."""
    bends: tuple[tuple[str, int, int], ...]
    """Control, channel of the weights, axis (0 sideways, 1 down)."""


class Sway:
    """What swings on one avatar."""

    def __init__(
        self, spec: AvatarSpec, hair: Rgba, on_head: Callable[[Points], NDArray[np.float64]], rest: BaseKey
    ) -> None:
        """`hair` is all hair of the picture at rest, (PICTURE_PX, PICTURE_PX, 4); `on_head` is the share of the head's
        movement that hanging hair at given head units takes part in."""
        view = View.of(rest)
        self._zones: dict[str, _Zone] = {}
        for name, side in ((LEFT, -1), (RIGHT, 1)):
            zone = _side_zone(spec, hair, view, side, on_head)
            if zone is not None:
                self._zones[name] = zone
        chest = _chest_zone(spec, view)
        self._zones[MIDDLE] = chest
        self._at_rest = {
            name: view.blend(_with_depth(zone.points), zone.on_head) for name, zone in self._zones.items()
        }
        self._roi = lru_cache(maxsize=2048)(self._place_roi)
        self._corners = lru_cache(maxsize=2048)(self._place_corners)
        self._weights: Held[Weights] = Held(WEIGHTS_BYTES, lambda one: one.nbytes)

    @property
    def held_bytes(self) -> int:
        """What is kept of weights."""
        return self._weights.size_bytes

    def regions(self, key: BaseKey, moved: Mapping[str, bytes], face: Mapping[str, Roi]) -> list[Region]:
        """The rectangles that differ from the base frame, of `quantise.moved_regions`; `face` are the pose's own ones,
        which they stay clear of."""
        found = []
        for name in self._zones:
            if name in moved:
                roi = self._roi(name, key, *_inner(face))
                if roi.width > 2 * EDGE_PX and roi.height > 2 * EDGE_PX:
                    found.append(Region(name, roi, (key, moved[name])))
        return found

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        """The base frame's pixels, bent."""
        name, roi = region.name, region.roi
        at = name, roi, self._corners(name, key, roi)
        weights = self._weights.get(at, lambda: self._carry_weights(*at))
        x, y = np.zeros((2, roi.height, roi.width), np.float32)
        for control, channel, axis in self._zones[name].bends:
            amount = np.float32(controls[control] * quantise.REACH_PX[control])
            if amount:
                target = y if axis else x
                target += weights[channel] * amount
        still = crop(base, roi)
        out = np.empty_like(still)
        for plane, source, share in zip(planes(out), planes(still), (1, 2, 2), strict=True):
            across, down = (np.arange(length, dtype=np.float32) for length in source.shape[::-1])
            # OpenCV gathers, so the bend is taken back where it lands
            cv2.remap(
                source, across - x[::share, ::share] / share, down[:, None] - y[::share, ::share] / share,
                cv2.INTER_CUBIC if share == 1 else cv2.INTER_LINEAR, plane, cv2.BORDER_REPLICATE,
            )  # fmt: skip
        return Patch(roi, out)

    def _place_roi(self, name: str, key: BaseKey, inner_left: int, inner_right: int, below: int) -> Roi:
        """A zone's rectangle in a pose, clear of the face's, which lie between two columns and above a row."""
        dx, dy = (self._here(name, key) - self._at_rest[name]).mean(0)
        left, top, right, bottom = np.array(self._zones[name].box) + (dx, dy, dx, dy)
        if name == LEFT:
            right = min(right, inner_left)
        elif name == RIGHT:
            left = max(left, inner_right)
        else:
            left, right, top = max(left, inner_left), min(right, inner_right), max(top, below)
        x0, y0 = max(0, even_ceil(left)), max(0, even_ceil(top))
        x1, y1 = min(PICTURE_PX, even_floor(right)), min(PICTURE_PX, even_floor(bottom))
        return Roi(x0, y0, max(2, x1 - x0), max(2, y1 - y0))

    def _place_corners(self, name: str, key: BaseKey, roi: Roi) -> tuple[int, ...]:
        """Whole pixels of the picture at rest at which three corners of a rectangle lie in a pose: x, y of each.
        Weights change little from one pixel to the next, so that poses share them."""
        here = self._here(name, key)
        back = np.linalg.lstsq(np.column_stack([here, np.ones(len(here))]), self._at_rest[name], rcond=None)[0]
        at = np.array(_corners_of(roi)) + (roi.x, roi.y)
        return tuple(np.rint(np.column_stack([at, np.ones(3)]) @ back).astype(int).ravel().tolist())

    def _carry_weights(self, name: str, roi: Roi, corners: tuple[int, ...]) -> Weights:
        """How strongly each bend acts inside a rectangle whose corners come from there, (3, height, width)."""
        back = cv2.getAffineTransform(
            np.array(_corners_of(roi), np.float32), np.array(corners, np.float32).reshape(3, 2)
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(
            self._zones[name].weights, back, (roi.width, roi.height), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        return np.ascontiguousarray((moved * _vanishing(name, roi)[..., None]).transpose(2, 0, 1), np.float32)

    def _here(self, name: str, key: BaseKey) -> Points:
        zone = self._zones[name]
        return View.of(key).blend(_with_depth(zone.points), zone.on_head)


def _corners_of(roi: Roi) -> tuple[tuple[int, int], ...]:
    return (0, 0), (roi.width, 0), (0, roi.height)


def _inner(face: Mapping[str, Roi]) -> tuple[int, int, int]:
    """The columns between which a face's rectangles lie, and the row below them."""
    left, right = min(roi.x for roi in face.values()), max(roi.x + roi.width for roi in face.values())
    return left, right, max(roi.y + roi.height for roi in face.values())


def _with_depth(xy: Points) -> Points:
    return np.column_stack([xy, np.full(len(xy), -20.0)])


def _side_zone(
    spec: AvatarSpec, hair: Rgba, view: View, side: int, on_head: Callable[[Points], NDArray[np.float64]]
) -> _Zone | None:
    """Hair that hangs on one side, and the earring there; None if there is neither."""
    points = _SIDE * (side, 1)
    x, y = _units(view)
    cover = hair[..., 3].astype(np.float32) / 255 * (x * side > 40) * (y > HANGS_FROM)
    rows = np.flatnonzero(cover.max(1) > 0.5)
    weights = np.zeros((PICTURE_PX, PICTURE_PX, 3), np.float32)
    boxes = []
    if len(rows) and (lowest := float(y[rows[-1], 0])) > HANGS_FROM + SHORT:
        columns = np.flatnonzero(cover.max(0) > 0.5)
        soft = cv2.GaussianBlur(cv2.dilate(cover, np.ones((11, 11))), (0, 0), SOFT_PX)
        fall = smoothstep(y, HANGS_FROM - 10, max(lowest, HANGS_FROM + 60))
        locks = 1 + 0.18 * np.sin(x * 0.31 + side) + 0.10 * np.sin(x * 0.83 + 0.05 * y)
        weights[..., 0] = soft * fall * locks
        weights[..., 1] = soft * fall**2.5 * (1 + 0.35 * np.sin(x * 0.52 + 0.04 * y))
        margin = 3 * SOFT_PX
        boxes.append((columns[0] - margin, rows[0] - EDGE_PX, columns[-1] + margin, rows[-1] + margin))
    if spec.wears.earrings != "none":
        lobe = view.head(np.array([(*(_EARLOBE * np.array((side, 1))), -19.0)]))[0]
        px, py = np.meshgrid(np.arange(PICTURE_PX) - lobe[0], np.arange(PICTURE_PX) - lobe[1])
        near = np.exp(-((px / _LOBE_PX[0]) ** 2) - ((py - 6) / _LOBE_PX[1]) ** 2) * smoothstep(py, -8, 6)
        weights[..., 2] = near
        weights[..., :2] *= (1 - near)[..., None]
        boxes.append((lobe[0] - 34, lobe[1] - 30, lobe[0] + 34, lobe[1] + 46))
    if not boxes:
        return None
    corners = np.array(boxes)
    box = (*corners[:, :2].min(0).tolist(), *corners[:, 2:].max(0).tolist())
    bends = (("hair_x", 0, 0), ("hair_tip", 1, 0), ("hair_y", 1, 1), ("jewel_x", 2, 0))
    return _Zone(points, on_head(points), box, weights, bends)


def _chest_zone(spec: AvatarSpec, view: View) -> _Zone:
    """Collar and pendant."""
    x, y = _units(view)
    weights = np.zeros((PICTURE_PX, PICTURE_PX, 3), np.float32)
    weights[..., 0] = smoothstep(y, 132, 160) * smoothstep(np.abs(x), 96, 50)
    if spec.wears.necklace:
        hang = y - _PENDANT.get(spec.outfit, 170.0)
        weights[..., 2] = smoothstep(y, 132, 160) * np.exp(-((x / 22) ** 2)) * smoothstep(hang, 26, 6)
    corners = view.body(np.array([(-100.0, 136.0), (100.0, 230.0)]))
    box = (*corners[0].tolist(), *corners[1].tolist())
    bends = (("cloth_y", 0, 1), ("jewel_x", 2, 0))
    return _Zone(_CHEST, np.zeros(len(_CHEST)), box, weights, bends)


def _units(view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Head units of every pixel of the picture at rest: an affine reading of the body, on which hair hangs."""
    corners = np.array([(-100.0, 40.0), (100.0, 40.0), (-100.0, 190.0), (100.0, 190.0)])
    px = view.blend(_with_depth(corners), np.array([0.9, 0.9, 0.1, 0.1]))
    fit = np.linalg.lstsq(np.column_stack([px, np.ones(4)]), corners, rcond=None)[0]
    across, down = np.meshgrid(np.arange(PICTURE_PX) + 0.5, np.arange(PICTURE_PX) + 0.5)
    x, y = (across * fit[0, k] + down * fit[1, k] + fit[2, k] for k in (0, 1))
    return np.asarray(x), np.asarray(y)


def _vanishing(name: str, roi: Roi) -> Weights:
    """1 inside a rectangle, falling to 0 at its edges, except where the picture ends there."""

    def ramp(start: int, length: int, first_px: int, last_px: int) -> NDArray[np.float64]:
        at = np.arange(length)
        rise = smoothstep(at, 1, first_px) if start > 0 else np.ones(length)
        fall = smoothstep(length - 1 - at, 1, last_px) if start + length < PICTURE_PX else np.ones(length)
        return np.minimum(rise, fall)

    left, right = (FACE_EDGE_PX if name == beside else EDGE_PX for beside in (RIGHT, LEFT))
    across, down = ramp(roi.x, roi.width, left, right), ramp(roi.y, roi.height, EDGE_PX, EDGE_PX)
    return np.asarray(down[:, None] * across, np.float32)
