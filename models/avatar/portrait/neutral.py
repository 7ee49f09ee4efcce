"""Takes a smile or an open mouth out of the photo, so that speech starts from closed lips at rest."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from models.avatar.portrait.detect import Picture
from models.avatar.portrait.flow import lattice
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.framing import PLATE_PX, Framed
from models.avatar.portrait.lips import RestingLips, resting_lips
from models.avatar.portrait.numerics import (
    Floats,
    Image,
    Scattered,
    blur,
    closed_mask,
    curve,
    dilate,
    erode,
    fill,
    polyline,
    remap,
    smoothstep,
    stack,
)
from models.avatar.portrait.topology import (
    ALL_POINTS,
    LEFT_CORNER,
    LEFT_NOSTRIL,
    LOWER_INNER,
    LOWER_LIP,
    LOWER_OUTER,
    MESH_POINTS,
    NOSE_BASE,
    OVAL,
    RIGHT_CORNER,
    RIGHT_NOSTRIL,
    UPPER_INNER,
    UPPER_LIP,
    UPPER_OUTER,
)

NEEDS_CHANGE: Final = 0.06
"""Below this amount the photo is left as it is."""
_STEP_PX: Final = 8
_CHEEKS: Final = {
    50: 0.05, 280: 0.05, 205: 0.07, 425: 0.07, 101: 0.02, 330: 0.02, 187: 0.06, 411: 0.06, 36: 0.035, 266: 0.035,
}  # fmt: skip
"""How far a full smile has raised these points, in face units."""
_LUMA: Final = np.array([0.114, 0.587, 0.299], np.float32)
_CHIN_POINTS: Final = (175, 199, 208, 428, 171, 396, 200)


@dataclass(frozen=True, slots=True, eq=False)
class Neutral:
    """A face at rest, in plate pixels and face units."""

    plate: Image
    """BGR float32 0..255 (PLATE_PX, PLATE_PX, 3)."""
    face: Floats
    """(478, 3) face units at rest."""
    shown: Floats
    """(478, 3) face units as the photo shows it."""
    frame: FaceFrame
    """In plate pixels."""
    lips: RestingLips
    folds: Image
    """Logarithm of what softening the smile's folds multiplied the plate with (PLATE_PX, PLATE_PX); 0: untouched."""
    changed: Image
    """0..1, where the plate differs from the photo."""


def neutralise(framed: Framed) -> Neutral:
    """The face at rest. A photo that is neutral already comes back unchanged."""
    frame = FaceFrame.of(framed.points)
    shown = np.c_[frame.to_units(framed.points[:, :2]), framed.points[:, 2] / frame.scale_px]
    lips = resting_lips(shown)
    photo = framed.plate.astype(np.float32)
    blank = np.zeros((PLATE_PX, PLATE_PX), np.float32)
    if lips.amount < NEEDS_CHANGE:
        return Neutral(photo, shown, shown, frame, RestingLips({}, 0.0, lips.smile), blank, blank)
    face = _rest_face(shown, lips)
    plate = _close_mouth(framed.plate, framed.points, shown, face, lips, frame)
    plate, folds = _soften_folds(plate, face, frame, min(1.0, lips.smile * lips.amount * 1.2))
    plate = _even_lips(plate, face, frame)
    changed = (np.abs(plate - photo).max(2) > 1.5).astype(np.float32)
    return Neutral(plate, face, shown, frame, lips, folds, changed)


def _controls(shown: Floats, lips: RestingLips, skip: Collection[int]) -> tuple[Floats, Floats]:
    """Pairs of points (from, to) in face units that define the change: lips and cheeks move, the rest is held."""
    nose = shown[NOSE_BASE, 1]
    held = [
        i
        for i in range(MESH_POINTS)
        if ((shown[i, 1] < nose - 0.02 and abs(shown[i, 0]) < 0.42) or shown[i, 1] < 0.30 or i in OVAL)
        and i not in lips.points
        and i not in _CHEEKS
    ]
    ring = np.array([(np.cos(a) * 2.2, 0.6 + np.sin(a) * 2.4) for a in np.linspace(0, 2 * np.pi, 24, endpoint=False)])
    lip_ids = [i for i in lips.points if i not in skip]
    moved = np.array([lips.points[i] for i in lip_ids])
    amount = lips.smile * lips.amount
    cheeks = np.array([shown[i, :2] + (0.0, drop * amount) for i, drop in _CHEEKS.items()])
    still = stack(shown[held, :2], shown[list(_CHIN_POINTS), :2], ring)
    return stack(shown[lip_ids, :2], shown[list(_CHEEKS), :2], still), stack(moved, cheeks, still)


