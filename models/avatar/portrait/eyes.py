"""Eyes drawn in the plate's own pixels: lids that close without smearing lashes, irises that look around.

Everything happens in the still, unturned face, column by column: a lid's margin is a height per column. The patch
replaces the plate's pixels before the one warp that turns the head, so a drawn eye is as sharp as the photo's."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.numerics import Floats, Image, blur, curve, dilate, erode, fill, smoothstep
from models.avatar.portrait.topology import (
    LEFT_IRIS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    RIGHT_IRIS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
)

SIDES: Final = (
    (RIGHT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_IRIS, "blink_r"),
    (LEFT_UPPER_LID, LEFT_LOWER_LID, LEFT_IRIS, "blink_l"),
)
"""Picture left first."""
GAZE_UNITS: Final = (0.085, 0.060)
"""How far the iris moves at full gaze, in face units."""
_MARGIN_UNITS: Final = (0.16, 0.26, 0.20)
"""What the box holds beside, above and below the lids."""
_LID_TONE: Final = np.array([0.94, 0.955, 0.975], np.float32)
"""Lids are thin: darker and redder than the skin around."""
_LASH_UNITS: Final = 0.075
_CREASE_UNITS: Final = 0.10


@dataclass(frozen=True, slots=True, eq=False)
class Eye:
    """One eye of the plate. Images are BGR float32 0..255 of shape (height, width, 3); heights are rows per column."""

    x: int
    y: int
    photo: Image
    skin: Image
    """The photo with eye and lashes painted over by lid."""
    ball: Image
    """The white without its iris."""
    iris: Image
    iris_alpha: Image
    lashes: Image
    """Logarithm of photo over skin around the upper margin, by rows from it: (2 reach + 1, width, 3)."""
    upper: NDArray[np.float32]
    """Row of the upper lid's margin (width,)."""
    lower: NDArray[np.float32]
    inside: NDArray[np.float32]
    """1 between the eye's corners, falling to 0 beyond them (width,)."""
    unit_px: float
    """Plate pixels per face unit."""

    @property
    def gap_px(self) -> float:
        """Height of the open eye."""
        return float((self.lower - self.upper).max())


