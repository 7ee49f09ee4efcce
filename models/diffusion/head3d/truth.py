"""What a frame is known to show: flow to the previous frame, what rest had hidden, masks and where errors count."""

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.diffusion.head3d.figure import PART, Figure
from models.diffusion.head3d.raster import F32
from models.diffusion.head3d.render import Buffers

SAMPLES_PER_PIXEL: Final = 3
"""Per side."""
_SAME_DEPTH: Final = 0.05
"""Points nearer than this in depth, in face units, count as the same."""
_INSIDE: Final = ("cavity", "upper_teeth", "lower_teeth", "tongue")


def parts_mask(labels: NDArray[np.uint8], parts: Sequence[str]) -> NDArray[np.bool_]:
    """Where a label is one of the parts."""
    return np.asarray(np.isin(labels, [PART[name] for name in parts]))


def picked(samples: NDArray[Any]) -> NDArray[Any]:
    """Of every pixel's samples (H * n, W * n, ...) one from its middle."""
    n = SAMPLES_PER_PIXEL
    return samples[n // 2 :: n, n // 2 :: n]


def interior_mask(labels: NDArray[np.uint8], unseen: F32) -> NDArray[np.uint8]:
    """(H, W), 0..255: where errors count fourfold."""
    inside = parts_mask(labels, (*_INSIDE, "sclera", "iris", "lid")).astype(np.uint8)
    grown = cv2.dilate(inside, np.ones((3, 3), np.uint8)).astype(np.float32)
    soft = cv2.GaussianBlur(np.maximum(grown, unseen), (0, 0), 0.8)
    return np.asarray(np.rint(soft * 255), np.uint8)


def hidden_at_rest(figure: Figure, drawn: Buffers, rest_xy: F32, rest_depth: F32, buffer: F32) -> F32:
    """(H, W) 0..1: skin, hair and neck that the picture at rest did not show; `buffer` is its depth."""
    seen = np.concatenate([rest_xy, rest_depth[:, None]], 1).astype(np.float32)
    found = drawn.cover.interpolate(seen, figure.triangles)
    nearest = cv2.erode(buffer, np.ones((3, 3), np.uint8))
    farthest = cv2.dilate(np.where(buffer > 100, -1e3, buffer).astype(np.float32), np.ones((3, 3), np.uint8))
    x = np.clip(found[:, 0].astype(np.int64), 0, buffer.shape[1] - 1)
    y = np.clip(found[:, 1].astype(np.int64), 0, buffer.shape[0] - 1)
    hidden = (found[:, 2] > np.maximum(nearest[y, x], farthest[y, x]) + _SAME_DEPTH).astype(np.float32)
    outside = parts_mask(
        drawn.labels.ravel()[drawn.cover.pixel], (*_INSIDE, "sclera", "iris", "lid", "upper_lip", "lower_lip")
    )
    hidden[outside] = 0
    full = drawn.cover.image(hidden[:, None])[..., 0]
    size = (full.shape[1] // SAMPLES_PER_PIXEL, full.shape[0] // SAMPLES_PER_PIXEL)
    return np.asarray(cv2.resize(full, size, interpolation=cv2.INTER_AREA), np.float32)


def flow_back(
    figure: Figure, drawn: Buffers, before_xy: F32, before_depth: F32, before: Buffers, background: F32
) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Flow (2, H, W) in pixels of the crop to where each point was in the frame before, and whether it was seen there.

    `before_xy` (V, 2) are the vertices in the earlier crop; `background` how the picture moved under the crop."""
    n = SAMPLES_PER_PIXEL
    height, width = drawn.alpha.shape
    seen = np.concatenate([before_xy, before_depth[:, None]], 1).astype(np.float32)
    found = drawn.cover.interpolate(seen, figure.triangles)
    y, x = np.divmod(drawn.cover.pixel, width)
    here = (np.stack([x, y], 1).astype(np.float32) + 0.5) / n
    flow = np.broadcast_to(background, (height * width, 2)).astype(np.float32)
    valid = np.zeros(height * width, np.uint8)
    all_y, all_x = np.mgrid[0:height, 0:width]
    there = np.stack([all_x.ravel(), all_y.ravel()], 1).astype(np.float32) + 0.5 + background * n
    bare = (drawn.alpha.ravel() == 0) & (_at(before.depth, there) > 100) & _within(there, width, height)
    valid[bare] = 255
    flow[drawn.cover.pixel] = found[:, :2] - here
    at = found[:, :2] * n
    same = (np.abs(_at(before.depth, at) - found[:, 2]) < _SAME_DEPTH) & _within(at, width, height)
    valid[drawn.cover.pixel] = np.where(same, 255, 0)
    mask = valid.reshape(height // n, n, width // n, n).min(axis=(1, 3))
    return np.ascontiguousarray(picked(flow.reshape(height, width, 2)).transpose(2, 0, 1)).astype(
        np.float16
    ), np.ascontiguousarray(mask)


def _at(depth: F32, places: F32) -> F32:
    x = np.clip(places[:, 0].astype(np.int64), 0, depth.shape[1] - 1)
    y = np.clip(places[:, 1].astype(np.int64), 0, depth.shape[0] - 1)
    return np.asarray(depth[y, x])


def _within(places: F32, width: int, height: int) -> NDArray[np.bool_]:
    return np.asarray(((places >= 0) & (places < (width, height))).all(1))
