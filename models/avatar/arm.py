"""Raised arms: hand, sleeve and what is held, as sprites that turn about wrist and elbow, cut out as an alpha patch."""

from typing import Final

import cv2
import numpy as np
import skia

from models.avatar.arm_poses import matrices, pose_of
from models.avatar.held import Held
from models.avatar.layers import Layers
from models.avatar.mesh import Sprite
from models.avatar.paint import LINEAR, blank, canvas_on, image_of
from models.avatar.projection import PICTURE_PX
from realtime.core.facs import Controls
from realtime.core.units import even_ceil, even_floor
from realtime.core.values import Patch, Roi

PATCHES_BYTES: Final = 8 * 2**20
"""Arms that are kept, about 70 kB each: a wave takes some fifty."""


class Arm:
    """Draws the raised arms, independent of what lies below them."""

    def __init__(self, layers: Layers) -> None:
        self._sprites = {
            name: sprite for name, sprite in layers.sprites.items() if name.startswith("hand_") or name == "sleeve"
        }
        self._sprites["card"] = layers["card"]
        self._images = {name: image_of(sprite.pixels) for name, sprite in self._sprites.items()}
        self._patches: Held[Patch] = Held(PATCHES_BYTES, lambda one: one.nbytes)

    @property
    def held_bytes(self) -> int:
        """What is kept of the arms' pixels."""
        return self._patches.size_bytes

    def roi(self, c: Controls) -> Roi | None:
        """The rectangle of the picture that the arms cover; None while they are out of sight."""
        corners = [_mapped(matrix, self._sprites[name].box) for name, matrix in _parts(c)]
        points = np.concatenate(corners)
        x0, y0 = (max(0, even_floor(float(v))) for v in points.min(0))
        x1, y1 = (min(PICTURE_PX, even_ceil(float(v))) for v in points.max(0))
        return Roi(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None

    def hold(self, card: Sprite) -> None:
        """Hold another card from now on."""
        self._sprites["card"], self._images["card"] = card, image_of(card.pixels)
        self._patches.clear()

    def patch(self, c: Controls, roi: Roi) -> Patch:
        """The arms' pixels; met again from a cache while a hand waves."""
        at = c["arm_raise"], c["arm_swing"], c["arm_x"], c["hand"], roi
        return self._patches.get(at, lambda: self._draw(*at))

    def _draw(self, raised: float, swing: float, shift: float, hand: float, roi: Roi) -> Patch:
        pixels = blank(roi.width, roi.height)
        canvas = canvas_on(pixels)
        canvas.translate(-roi.x, -roi.y)
        for name, matrix in _placed(raised, swing, shift, hand):
            sprite = self._sprites[name]
            canvas.save()
            canvas.concat(matrix)
            canvas.scale(1 / sprite.density, 1 / sprite.density)
            canvas.drawImage(self._images[name], sprite.x * sprite.density, sprite.y * sprite.density, LINEAR)
            canvas.restore()
        alpha = np.ascontiguousarray(pixels[..., 3])
        cover = np.maximum(alpha, 1).astype(np.float32)[..., None]
        spread = cv2.GaussianBlur(pixels, (0, 0), 3.0).astype(np.float32)
        spread = spread[..., :3] / np.maximum(spread[..., 3:], 1) * 255
        plain = np.where(alpha[..., None] > 0, pixels[..., :3] / cover * 255, spread)
        i420 = cv2.cvtColor(np.clip(plain, 0, 255).astype(np.uint8), cv2.COLOR_RGB2YUV_I420)
        return Patch(roi, np.asarray(i420, np.uint8), alpha)


def _parts(c: Controls) -> list[tuple[str, skia.Matrix]]:
    return _placed(c["arm_raise"], c["arm_swing"], c["arm_x"], c["hand"])


def _placed(raised: float, swing: float, shift: float, index: float) -> list[tuple[str, skia.Matrix]]:
    """The sprites of the arms from back to front, each with its map from local units to picture pixels."""
    pose = pose_of(index)
    found: list[tuple[str, skia.Matrix]] = []
    for side in pose.sides:
        hand, sleeve = matrices(pose, side, raised, swing, shift)
        found.append((f"hand_{pose.hand}", hand))
        if pose.card_at is not None:
            card = skia.Matrix.Concat(hand, skia.Matrix())
            card.preTranslate(*pose.card_at)
            found += [("card", card), ("hand_grip_thumb", hand)]
        found.append(("sleeve", sleeve))
    return found


def _mapped(
    matrix: skia.Matrix, box: tuple[float, float, float, float]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rect = matrix.mapRect(skia.Rect.MakeLTRB(*box))
    return np.array([(rect.left(), rect.top()), (rect.right(), rect.bottom())])