def take(plate: Image, points: Floats, side: int, unit_px: float) -> Eye:
    """Take an eye apart; `points` (478, 3) and the plate are in the same pixels."""
    upper_ids, lower_ids, iris_ids, _ = SIDES[side]
    top, bottom = curve(points[list(upper_ids), :2]), curve(points[list(lower_ids), :2])
    every = np.vstack([top, bottom])
    beside, above, under = (m * unit_px for m in _MARGIN_UNITS)
    x0, y0 = int(every[:, 0].min() - beside), int(every[:, 1].min() - above)
    x1, y1 = int(every[:, 0].max() + beside), int(every[:, 1].max() + under)
    photo = plate[y0:y1, x0:x1].astype(np.float32)
    columns = np.arange(x0, x1, dtype=np.float64)
    upper = np.interp(columns, *_by_column(top)) - y0
    lower = np.maximum(np.interp(columns, *_by_column(bottom)) - y0, upper)
    left, right = every[:, 0].min(), every[:, 0].max()
    soft = 0.05 * unit_px
    inside = smoothstep(left - soft, left + 0.2 * soft, columns) * (
        1 - smoothstep(right - 0.2 * soft, right + soft, columns)
    )
    rows = np.arange(y1 - y0)[:, None]
    open_ = ((rows >= upper) & (rows <= lower) & (inside > 0.3)).astype(np.float32)
    skin = _lid_skin(photo, open_, upper, lower, inside, unit_px)
    reach = int(_LASH_UNITS * unit_px)
    centre = points[iris_ids[0], :2] - (x0, y0)
    radius = float(np.mean([np.hypot(*(points[i, :2] - points[iris_ids[0], :2])) for i in iris_ids[1:]]))
    ball, iris, iris_alpha = _eyeball(photo, open_, centre, radius, unit_px)
    offsets = np.arange(-reach, reach + 1)[:, None]
    at_x = np.broadcast_to(np.arange(x1 - x0, dtype=np.float32), (len(offsets), x1 - x0))
    at_y = (upper + offsets).astype(np.float32)
    ratio = np.log((photo + 2) / (skin + 2)).astype(np.float32)
    lashes = cv2.remap(ratio, at_x.copy(), at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Eye(
        x0, y0, photo, skin, ball, iris, iris_alpha, np.asarray(lashes, np.float32), upper.astype(np.float32),
        lower.astype(np.float32), inside.astype(np.float32), unit_px,
    )  # fmt: skip


def draw(eye: Eye, blink: float, widen: float, squint: float, gaze: tuple[float, float]) -> Image:
    """The eye's pixels. `blink`, `widen` (AU5) and `squint` (AU7) run 0..1; at 0 with gaze 0 it is the photo."""
    gap = eye.lower - eye.upper
    rise = blink + (1 - blink) * 0.16 * squint
    # the upper lid follows the gaze: looking down without it is a stare
    follow = 0.22 * gaze[1] if gaze[1] > 0 else 0.10 * gaze[1]
    upper = eye.upper + gap * (0.88 * blink + (1 - blink) * (0.10 * squint + follow - 0.20 * widen))
    lower = eye.lower - gap * (0.12 * blink + (1 - blink) * 0.20 * squint)
    upper = np.minimum(upper, lower)
    moved = float(np.abs(upper - eye.upper).max() + np.abs(lower - eye.lower).max())
    look = float(np.hypot(*gaze))
    if moved < 0.05 and look < 0.004:
        return eye.photo
    rows = np.arange(eye.photo.shape[0], dtype=np.float32)[:, None]
    lid = _lids(eye, upper, lower, rows, blink, rise)
    opening = np.clip(rows - upper + 0.5, 0, 1) * np.clip(lower - rows + 0.5, 0, 1) * (lower - upper > 0.6)
    opening = np.asarray(cv2.GaussianBlur((opening * eye.inside).astype(np.float32), (0, 0), 0.7), np.float32)
    ball = _looking(eye, gaze, look, rows)
    depth = (rows - upper) / (0.055 * eye.unit_px)
    shadow = 1 - 0.38 * np.exp(-np.clip(depth, 0, None)) * smoothstep(0.0, 0.25, np.asarray(blink + squint))
    drawn = lid + (ball * shadow[..., None].astype(np.float32) - lid) * opening[..., None]
    mixed = smoothstep(0.0, 1.6, np.asarray(moved + 60.0 * look)) * _feather(eye)
    return np.asarray(eye.photo + (drawn - eye.photo) * mixed[..., None].astype(np.float32), np.float32)


def _lids(eye: Eye, upper: Floats, lower: Floats, rows: NDArray[np.float32], blink: float, rise: float) -> Image:
    """Skin stretched down from the crease to the margin, lashes laid along the margin, lower lid pushed up."""
    height, width = eye.photo.shape[:2]
    at_x = np.ascontiguousarray(np.broadcast_to(np.arange(width, dtype=np.float32), (height, width)))
    fixed = eye.upper - 2.2 * _CREASE_UNITS * eye.unit_px
    share = np.clip((rows - fixed) / np.maximum(upper - fixed, 1), 0, 1)
    from_row = rows + (eye.upper - upper) * share
    under = np.exp(-np.clip(rows - lower, 0, None) / (0.10 * eye.unit_px))
    from_row = np.where(rows > 0.5 * (upper + lower), rows + (eye.lower - lower) * under, from_row)
    source = (rows + (from_row - rows) * eye.inside).astype(np.float32)
    # what drawings show of the eye outside the lids' margins goes under the skin as the lid closes
    closing = float(smoothstep(0.25, 0.95, np.asarray(blink)))
    under_lid = np.clip(rows - lower + 0.5, 0, 1) * (rows > 0.5 * (upper + lower))
    below = np.asarray(np.maximum(under_lid, 1 - eye.inside) * (1 - closing))
    skin = cv2.remap(eye.skin, at_x, source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    photo = cv2.remap(eye.photo, at_x, source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lid = skin + (photo - skin) * below[..., None].astype(np.float32)
    # a closed lid bulges over the eyeball: lighter in its middle, darker towards margin and crease
    bulge = (rows - fixed) / np.maximum(upper - fixed, 1)
    light = 0.05 * np.exp(-(((bulge - 0.72) / 0.16) ** 2)) - 0.10 * np.exp(-(((bulge - 0.50) / 0.07) ** 2))
    light -= 0.07 * np.exp(-(((bulge - 0.98) / 0.07) ** 2))
    log_gain = (light * rise * eye.inside * (bulge < 1.02))[..., None] + _lash_gain(eye, upper, rows, at_x, blink)
    return np.asarray(lid * np.exp(log_gain.astype(np.float32)), np.float32)


def _lash_gain(
    eye: Eye, upper: Floats, rows: NDArray[np.float32], at_x: NDArray[np.float32], blink: float
) -> NDArray[np.float32]:
    """Logarithm of the darkening by lashes; they turn from pointing up to pointing down as the lid closes."""
    reach = eye.lashes.shape[0] // 2
    away = rows - upper
    top = cv2.remap(eye.lashes, at_x, np.clip(away + reach, 0, 2 * reach).astype(np.float32), cv2.INTER_LINEAR)
    near = np.exp(-np.abs(away) / (0.022 * eye.unit_px))
    kept = (1 - blink) ** 2 + (1 - (1 - blink) ** 2) * near
    gain = top * (kept * (np.abs(away) < reach) * (away < 0.8))[..., None]
    if blink > 0.35:
        mirrored = np.clip(reach - 0.9 * away, 0, 2 * reach).astype(np.float32)
        hanging = cv2.remap(eye.lashes, at_x, mirrored, cv2.INTER_LINEAR)
        strength = smoothstep(0.35, 0.9, np.asarray(blink)) * (away > -0.5) * (away < reach)
        gain = gain + np.minimum(hanging, 0) * (strength * np.exp(-away.clip(0) / (0.03 * eye.unit_px)))[..., None]
        line = np.exp(-((away / (0.010 * eye.unit_px)) ** 2)) * smoothstep(0.5, 1.0, np.asarray(blink))
        gain = gain - (0.55 * line * eye.inside)[..., None]
    return np.asarray(gain * eye.inside[:, None], np.float32)


def _looking(eye: Eye, gaze: tuple[float, float], look: float, rows: NDArray[np.float32]) -> Image:
    """The eyeball with its iris where the gaze puts it; looking ahead, what shows of it is the photo's own."""
    dx, dy = gaze[0] * GAZE_UNITS[0] * eye.unit_px, gaze[1] * GAZE_UNITS[1] * eye.unit_px
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = (eye.photo.shape[1], eye.photo.shape[0])
    iris = cv2.warpAffine(eye.iris, move, size, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(eye.iris_alpha, move, size)
    whole = eye.ball + (iris - eye.ball) * alpha[..., None]
    rim = 0.014 * eye.unit_px
    own = np.clip((rows - eye.upper) / rim - 1, 0, 1) * np.clip((eye.lower - rows) / rim, 0, 1) * eye.inside
    own = own * (1 - smoothstep(0.0, 0.25, np.asarray(look)))
    return np.asarray(whole + (eye.photo - whole) * own[..., None], np.float32)


def _feather(eye: Eye) -> Image:
    """1 inside the box, exactly 0 at its border."""
    height, width = eye.photo.shape[:2]
    across = np.minimum(np.arange(width), np.arange(width)[::-1]) / (0.06 * eye.unit_px)
    down = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None] / (0.06 * eye.unit_px)
    edge = np.clip(np.minimum(across, down), 0, 1)
    return np.asarray(edge * edge * (3 - 2 * edge), np.float32)


def _by_column(points: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(points[:, 0], kind="stable")
    return points[order, 0], points[order, 1]


def _lid_skin(photo: Image, open_: Image, upper: Floats, lower: Floats, inside: Floats, unit_px: float) -> Image:
    """Eye and lashes painted over: smooth skin from the lid above and the lid below."""
    rows = np.arange(photo.shape[0])[:, None]
    lash = (rows > upper - 0.060 * unit_px) & (rows < lower + 0.030 * unit_px) & (inside > 0.02)
    near = dilate(open_, 0.26 * unit_px) * (rows > upper - 0.15 * unit_px)
    around = (near < 0.5) & (rows > upper - 0.18 * unit_px)
    lab = cv2.cvtColor(photo / 255, cv2.COLOR_BGR2LAB)
    away = np.sqrt(((lab - np.median(lab[around], axis=0)) ** 2 * (0.6, 1, 1)).sum(2))
    strange = (near > 0.5) & (away > max(13.0, 2.2 * float(np.median(away[around]))))
    hole = np.maximum(open_, np.maximum(lash, strange).astype(np.float32))
    hole = dilate(hole, 0.05 * unit_px)
    level = blur(fill(photo, 1 - hole), 0.025 * unit_px)
    soft = blur(hole, 0.010 * unit_px)[..., None]
    detail = photo - blur(photo, 2.0)
    grain = float(np.std(detail[hole < 0.5])) if (hole < 0.5).any() else 0.0
    noise = np.random.default_rng(0).normal(0, 1, photo.shape[:2]).astype(np.float32)
    textured = level * _LID_TONE + (blur(noise, 1.2) * min(grain, 2.5) * 0.8)[..., None]
    return np.asarray(np.clip(photo * (1 - soft) + textured * soft, 0, 255), np.float32)


def _eyeball(photo: Image, open_: Image, centre: Floats, radius: float, unit_px: float) -> tuple[Image, Image, Image]:
    """The white alone, the iris completed above where the lid hides it, and the iris's coverage."""
    rows, columns = np.mgrid[0 : photo.shape[0], 0 : photo.shape[1]].astype(np.float64)
    distance = np.hypot(columns - centre[0], rows - centre[1])
    shown = erode(open_, 0.03 * unit_px) > 0.5
    grey = photo.mean(2)
    radius = _iris_radius(grey, distance, shown, radius)
    white = shown & (distance > 1.22 * radius)
    light = float(np.percentile(grey[white], 90)) if white.sum() > 10 else 255.0
    bright = white & (grey > 0.78 * light)
    ball = blur(fill(photo, bright.astype(np.float32)), 0.02 * unit_px)
    ball = ball * (1 - 0.30 * np.clip(np.abs(columns - centre[0]) / (0.24 * unit_px), 0, 1) ** 2)[..., None]
    own = blur(white.astype(np.float32), 1.2)[..., None]
    ball = ball * (1 - own) + photo * own
    hidden = (erode(open_, 0.028 * unit_px) < 0.5) & (rows < centre[1])
    mirrored = np.clip(np.round(2 * centre[1] - rows), 0, photo.shape[0] - 1).astype(int)
    soft = blur(hidden.astype(np.float32), 1.5)[..., None]
    iris = photo * (1 - soft) + photo[mirrored, columns.astype(int)] * soft
    alpha = blur(np.clip((1.07 * radius - distance) / (0.10 * radius), 0, 1).astype(np.float32), 1.0)
    return np.asarray(ball, np.float32), np.asarray(iris, np.float32), alpha


def _iris_radius(grey: Image, distance: Floats, shown: NDArray[np.bool_], guess: float) -> float:
    """Where the dark disc ends: drawings have larger irises than the mesh believes."""
    radii = np.arange(0.75, 1.7, 0.05) * guess
    rings = [grey[shown & (np.abs(distance - r) < 0.06 * guess)] for r in radii]
    levels = np.array([np.median(ring) if ring.size > 6 else np.nan for ring in rings])
    rise = levels[2:] - levels[:-2]
    if not np.isfinite(rise).any() or np.nanmax(rise) < 12:
        return guess
    return float(max(guess, radii[1:-1][int(np.nanargmax(rise))]))
