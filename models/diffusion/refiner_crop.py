"""Crops of a patch: taken out of it, carried from frame to frame, and what was added to them laid back into it."""

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.diffusion.data.raster import Frame
from models.diffusion.spec import to_unit
from realtime.core.composite import planes
from realtime.core.values import I420, Patch, Roi

Floats = NDArray[np.float32]

LATTICE_PX: Final = 8
"""Pixels between the places where a flow is worked out; it is interpolated between them."""
REACH_PX: Final = 7.0
"""How far a point of the face takes the skin around it along."""
STILL: Final = 0.02
"""Weight of keeping still, where no point is near."""
EDGE_PX: Final = 6
"""Over this many pixels along a patch's border what was added fades out: a crop may reach beyond its patch."""

AROUND_PX: Final = 3
SOFT_PX: Final = 2.0
"""What is added reaches half of the first beyond lips and eyes, and ends as softly as the second: farther out, what a
net makes of skin shows as a ring around pouted lips."""
_AROUND: Final = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (AROUND_PX, AROUND_PX))
_TO_YUV: Final = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], np.float32
) / np.float32(2.0)  # fmt: skip
"""RGB differences in -1..1 (a range of 2) to differences of limited-range bytes (ITU-R BT.601)."""


def taken(patch: Patch, frame: Frame) -> Floats:
    """The crop's pixels of a patch, (3, H, W) in -1..1; beyond the patch its border is continued."""
    rgb = cv2.cvtColor(patch.pixels, cv2.COLOR_YUV2RGB_I420)
    return to_unit(_crop(np.asarray(rgb, np.uint8), frame, patch.roi.x, patch.roi.y))


def taken_at_rest(picture: I420, frame: Frame) -> Floats:
    """The crop's pixels of a whole picture."""
    return to_unit(_crop(np.asarray(cv2.cvtColor(picture, cv2.COLOR_YUV2RGB_I420), np.uint8), frame, 0, 0))


def _crop(rgb: NDArray[np.uint8], frame: Frame, x: int, y: int) -> NDArray[np.uint8]:
    move = _to_crop(frame, x, y)
    size = (frame.width, frame.height)
    found = cv2.warpAffine(rgb, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8)


def _to_crop(frame: Frame, x: int, y: int) -> NDArray[np.float64]:
    """(2, 3): from pixel indices of a rectangle at (x, y) to those of the crop; whole numbers are pixel centres."""
    s = frame.scale
    (ax, ay), (mx, my) = frame.anchor, frame.middle
    return np.array([[s, 0, (x + 0.5 - ax) * s + mx - 0.5], [0, s, (y + 0.5 - ay) * s + my - 0.5]])


def laid(patch: Patch, added: Floats, frame: Frame) -> Patch:
    """The patch with what was added to a crop of it, (3, H, W); pixels with nothing added stay bit by bit."""
    roi = patch.roi
    inverse = np.asarray(cv2.invertAffineTransform(_to_crop(frame, roi.x, roi.y)), np.float64)
    left, top, right, bottom = _bounds(frame, inverse, roi)
    if right <= left or bottom <= top:
        return patch
    inverse[:, 2] -= (left, top)
    change = cv2.transform(np.ascontiguousarray(np.moveaxis(added, 0, -1)), _TO_YUV)
    size = (right - left, bottom - top)
    wide = np.asarray(cv2.warpAffine(change, inverse, size, flags=cv2.INTER_LINEAR), np.float32)
    wide *= _edges(roi.width, roi.height)[top:bottom, left:right, None]
    half = np.asarray(cv2.resize(wide, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA), np.float32)
    pixels = patch.pixels.copy()
    luma, u, v = planes(pixels)
    _add(luma[top:bottom, left:right], wide[..., 0])
    for plane, index in ((u, 1), (v, 2)):
        _add(plane[top // 2 : bottom // 2, left // 2 : right // 2], half[..., index])
    return replace(patch, pixels=pixels)


def _bounds(frame: Frame, inverse: NDArray[Any], roi: Roi) -> tuple[int, int, int, int]:
    """The crop's rectangle inside the patch: left, top, right, bottom, all even."""
    corners = np.array([[-1.0, -1.0], [frame.width, frame.height]]) @ inverse[:, :2].T + inverse[:, 2]
    low, high = np.floor(corners[0] / 2).astype(int) * 2, np.ceil(corners[1] / 2).astype(int) * 2
    return max(0, int(low[0])), max(0, int(low[1])), min(roi.width, int(high[0])), min(roi.height, int(high[1]))


def _add(plane: NDArray[np.uint8], change: NDArray[np.float32]) -> None:
    plane[...] = cv2.add(plane, np.rint(change).astype(np.int16), dtype=cv2.CV_8U)


@lru_cache(maxsize=512)
def _edges(width: int, height: int) -> Floats:
    """(height, width): 0 on the border, 1 from `EDGE_PX` on."""

    def ramp(length: int) -> NDArray[np.float64]:
        at = np.minimum(np.arange(length), np.arange(length)[::-1])
        return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(at / EDGE_PX, 0.0, 1.0)))

    return np.asarray(np.outer(ramp(height), ramp(width)), np.float32)


def flow_back(now: NDArray[np.float64], before: NDArray[np.float64], width: int, height: int) -> Floats:
    """Where each pixel's place on the face was a frame ago, (height, width, 2) in pixels of the crop, as an offset.

    Moves of the points (N, 2), averaged by nearness (Nadaraya, Watson 1964); far from all of them nothing moves."""
    nodes = _nodes(width, height)
    near = ((now > -LATTICE_PX) & (now < (width + LATTICE_PX, height + LATTICE_PX))).all(1)
    if not near.any():
        return np.zeros((height, width, 2), np.float32)
    at, moves = now[near].astype(np.float32), (before[near] - now[near]).astype(np.float32)
    squared = (nodes[:, :1] - at[:, 0]) ** 2 + (nodes[:, 1:] - at[:, 1]) ** 2
    weight = np.exp(squared * np.float32(-0.5 / REACH_PX**2))
    coarse = (weight @ moves) / (weight.sum(1, keepdims=True) + np.float32(STILL))
    laid_out = coarse.reshape(height // LATTICE_PX, width // LATTICE_PX, 2)
    return np.asarray(cv2.resize(laid_out, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=16)
def _nodes(width: int, height: int) -> Floats:
    x, y = np.meshgrid(np.arange(width // LATTICE_PX) + 0.5, np.arange(height // LATTICE_PX) + 0.5)
    return np.asarray(np.column_stack([x.ravel(), y.ravel()]) * LATTICE_PX, np.float32)


def warped(picture: Floats, flow: Floats) -> Floats:
    """A picture (3, H, W) sampled at p + flow; the border is continued."""
    _, height, width = picture.shape
    places = flow + _pixels(width, height)
    channels = np.ascontiguousarray(np.moveaxis(picture, 0, -1))
    found = cv2.remap(channels, places, np.empty(0), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.moveaxis(found, -1, 0), np.float32)


@lru_cache(maxsize=16)
def _pixels(width: int, height: int) -> Floats:
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], -1)


def reach(fields: NDArray[np.uint8]) -> Floats:
    """(H, W), 0..1: lips, mouth, eyes and lids and a little around them. What a net makes of skin far from them is no
    repair, and what it gets wrong there would be carried on from frame to frame."""
    near = cv2.dilate(fields.max(0), _AROUND)
    return np.asarray(cv2.GaussianBlur(near, (0, 0), SOFT_PX), np.float32) / np.float32(255)
