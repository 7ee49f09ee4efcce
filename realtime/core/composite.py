"""Puts patches over a base frame, plane by plane, in I420."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from realtime.core.values import I420, Patch, Roi

Plane = NDArray[np.uint8]


def compose(base: I420, patches: Sequence[Patch], out: I420) -> I420:
    """Copy `base` to `out` and lay the patches over it in their order; returns `out`.

    `base` and `out` have the same shape (height * 3 // 2, width) and do not overlap. A patch with alpha is blended,
    its chroma weighted with the mean of the four luma pixels' alpha. Raises `ValueError` if a patch does not fit."""
    if base.shape != out.shape:
        raise ValueError(f"base and out have the same shape, got {base.shape} and {out.shape}")
    np.copyto(out, base)
    for patch in patches:
        lay(out, patch)
    return out


def lay(picture: I420, patch: Patch) -> None:
    """Lay one patch over a picture in place."""
    roi = patch.roi
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    if roi.x + roi.width > width or roi.y + roi.height > height:
        raise ValueError(f"patch {roi} does not lie inside {width} x {height}")
    if patch.pixels.shape != (roi.height * 3 // 2, roi.width):
        raise ValueError(f"patch {roi} has pixels of shape {patch.pixels.shape}")
    alphas = (None, None, None) if patch.alpha is None else _alphas(patch.alpha)
    for target, source, alpha in zip(windows(picture, roi), planes(patch.pixels), alphas, strict=True):
        if alpha is None:
            target[...] = source
        else:
            _blend(target, source, alpha)
    if patch.matte is not None:
        _lay_matte(picture, patch, patch.matte)


def _lay_matte(picture: I420, patch: Patch, matte: Plane) -> None:
    """Lay a patch's matte into the lower half of a packed picture; it has no colour, so its luma is all there is."""
    roi, half = patch.roi, picture.shape[0] // 3
    if roi.y + roi.height > half or matte.shape != (roi.height, roi.width):
        raise ValueError(f"the matte of patch {roi} does not fit a picture packed to {half} lines")
    target = picture[half + roi.y : half + roi.y + roi.height, roi.x : roi.x + roi.width]
    if patch.alpha is None:
        target[...] = matte
    else:
        _blend(target, matte, patch.alpha)


def planes(picture: I420) -> tuple[Plane, Plane, Plane]:
    """Views of the Y, U and V planes of an I420 picture."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    return picture[:height], chroma[0], chroma[1]


def windows(picture: I420, roi: Roi) -> tuple[Plane, Plane, Plane]:
    """Views of a rectangle's Y, U and V pixels."""
    luma, u, v = planes(picture)
    x, y, w, h = roi.x // 2, roi.y // 2, roi.width // 2, roi.height // 2
    return (
        luma[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width],
        u[y : y + h, x : x + w],
        v[y : y + h, x : x + w],
    )


def crop(picture: I420, roi: Roi) -> I420:
    """A copy of a rectangle as an I420 picture of its own."""
    out = np.empty((roi.height * 3 // 2, roi.width), np.uint8)
    for target, source in zip(planes(out), windows(picture, roi), strict=True):
        target[...] = source
    return out


def _alphas(alpha: Plane) -> tuple[Plane, Plane, Plane]:
    height, width = alpha.shape
    pairs = alpha.reshape(height // 2, 2, width // 2, 2).astype(np.uint16)
    half = ((pairs.sum((1, 3)) + 2) >> 2).astype(np.uint8)
    return alpha, half, half


def _blend(target: Plane, source: Plane, alpha: Plane) -> None:
    """target + (source - target) * alpha / 255, rounded to nearest."""
    weight = alpha.astype(np.uint16)
    mixed = source * weight + target * (255 - weight) + 127
    target[...] = (mixed // 255).astype(np.uint8)
