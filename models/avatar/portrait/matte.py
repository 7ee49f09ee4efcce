"""Separates the head from what lies behind it: a soft matte, colours without fringe, and the picture behind."""

import os
import warnings
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.detect import Picture
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.framing import PICTURE_PX, PLATE_PX
from models.avatar.portrait.numerics import Floats, Image, blur, closed_mask, dilate, erode, fill, smoothstep
from models.avatar.portrait.topology import CHIN, NOSE_TIP, OVAL
from realtime.core.errors import PackError

_CUT_PX: Final = 256
"""GrabCut (Rother, Kolmogorov & Blake 2004) works at this size; a guided filter brings its edge to the plate."""
_ITERATIONS: Final = 4
NECK_FADE: Final = (0.55, 0.95)
"""Below the chin, in face units, the matte fades out between these: there the body carries the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The head with its matte, and what lies behind it."""

    head: NDArray[np.uint8]
    """BGRA (PLATE_PX, PLATE_PX, 4), colours not multiplied by alpha."""
    back: NDArray[np.uint8]
    """BGR (PICTURE_PX, PICTURE_PX, 3), body included."""
    person: Image
    """0..1 (PICTURE_PX, PICTURE_PX): head and body."""


def split(photo: Picture, plate: Image, points: Floats, frame: FaceFrame) -> Layers:
    """Layers of a photo whose neutral `plate` (BGR float32) carries the head. `points` are (478, 3) in plate pixels."""
    person = segment(photo)
    alpha = _head_matte(photo, person, points, frame)
    back = _behind(photo, alpha, frame, float(frame.to_units(points[CHIN, :2])[1]))
    head, alpha = _decontaminated(plate, alpha, back)
    size = (PICTURE_PX, PICTURE_PX)
    small = cv2.resize(person, size, interpolation=cv2.INTER_AREA)
    return Layers(np.dstack([head, _to_bytes(alpha * 255)]), _to_bytes(back), np.asarray(small, np.float32))


def segment(photo: Picture) -> Image:
    """How likely each pixel belongs to the person, 0..1. Raises `PackError` without mediapipe."""
    os.environ.setdefault("GLOG_minloglevel", "3")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

            with SelfieSegmentation(model_selection=0) as model:
                result: Any = model.process(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB))
    except ImportError as error:
        raise PackError("portraits need mediapipe: install Anima with the extra `vision`") from error
    return np.asarray(result.segmentation_mask, np.float32)


def _head_matte(photo: Picture, person: Image, points: Floats, frame: FaceFrame) -> Image:
    """0..1: hair, face, ears and neck, cut from clothes and background."""
    factor = _CUT_PX / PLATE_PX
    small = cv2.resize(photo, (_CUT_PX, _CUT_PX), interpolation=cv2.INTER_AREA)
    likely = cv2.resize(person, (_CUT_PX, _CUT_PX), interpolation=cv2.INTER_AREA)
    pixels = np.stack(np.meshgrid(np.arange(_CUT_PX), np.arange(_CUT_PX)), -1).astype(np.float64)
    u, v = np.moveaxis(frame.scaled(factor).to_units(pixels), -1, 0)
    chin = float(frame.to_units(points[CHIN, :2])[1])
    face = closed_mask((_CUT_PX, _CUT_PX), points[list(OVAL), :2] * factor) > 0.5
    core = erode(face.astype(np.float32), 5) > 0
    labels = np.full((_CUT_PX, _CUT_PX), cv2.GC_PR_BGD, np.uint8)
    labels[likely < 0.3] = cv2.GC_BGD
    labels[(likely > 0.7) & (v < 0.75)] = cv2.GC_FGD
    labels[(likely > 0.5) & (v >= 0.75) & (v < chin + 0.5) & (np.abs(u) < 1.7)] = cv2.GC_PR_BGD
    labels[face & ~core] = cv2.GC_PR_FGD
    labels[(np.abs(u) < 0.75) & (v > chin - 0.2) & (v < chin + 0.10) & ~core] = cv2.GC_PR_FGD
    labels[core] = cv2.GC_FGD
    labels[(v > chin + 1.1) | ((np.abs(u) > 1.9) & (v > 0.9))] = cv2.GC_BGD
    cv2.setRNGSeed(0)  # GrabCut seeds its colour clusters with OpenCV's generator: a bake is to be repeatable
    models = np.zeros((2, 1, 65))
    cut: Any = cv2.grabCut
    cut(small, labels, None, models[0], models[1], _ITERATIONS, cv2.GC_INIT_WITH_MASK)
    mask = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    _, parts = cv2.connectedComponents(mask)
    nose = (points[NOSE_TIP, :2] * factor).astype(int)
    rough = blur((parts == parts[nose[1], nose[0]]).astype(np.float32), 1.0)
    rough = np.asarray(cv2.resize(rough, (PLATE_PX, PLATE_PX), interpolation=cv2.INTER_CUBIC), np.float32)
    fine = cv2.ximgproc.guidedFilter(photo, np.clip(rough, 0, 1), 8, 60.0)
    rows = np.stack(np.meshgrid(np.arange(PLATE_PX), np.arange(PLATE_PX)), -1).astype(np.float32)
    v = frame.to_units(rows)[..., 1]
    faded = 1 - smoothstep(chin + NECK_FADE[0], chin + NECK_FADE[1], v)
    return np.asarray(np.clip((fine - 0.15) / 0.7, 0, 1) * faded, np.float32)


