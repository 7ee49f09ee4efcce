"""Packed alpha: one I420 picture of double height, premultiplied colours over black on top, the matte's luma below.

What is opaque is as bright below as limited range allows, 235, what is not there 16, and the matte has no colour: any
video codec carries that, and a player that knows nothing of it shows two pictures."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.composite import planes
from realtime.core.values import I420

Alpha = NDArray[np.uint8]
"""0 nothing, 255 opaque; shape (height, width)."""

CLEAR_LUMA: Final = 16
OPAQUE_LUMA: Final = 235
NO_COLOUR: Final = 128
_SPAN: Final = OPAQUE_LUMA - CLEAR_LUMA
_TO_LUMA: Final = ((np.arange(256) * _SPAN + 127) // 255 + CLEAR_LUMA).astype(np.uint8)
_TO_ALPHA: Final = (
    (np.clip(np.arange(256) - CLEAR_LUMA, 0, _SPAN) * 255 + _SPAN // 2) // _SPAN
).astype(np.uint8)  # fmt: skip


def to_luma(alpha: Alpha) -> NDArray[np.uint8]:
    """The matte's luma in limited range (ITU-R BT.601)."""
    return np.asarray(_TO_LUMA[alpha], np.uint8)


def to_alpha(luma: NDArray[np.uint8]) -> Alpha:
    """Alpha of a matte's luma; what a codec has pushed out of the range is clipped."""
    return np.asarray(_TO_ALPHA[luma], np.uint8)


def pack(colour: I420, alpha: Alpha) -> I420:
    """Colours (height * 3 // 2, width), premultiplied, and their alpha as one picture (height * 3, width).

    Raises `ValueError` if the two have different sizes."""
    luma, u, v = planes(colour)
    if alpha.shape != luma.shape:
        raise ValueError(f"the matte has shape {alpha.shape}, the picture {luma.shape}")
    height, width = luma.shape
    out = np.empty((height * 3, width), np.uint8)
    top, over_u, over_v = planes(out)
    top[:height], top[height:] = luma, to_luma(alpha)
    for target, source in ((over_u, u), (over_v, v)):
        target[: height // 2], target[height // 2 :] = source, NO_COLOUR
    return out


def unpack(packed: I420) -> tuple[I420, Alpha]:
    """Colours and alpha of a packed picture."""
    luma, u, v = planes(packed)
    height, width = luma.shape[0] // 2, luma.shape[1]
    out = np.empty((height * 3 // 2, width), np.uint8)
    for target, source in zip(planes(out), (luma, u, v), strict=True):
        target[...] = source[: target.shape[0]]
    return out, to_alpha(luma[height:])