def _rest_face(shown: Floats, lips: RestingLips) -> Floats:
    before, after = _controls(shown, lips, ())
    face = shown.copy()
    face[:, :2] += Scattered(before, after - before, radius=0.06)(shown[:, :2])
    for i, at in lips.points.items():
        face[i, :2] = at
    face[MESH_POINTS:ALL_POINTS] = shown[MESH_POINTS:ALL_POINTS]
    return face


def _close_mouth(
    photo: Picture, points: Floats, shown: Floats, face: Floats, lips: RestingLips, frame: FaceFrame
) -> Image:
    """Warp the upper and the lower half to the closed lips and join them along the mouth line."""
    source = _without_teeth(photo, points, frame) if lips.amount > 0.3 else photo.astype(np.float32)
    halves = [_warped(source, shown, lips, frame, skip) for skip in (LOWER_LIP, UPPER_LIP)]
    scale = frame.scale_px
    line = curve(frame.to_px(face[list(UPPER_INNER), :2]))
    floor = face[17, 1] + 0.2
    low = stack(
        line,
        line[-1] + (0.25 * scale, 0.1 * scale),
        frame.to_px(np.array([[0.55, floor], [-0.55, floor]])),
        line[0] + (-0.25 * scale, 0.1 * scale),
    )
    below = closed_mask((PLATE_PX, PLATE_PX), low, 1.2)[..., None]
    plate = halves[0] * (1 - below) + halves[1] * below
    seam = np.zeros((PLATE_PX, PLATE_PX), np.float32)
    thick = max(1, round(0.012 * scale))
    polyline(seam, line, 1.0, thick)
    thin, wide = blur(seam, 0.010 * scale), blur(seam, 0.03 * scale)
    thin, wide = thin / max(float(thin.max()), 1e-6), wide / max(float(wide.max()), 1e-6)
    tint = np.array([1.04, 1.0, 0.80], np.float32)
    plate = plate * (1 - 0.42 * lips.amount * thin[..., None] * tint) * (1 - 0.16 * lips.amount * wide[..., None])
    return np.asarray(np.clip(plate, 0, 255), np.float32)


def _without_teeth(photo: Picture, points: Floats, frame: FaceFrame) -> Image:
    """The photo with the open mouth filled with lip, so that closing it pulls no teeth onto the lips."""
    scale = frame.scale_px
    shape = (PLATE_PX, PLATE_PX)
    inside = closed_mask(shape, stack(curve(points[list(UPPER_INNER), :2]), curve(points[list(LOWER_INNER), :2])[::-1]))
    hole = dilate((inside > 0.02).astype(np.float32), 0.030 * scale)
    grey = blur(photo.astype(np.float32).mean(2), 1.0)
    near = dilate(hole, 0.05 * scale)
    skin = float(np.median(grey[(dilate(near, 0.2 * scale) > 0) & (near == 0)]))
    hole = np.maximum(hole, ((near > 0) & (grey < 0.5 * skin)).astype(np.float32))
    hole = dilate(hole, 5)
    return fill(photo.astype(np.float32), 1 - hole)


