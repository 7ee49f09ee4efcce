"""Cuts the picture of the avatar out of the photo: a square with the face at a fixed size where that fits."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from models.avatar.portrait.detect import Picture
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.numerics import Floats

PICTURE_PX: Final = 512
PLATE_PX: Final = 1024
"""The plate that frames are warped from has twice the picture's resolution, so that a warp does not blur."""

_EYE_DISTANCE: Final = 0.185
_EYES_AT: Final = (0.5, 0.42)
"""Wanted distance of the eye centres, and place of their middle, as parts of the square's side."""


@dataclass(frozen=True, slots=True, eq=False)
class Framed:
    """The square cut out of a photo, and the face in it."""

    plate: Picture
    """BGR uint8 (PLATE_PX, PLATE_PX, 3)."""
    points: Floats
    """(478, 3) in plate pixels."""


def cut_out(photo: Picture, points: Floats) -> Framed:
    """The square around a face, moved inside the photo and shrunk to fit it."""
    height, width, _ = photo.shape
    face = FaceFrame.of(points)
    side = min(face.scale_px / _EYE_DISTANCE, float(min(width, height)))
    left = np.clip(face.origin_px[0] - _EYES_AT[0] * side, 0, width - side)
    top = np.clip(face.origin_px[1] - _EYES_AT[1] * side, 0, height - side)
    zoom = PLATE_PX / side
    if zoom < 1:
        x0, y0, whole = round(left), round(top), round(side)
        crop = photo[y0 : y0 + whole, x0 : x0 + whole]
        plate = cv2.resize(crop, (PLATE_PX, PLATE_PX), interpolation=cv2.INTER_AREA)
        left, top, zoom = x0, y0, PLATE_PX / crop.shape[1]
    else:
        # pixel centres: plate x is photo (x + 0.5) / zoom + left - 0.5
        move = np.array([[zoom, 0, 0.5 * zoom - 0.5 - left * zoom], [0, zoom, 0.5 * zoom - 0.5 - top * zoom]])
        plate = cv2.warpAffine(
            photo, move, (PLATE_PX, PLATE_PX), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
        )
    moved = np.c_[(points[:, :2] - (left, top)) * zoom, points[:, 2] * zoom]
    return Framed(np.asarray(plate, np.uint8), moved)
