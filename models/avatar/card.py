"""Paints the card that a host holds up: an empty frame, onto which a picture may be put."""

from typing import Final

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.paint import blank, canvas_on, fill, image_of, linear, shade
from models.avatar.spec import ClothColors

BOX: Final = (-64.0, -80.0, 64.0, 80.0)
INSIDE: Final = (-50.0, -66.0, 50.0, 66.0)
"""The part of the card that a picture fills, 100 x 132 head units."""
_FRAME: Final = (-56.0, -72.0, 56.0, 72.0)


def card_sprite(c: ClothColors, picture: NDArray[np.uint8] | None = None) -> Sprite:
    """The card, centred on the origin; `picture` is RGB (H, W, 3) and is cropped to the frame's proportions."""
    pixels = blank(round((BOX[2] - BOX[0]) * TEXTURE_DENSITY), round((BOX[3] - BOX[1]) * TEXTURE_DENSITY))
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-BOX[0], -BOX[1])
    outside, inside = skia.Rect.MakeLTRB(*_FRAME), skia.Rect.MakeLTRB(*INSIDE)
    canvas.drawRoundRect(outside.makeOffset(1.5, 4), 7, 7, fill("#1a1216", 0.38, 3.0))
    frame = linear((_FRAME[0], _FRAME[1]), (_FRAME[2], _FRAME[3]), [(0, "#ffffff"), (0.6, "#f6f2ec"), (1, "#ddd5cb")])
    canvas.drawRoundRect(outside, 7, 7, shade(frame))
    if picture is None:
        paper = linear((0, INSIDE[1]), (0, INSIDE[3]), [(0, "#ffffff"), (1, c.edge)])
        canvas.drawRoundRect(inside, 3, 3, shade(paper, 0.9))
    else:
        canvas.drawImageRect(image_of(_cropped(picture)), inside, skia.SamplingOptions(skia.FilterMode.kLinear))
    rim = fill(c.base, 0.75)
    rim.setStyle(skia.Paint.kStroke_Style)
    rim.setStrokeWidth(1.6)
    canvas.drawRoundRect(inside, 3, 3, rim)
    return Sprite(pixels, BOX[0], BOX[1])


def _cropped(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of a picture in the frame's proportions, as opaque RGBA at the card's resolution."""
    height, width = picture.shape[:2]
    wide, high = INSIDE[2] - INSIDE[0], INSIDE[3] - INSIDE[1]
    scale = min(width / wide, height / high)
    w, h = max(1, round(wide * scale)), max(1, round(high * scale))
    x, y = (width - w) // 2, (height - h) // 2
    size = round(wide * TEXTURE_DENSITY), round(high * TEXTURE_DENSITY)
    part = cv2.resize(picture[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA)
    return np.dstack([part, np.full(part.shape[:2], 255, np.uint8)]).astype(np.uint8)
