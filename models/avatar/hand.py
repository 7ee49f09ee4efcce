"""Paints hands: tapered capsules melted into a height field, lit, and coloured with the skin's ramp."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.geometry import Points, smoothstep, spline
from models.avatar.hand_shapes import SHAPES, Bone, HandShape
from models.avatar.mesh import Sprite
from models.avatar.paint import rgb
from models.avatar.skin import ramp
from models.avatar.spec import SkinColors

BOX: Final = (-74.0, -178.0, 88.0, 56.0)
DENSITY: Final = 2.0
_LIGHT: Final = np.array([-0.52, -0.56, 0.64])

Field = NDArray[np.float64]


@dataclass(slots=True)
class _Clay:
    """Height above the plane and signed distance to the silhouette, on a grid."""

    x: Field
    y: Field
    height: Field
    distance: Field

    def add(self, bones: Sequence[Bone], flat: float, melt: float, melt_edge: float) -> None:
        """Melt a chain of capsules in; `flat` squeezes it, `melt` rounds the joins (polynomial smooth maximum)."""
        height = np.full_like(self.x, -40.0)
        distance = np.full_like(self.x, 1e3)
        for (ax, ay, az, ar), (bx, by, bz, br) in zip(bones[:-1], bones[1:], strict=True):
            dx, dy = bx - ax, by - ay
            t = np.clip(((self.x - ax) * dx + (self.y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
            radius = ar + (br - ar) * t
            away = np.hypot(self.x - ax - dx * t, self.y - ay - dy * t)
            top = az + (bz - az) * t + flat * np.sqrt(np.maximum(radius**2 - away**2, 0))
            height = np.maximum(height, np.where(away < radius, top, -40.0))
            distance = np.minimum(distance, away - radius)
        share = np.clip(0.5 + 0.5 * (height - self.height) / melt, 0, 1)
        self.height = self.height * (1 - share) + height * share + melt * share * (1 - share)
        share = np.clip(0.5 + 0.5 * (self.distance - distance) / melt_edge, 0, 1)
        self.distance = self.distance * (1 - share) + distance * share - melt_edge * share * (1 - share)

    def swell(self, center: tuple[float, float], size: tuple[float, float], height: float) -> None:
        """Raise or hollow the palm."""
        hill = np.exp(-(((self.x - center[0]) / size[0]) ** 2) - ((self.y - center[1]) / size[1]) ** 2)
        self.height += height * hill * (self.height > -30)


def _model(shape: HandShape) -> _Clay:
    x0, y0, x1, y1 = BOX
    x, y = np.meshgrid(
        x0 + (np.arange(round((x1 - x0) * DENSITY)) + 0.5) / DENSITY,
        y0 + (np.arange(round((y1 - y0) * DENSITY)) + 0.5) / DENSITY,
    )
    clay = _Clay(x, y, np.full_like(x, -40.0), np.full_like(x, 1e3))
    for chain, flat, melt, melt_edge in shape.palm:
        clay.add(chain, flat, melt, melt_edge)
    for number, finger in enumerate(shape.fingers):
        if len(finger) == 3 and number in shape.straight:
            clay.add(finger, 0.8, 4, 4)
        else:
            clay.add(finger, 0.9, 2.2, 3)
    if shape.thumb:
        clay.add(shape.thumb, 0.8, 7 if len(shape.straight) == 4 else 3, 9 if len(shape.straight) == 4 else 4)
    for center, size, height in shape.hills:
        clay.swell(center, size, height)
    return clay


def hand_sprite(colors: SkinColors, name: str = "open") -> Sprite:
    """The avatar's right hand in a shape of `SHAPES`; the wrist is at the origin, the forearm below it."""
    shape = SHAPES[name]
    clay = _model(shape)
    height = cv2.GaussianBlur(np.maximum(clay.height, -8 * np.clip(clay.distance, 0, 1) - 2), (0, 0), 1.5 * DENSITY)
    gy, gx = np.gradient(height, 1 / DENSITY)
    normal = np.stack([-gx * 0.8, -gy * 0.8, np.ones_like(gx)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    gaps = np.clip((cv2.GaussianBlur(clay.height, (0, 0), 3.2 * DENSITY) - clay.height) / 9, 0, 1) * 0.5
    gaps += np.clip((cv2.GaussianBlur(height, (0, 0), 9 * DENSITY) - height) / 22, 0, 1) * 0.22
    value = cv2.GaussianBlur(normal @ _LIGHT * 0.9 + 0.12 - gaps, (0, 0), 0.7 * DENSITY)
    stops = ((-0.1, colors.deep), (0.30, colors.shadow), (0.55, colors.mid), (0.76, colors.light), (0.97, colors.high))
    color = ramp(value, stops)
    color = _blushed(color, clay, colors, shape)
    crease = _crease_cover(clay, shape)[..., None]
    color = color * (1 - crease) + np.array(rgb(colors.line)) * crease
    edge = (np.clip(1 + clay.distance / 1.8, 0, 1) ** 2 * 0.42)[..., None]
    color = color * (1 - edge) + np.array(rgb(colors.line)) * edge
    alpha = np.clip(0.5 - clay.distance * DENSITY / 1.6, 0, 1) * smoothstep(clay.y, 54, 44)
    pixels = np.dstack([np.clip(color, 0, 255) * alpha[..., None], alpha * 255]).round().astype(np.uint8)
    return Sprite(pixels, BOX[0], BOX[1], DENSITY)


def _blushed(color: Field, clay: _Clay, colors: SkinColors, shape: HandShape) -> Field:
    spots = [(f[-1][0], f[-1][1], 10.0, 0.36) for f in (*shape.fingers, *((shape.thumb,) if shape.thumb else ()))]
    if shape.hills:
        spots += [(20, -24, 20, 0.20), (-22, -28, 16, 0.18), (-26, -66, 9, 0.18), (9, -74, 9, 0.18)]
    blush = np.array(rgb(colors.blush), np.float64)
    for x, y, radius, strength in spots:
        cover = (strength * np.exp(-((clay.x - x) ** 2 + (clay.y - y) ** 2) / radius**2))[..., None]
        color = color * (1 - cover) + blush * cover
    return color


def _crease_cover(clay: _Clay, shape: HandShape) -> Field:
    lines: list[tuple[Points, float, float]] = [
        (spline(points, 24), 1.0, strength) for points, strength in shape.creases
    ]
    for finger in (shape.fingers[n] for n in shape.straight if len(shape.fingers[n]) == 3):
        (x0, y0, _, r0), (x1, y1, _, r1), (x2, y2, _, _) = finger
        for t, radius in ((0.10, r0), (0.62, r1)):
            x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
            lines.append((_wrinkle(x, y, radius), 0.8, 0.42))
        lines.append((_wrinkle(x1 + (x2 - x1) * 0.18, y1 + (y2 - y1) * 0.18, r1), 0.8, 0.40))
    cover = np.zeros(clay.x.shape, np.float32)
    for points, width, strength in lines:
        mask = np.zeros(clay.x.shape, np.uint8)
        at = ((points - [BOX[0], BOX[1]]) * DENSITY * 16).astype(np.int32)
        cv2.polylines(mask, [at], False, (255.0,), max(1, round(width * DENSITY)), cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.55 * DENSITY).astype(np.float32) / 255
        cover = np.maximum(cover, soft * np.float32(strength * 0.6))
    return cover.astype(np.float64)


def _wrinkle(x: float, y: float, radius: float) -> Points:
    return spline([(x - radius * 0.72, y + 0.8), (x, y + 1.8), (x + radius * 0.72, y + 0.5)], 12)