def _warped(source: Image, shown: Floats, lips: RestingLips, frame: FaceFrame, skip: Collection[int]) -> Image:
    before, after = _controls(shown, lips, skip)
    nodes = np.arange(0, PLATE_PX + _STEP_PX, _STEP_PX, dtype=np.float64)
    grid = np.stack(np.meshgrid(nodes, nodes), -1)
    units = frame.to_units(grid.reshape(-1, 2))
    back = Scattered(after, before - after, radius=0.06)(units)
    back *= 1 - smoothstep(0.85, 1.10, np.hypot(units[:, :1] / 1.15, (units[:, 1:] - 0.95) / 0.95))
    moved = (back @ frame.axes * frame.scale_px).reshape(grid.shape).astype(np.float32)
    stretch = np.array([[_STEP_PX, 0, 0], [0, _STEP_PX, 0]], np.float32)
    size = (PLATE_PX, PLATE_PX)
    full = cv2.warpAffine(moved, stretch, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    full = lattice(PLATE_PX, PLATE_PX, 1) + full
    return np.asarray(remap(source, np.asarray(full, np.float32), cv2.INTER_LANCZOS4), np.float32).clip(0, 255)


def _soften_folds(plate: Image, face: Floats, frame: FaceFrame, amount: float) -> tuple[Image, Image]:
    """Lift the dark valleys that a smile draws from the nose past the mouth; returns plate and log gain."""
    blank = np.zeros(plate.shape[:2], np.float32)
    if amount < 0.02:
        return plate, blank
    scale = frame.scale_px
    zone = _fold_zone(face, frame)
    smooth = blur(plate, 0.022 * scale)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(0.21 * scale) | 1,) * 2)
    flat = blur(np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, kernel), np.float32), 0.05 * scale)
    depth = np.log((flat + 4) / (smooth + 4)).mean(2) * zone
    ridges = (depth > 0.018).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ridges)
    long = [i for i in range(1, count) if stats[i, cv2.CC_STAT_HEIGHT] > 0.12 * scale]
    valleys = np.isin(labels, long).astype(np.float32)
    band = (dilate(valleys, 0.11 * scale) > 0) & (zone > 0.02)
    if not band.any():
        return plate, blank
    level = fill(smooth, 1 - band.astype(np.float32))
    for _ in range(4):
        level = np.where(band[..., None], blur(level, 0.045 * scale), smooth)
    soft = blur(band.astype(np.float32), 0.018 * scale)
    gain = np.exp(np.log((level + 4) / (smooth + 4)) * (soft * amount)[..., None])
    line = blur(dilate(valleys, 0.060 * scale), 0.014 * scale) * amount * np.minimum(1, zone * 4)
    out = np.clip((smooth + (plate - smooth) * (1 - 0.9 * line[..., None])) * gain, 0, 255)
    taken = np.log((out @ _LUMA + 6) / (plate @ _LUMA + 6))
    return out.astype(np.float32), np.asarray(taken * smoothstep(0.0, 0.05, soft), np.float32)


def _fold_zone(face: Floats, frame: FaceFrame) -> Image:
    """0..1 around both folds, inside the face."""
    zone = np.zeros((PLATE_PX, PLATE_PX), np.float32)
    for side, wing, corner in ((-1, RIGHT_NOSTRIL, RIGHT_CORNER), (1, LEFT_NOSTRIL, LEFT_CORNER)):
        a, c = face[wing, :2], face[corner, :2]
        steps = (
            (a, 0.03, -0.10), (a, 0.26, -0.02), (c, 0.34, -0.12), (c, 0.36, 0.18), (c, 0.04, 0.26), (c, 0.055, -0.02),
            (c, -0.02, -0.13), (a, 0.05, 0.10),
        )  # fmt: skip
        shape = np.array([(at[0] + side * du, at[1] + dv) for at, du, dv in steps])
        zone = np.maximum(zone, closed_mask(zone.shape, frame.to_px(shape)))
    inside = erode(closed_mask(zone.shape, frame.to_px(face[list(OVAL), :2])), 0.2 * frame.scale_px)
    return np.asarray(blur(zone, 0.03 * frame.scale_px) * blur(inside, 0.03 * frame.scale_px), np.float32)


def _even_lips(plate: Image, face: Floats, frame: FaceFrame) -> Image:
    """Give the joined lips one tint: what lay in a smile's shadow or shine keeps traces of it."""
    outline = stack(curve(face[list(UPPER_OUTER), :2]), curve(face[list(LOWER_OUTER), :2])[::-1])
    lips = closed_mask(plate.shape[:2], frame.to_px(outline), 0.012 * frame.scale_px)
    lab = cv2.cvtColor(np.asarray(np.clip(plate, 0, 255) / 255, np.float32), cv2.COLOR_BGR2LAB)
    inner = lab[lips > 0.6]
    bright = inner[inner[:, 0] > np.percentile(inner[:, 0], 35)]
    weight = (lips * 0.6)[..., None]
    lab[..., 1:] = lab[..., 1:] * (1 - weight) + np.median(bright[:, 1:], axis=0) * weight
    return np.asarray(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR) * 255, 0, 255), np.float32)
