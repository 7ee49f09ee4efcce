"""The pictures that can stand behind a host: rooms drawn by code, colours, blurs and what users bring along."""

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from models.avatar.backdrop import ROOMS, backdrop
from models.avatar.paint import Rgba
from models.avatar.projection import PICTURE_PX
from models.avatar.spec import Room
from realtime.core.backdrop import Backdrop, rgb_of

BLUR_SIGMA_PX: Final = 14.0
"""Enough that no edge of a room is told any more, little enough that its light is."""

_TITLES: Final[Mapping[str, str]] = {"studio": "Bright studio", "loft": "Brick loft", "evening": "City evening"}
TITLES: Final[Mapping[str, str]] = {name: _TITLES.get(name, name.capitalize()) for name in ROOMS}
"""The rooms that come with Anima."""


def shipped(name: str) -> Rgba:
    """One of the rooms that come with Anima, (PICTURE_PX, PICTURE_PX, 4)."""
    return backdrop(name, Room())


def scenery(wish: Backdrop, own: Rgba, picture: Rgba | None = None) -> Rgba:
    """What stands behind the host, premultiplied RGBA (PICTURE_PX, PICTURE_PX, 4).

    `own` is the avatar's own background, `picture` the one that a wish for an image names."""
    if wish.kind == "default":
        return own
    if wish.kind == "image":
        assert picture is not None
        return picture
    if wish.kind == "blur":
        return np.asarray(cv2.GaussianBlur(own, (0, 0), BLUR_SIGMA_PX, borderType=cv2.BORDER_REPLICATE), np.uint8)
    out = np.zeros((PICTURE_PX, PICTURE_PX, 4), np.uint8)
    if wish.kind == "colour":
        out[...] = (*rgb_of(wish.value), 255)
    return out
