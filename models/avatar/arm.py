"""The waving arm: hand and sleeve as sprites that turn about wrist and elbow, cut out as a patch with alpha."""

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import skia

from models.avatar.layers import Layers
from models.avatar.paint import LINEAR, blank, canvas_on, image_of
from models.avatar.projection import ORIGIN_PX, PICTURE_PX, VIEW_SCALE
from models.avatar.sleeve import FOREARM
from realtime.core.facs import Controls
from realtime.core.units import even_ceil, even_floor
from realtime.core.values import Patch, Roi

HAND_SCALE: Final = 0.80
ELBOW_LOW: Final = (-176.0, 540.0)
ELBOW_HIGH: Final = (-147.0, 282.0)
TURN_LOW_DEG: Final = -24.0
TURN_HIGH_DEG: Final = 3.0
SWING_DEG: Final = 4.5
WRIST_SWING_DEG: Final = 11.0


class Arm:
    """Draws the raised arm, independent of what lies below it."""

    def __init__(self, layers: Layers) -> None:
        self._hand = layers["hand"]
        self._sleeve = layers["sleeve"]
        self._images = image_of(self._hand.pixels), image_of(self._sleeve.pixels)
        self._patch = lru_cache(maxsize=96)(self._draw)

    def roi(self, c: Controls) -> Roi | None:
        """The rectangle of the picture that the arm covers; None while it is out of sight."""
        raised, swing = c["arm_raise"], c["arm_swing"]
        corners = [
            _mapped(matrix, sprite.box)
            for matrix, sprite in zip(_poses(raised, swing), (self._hand, self._sleeve), strict=True)
        ]
        points = np.concatenate(corners)
        x0, y0 = (max(0, even_floor(float(v))) for v in points.min(0))
        x1, y1 = (min(PICTURE_PX, even_ceil(float(v))) for v in points.max(0))
        return Roi(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None

    def patch(self, c: Controls, roi: Roi) -> Patch:
        """The arm's pixels; met again from a cache while the arm waves."""
        return self._patch(c["arm_raise"], c["arm_swing"], roi)

    def _draw(self, raised: float, swing: float, roi: Roi) -> Patch:
        pixels = blank(roi.width, roi.height)
        canvas = canvas_on(pixels)
        canvas.translate(-roi.x, -roi.y)
        for matrix, sprite, image in zip(_poses(raised, swing), (self._hand, self._sleeve), self._images, strict=True):
            canvas.save()
            canvas.concat(matrix)
            canvas.scale(1 / sprite.density, 1 / sprite.density)
            canvas.drawImage(image, sprite.x * sprite.density, sprite.y * sprite.density, LINEAR)
            canvas.restore()
        alpha = np.ascontiguousarray(pixels[..., 3])
        cover = np.maximum(alpha, 1).astype(np.float32)[..., None]
        spread = cv2.GaussianBlur(pixels, (0, 0), 3.0).astype(np.float32)
        spread = spread[..., :3] / np.maximum(spread[..., 3:], 1) * 255
        plain = np.where(alpha[..., None] > 0, pixels[..., :3] / cover * 255, spread)
        i420 = cv2.cvtColor(np.clip(plain, 0, 255).astype(np.uint8), cv2.COLOR_RGB2YUV_I420)
        return Patch(roi, np.asarray(i420, np.uint8), alpha)


def _poses(raised: float, swing: float) -> tuple[skia.Matrix, skia.Matrix]:
    """Local units to picture pixels, for hand and sleeve."""
    x = ELBOW_LOW[0] + (ELBOW_HIGH[0] - ELBOW_LOW[0]) * raised
    y = ELBOW_LOW[1] + (ELBOW_HIGH[1] - ELBOW_LOW[1]) * raised
    turn = TURN_LOW_DEG + (TURN_HIGH_DEG - TURN_LOW_DEG) * raised + SWING_DEG * swing * raised
    sleeve = skia.Matrix()
    sleeve.setTranslate(ORIGIN_PX[0] + x * VIEW_SCALE, ORIGIN_PX[1] + y * VIEW_SCALE)
    sleeve.preScale(VIEW_SCALE, VIEW_SCALE)
    sleeve.preRotate(turn)
    hand = skia.Matrix.Concat(sleeve, skia.Matrix())
    hand.preTranslate(0, -FOREARM - 4)
    hand.preRotate(WRIST_SWING_DEG * swing * raised)
    hand.preScale(HAND_SCALE, HAND_SCALE)
    return hand, sleeve


def _mapped(
    matrix: skia.Matrix, box: tuple[float, float, float, float]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rect = matrix.mapRect(skia.Rect.MakeLTRB(*box))
    return np.array([(rect.left(), rect.top()), (rect.right(), rect.bottom())])