def _behind(photo: Picture, alpha: Image, frame: FaceFrame, chin: float) -> Image:
    """The picture without the head: background filled smoothly, neck and collar from what surrounds them."""
    size = (PICTURE_PX, PICTURE_PX)
    picture = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    small = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    hole = dilate((small > 0.02).astype(np.float32), 5)
    smooth = fill(picture.astype(np.float32), 1 - hole)
    rim = hole - erode(hole, 61)
    start = np.where((hole - rim)[..., None] > 0, smooth, picture).astype(np.uint8)
    sharp = cv2.inpaint(start, rim.astype(np.uint8), 6, cv2.INPAINT_TELEA).astype(np.float32)
    half = frame.scaled(PICTURE_PX / PLATE_PX)
    rows = np.stack(np.meshgrid(np.arange(PICTURE_PX), np.arange(PICTURE_PX)), -1).astype(np.float32)
    v = half.to_units(rows)[..., 1]
    low = smoothstep(0.75, 1.0, v)[..., None]
    filled = smooth * (1 - low) + sharp * low
    filled += _grain(picture, hole)[..., None] * (1 - low)
    soft = np.maximum(hole, blur(hole, 1.0)) * (1 - smoothstep(chin + 0.30, chin + 0.60, v))
    return np.asarray(np.clip(filled * soft[..., None] + picture * (1 - soft[..., None]), 0, 255), np.float32)


def _grain(picture: Picture, hole: Image) -> Image:
    """Noise as strong as the photo's own outside the hole: a smooth fill would show as a clean spot."""
    grey = picture.astype(np.float32).mean(2)
    detail = (grey - blur(grey, 1.5))[hole == 0]
    strength = float(np.median(np.abs(detail))) if detail.size else 0.0
    noise = np.random.default_rng(0).normal(0, 1, picture.shape[:2]).astype(np.float32)
    return np.asarray(blur(noise, 0.8) * 2.2 * strength, np.float32)


def _decontaminated(plate: Image, alpha: Image, back: Image) -> tuple[NDArray[np.uint8], Image]:
    """Colours and alpha of the head such that over the back plate the photo comes out again, without its fringe.

    With I = alpha F + (1 - alpha) B per pixel, the head's colour F is solved for given the filled background B. What F
    cannot explain inside its range is explained by more alpha; the faintest edge is left to the background."""
    wide = np.asarray(cv2.resize(back, (PLATE_PX, PLATE_PX), interpolation=cv2.INTER_LINEAR), np.float32)
    alpha = alpha * smoothstep(0.02, 0.15, alpha).astype(np.float32)
    outward = fill(plate, erode((alpha > 0.97).astype(np.float32), 5))
    a = alpha[..., None]
    solved = (plate - (1 - a) * wide) / np.maximum(a, 0.1)
    excess = np.maximum(solved - 255, -solved).max(2) / 255
    a = np.where(alpha > 0.1, np.clip(alpha * (1 + np.clip(excess, 0, 1)), 0, 1), alpha)[..., None]
    solved = np.clip((plate - (1 - a) * wide) / np.maximum(a, 0.1), 0, 255)
    sure = smoothstep(0.05, 0.2, a[..., 0])[..., None]
    return _to_bytes(solved * sure + outward * (1 - sure)), np.asarray(a[..., 0], np.float32)


def _to_bytes(image: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)
