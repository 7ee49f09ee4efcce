"""Draws the inside of an open mouth and says which pixels belong to the lower lip's side.

Upper teeth stand still in the skull, lower teeth and tongue go with the jaw; the lips' contours are the window."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.assets import MouthPaint
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.framing import PICTURE_PX
from models.avatar.portrait.geometry import PIVOT, Posture
from models.avatar.portrait.numerics import Floats, Image, blur, byte_mask, closed_mask, curve, over, smoothstep
from models.avatar.portrait.teeth import MM_PER_UNIT, ORIGIN_MM, PX_PER_MM, TONGUE_MM
from realtime.core.facs import Controls
from realtime.core.values import Roi

_ROW: Final = 11
_JAW_UNITS: Final = 0.40
"""How far the lower teeth drop at full AU26, in face units."""
_BEHIND_LIPS: Final = 0.10
_CLOSED_UNITS: Final = 0.012
"""Lips nearer than this touch."""


@dataclass(frozen=True, slots=True, eq=False)
class Lips:
    """The lips' contours of one frame in picture pixels, (11, 2) each, from the picture's left to its right."""

    upper: Floats
    lower: Floats
    outer_lower: Floats
    gap_px: float
    down: Floats
    """The face's down in the picture, a unit vector."""
    unit_px: float

    @staticmethod
    def of(points_px: NDArray[np.floating[Any]], frame: FaceFrame) -> "Lips":
        """Contours of posed LIP_POINTS (44, 2); where lips touch, both contours are one line."""
        upper, lower = points_px[:_ROW].astype(np.float64), points_px[_ROW : 2 * _ROW].astype(np.float64)
        down = frame.axes[1]
        gaps = (lower - upper) @ down
        touching = gaps < _CLOSED_UNITS * frame.scale_px
        middle = (upper + lower) / 2
        upper = np.where(touching[:, None], middle, upper)
        lower = np.where(touching[:, None], middle, lower)
        gap = float(np.where(touching, 0, gaps).max())
        return Lips(upper, lower, points_px[3 * _ROW :].astype(np.float64), gap, down, frame.scale_px)

    def below(self, roi: Roi) -> Image:
        """1 where the lower lip's field holds, (height, width): below the mouth line, fading out past the corners."""
        unit, down = self.unit_px, self.down
        side = np.array([down[1], -down[0]])
        line = curve((self.upper + self.lower) / 2) - (roi.x, roi.y)
        left, right = line[0], line[-1]
        half = np.vstack([
            line, right + unit * (0.35 * side + 0.02 * down), right + unit * (0.35 * side + 0.7 * down),
            left + unit * (-0.35 * side + 0.7 * down), left + unit * (-0.35 * side + 0.02 * down),
        ])  # fmt: skip
        sharp = byte_mask((roi.height, roi.width), half, 0.7)
        around = np.vstack([
            line - 0.5 * unit * down,
            right + unit * (0.12 * side - 0.5 * down), right + unit * (0.12 * side + 0.2 * down),
            (self.outer_lower - (roi.x, roi.y) + 0.14 * unit * down)[::-1],
            left + unit * (-0.12 * side + 0.2 * down), left + unit * (-0.12 * side - 0.5 * down),
        ])  # fmt: skip
        soft = byte_mask((roi.height // 4, roi.width // 4), around / 4, 0.05 * unit / 4)
        wide = cv2.resize(soft, (roi.width, roi.height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.multiply(sharp, wide, scale=1 / 255**2, dtype=cv2.CV_32F), np.float32)


def draw_inside(
    picture: NDArray[np.uint8], roi: Roi, lips: Lips, controls: Controls, paint: MouthPaint, view: "Placing"
) -> None:
    """Draw what shows between the lips into a BGR picture of the region, in place."""
    unit = lips.unit_px
    if lips.gap_px < 0.5:
        return
    outline = np.vstack([curve(lips.upper), curve(lips.lower)[::-1]]) - (roi.x, roi.y)
    low = np.maximum(np.floor(outline.min(0)).astype(int) - 5, 0)
    high = np.minimum(np.ceil(outline.max(0)).astype(int) + 6, (roi.width, roi.height))
    width, height = (int(n) for n in high - low)
    if width < 4 or height < 4:
        return
    corner = low + (roi.x, roi.y)
    cover = closed_mask((height, width), outline - low, 0.75)
    cover *= np.float32(smoothstep(0.010 * unit, 0.035 * unit, np.asarray(lips.gap_px)))
    inside = _paint(height, width, corner, controls, paint, view)
    inside *= _lip_shadow(cover, unit)[..., None] ** np.array([1.10, 1.05, 0.88], np.float32)
    target = picture[low[1] : high[1], low[0] : high[0]]
    target[...] = np.clip(over(target.astype(np.float32), inside, cover) + 0.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """Where face units of one pose lie in the picture: an affine map of points that follow the head wholly."""

    middle: float
    line: float
    lip_z: float
    axes: Floats
    """(3, 2) picture pixels per face unit along x, y, z."""
    offset: Floats

    @staticmethod
    def of(posture: Posture, frame: FaceFrame, mouth: tuple[float, float, float]) -> "Placing":
        """`mouth` is the middle, the line and the depth of the lips at rest, in face units."""
        projection = posture.projection(frame, PICTURE_PX).astype(np.float64)
        axes = projection[2:5].copy()
        axes[:2] += projection[:2]
        return Placing(*mouth, axes, projection[5] + projection[6] - PIVOT @ projection[2:5])

    def pixels(self, points: NDArray[np.floating[Any]]) -> Floats:
        """Picture pixels (N, 2) of head points (N, 3) in face units."""
        return np.asarray(points @ self.axes + self.offset, np.float64)

    def sprite(self, origin_mm: tuple[float, float], v: float, dz: float, grow: float = 1.0) -> Floats:
        """(2, 3): from a sprite's pixels to picture pixels, its origin at the mouth's middle and height `v`."""
        at = np.array([self.middle, v, self.lip_z + _BEHIND_LIPS + dz]) @ self.axes + self.offset
        axes = self.axes[:2].T * (grow / (MM_PER_UNIT * PX_PER_MM))
        out = np.empty((2, 3))
        out[:, :2], out[:, 2] = axes, at - axes @ (np.array(origin_mm) * PX_PER_MM)
        return out


def _paint(
    height: int, width: int, corner: NDArray[np.int_], controls: Controls, paint: MouthPaint, view: Placing
) -> Image:
    """Cavity, tongue and teeth, BGR float32."""
    jaw, meet = controls["AU26"], controls["teeth"]
    forward = min(1.0, controls["AU18"] + 0.5 * controls["AU22"])
    drop = _JAW_UNITS * jaw * (1 - 0.35 * meet)
    # light falls in from the front: the throat is darkest high up and in the corners
    rows = np.linspace(0.60, 1.55, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32) ** 2
    depth = rows * (np.float32(1.12) - np.float32(0.55) * across)
    image = np.asarray(depth[..., None] * np.array(paint.cavity, np.float32), np.float32)
    # lips pushed forward hide the teeth and shade what lies behind, warmly
    lit = np.array([1 - 0.42 * forward, 1 - 0.40 * forward, 1 - 0.28 * forward], np.float32)

    def put(sprite: NDArray[np.float32], move: Floats, gain: NDArray[np.float32]) -> None:
        shifted = move.copy()
        shifted[:, 2] -= corner
        drawn = cv2.warpAffine(sprite, shifted, (width, height), flags=cv2.INTER_LINEAR)
        image[...] = over(image, drawn[..., :3] * gain.astype(np.float32), np.clip(drawn[..., 3] / 255, 0, 1))

    tip_up, tip_out = controls["tongue_up"], controls["tongue_out"]
    lying = view.line + 0.066 + 0.48 * drop
    raised = view.line + 0.060 + 0.12 * drop
    # between the teeth the tip covers the lower row and shows under the upper one
    between = paint.edge_v - 0.026
    top = lying + (raised - lying) * 0.9 * tip_up
    top += (between - top) * tip_out
    tongue = view.sprite((TONGUE_MM[0] / 2, 1.8), top, 0.10 - 0.12 * tip_out, 1.02 - 0.16 * tip_up - 0.18 * tip_out)
    if tip_out < 0.3:
        put(paint.tongue, tongue, lit * (0.86 + 0.14 * max(tip_up, jaw)))
    low_edge = view.line + 0.047 + 0.94 * drop + 0.03 * forward - 0.016 * meet
    put(paint.teeth_lower, view.sprite(ORIGIN_MM[False], low_edge, 0.03), 0.92 * lit)
    if tip_out >= 0.3:
        put(paint.tongue, tongue, lit * (0.92 + 0.14 * tip_out))
    put(paint.teeth_upper, view.sprite(ORIGIN_MM[True], paint.edge_v - 0.030 * forward - 0.016 * tip_out, 0.0), lit)
    return image


def _lip_shadow(cover: Image, unit: float) -> Image:
    """0.72..1: darker right under the upper lip; a narrow opening is not darkened through and through."""
    soft = blur(cover, max(0.7, 0.024 * unit))
    lowered = max(1, round(0.020 * unit))
    shade = np.zeros_like(soft)
    shade[lowered:] = soft[:-lowered]
    return np.asarray(0.72 + 0.28 * smoothstep(0.02, 0.72, shade), np.float32)
