"""Outlines of parts become soft masks and labels of a crop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.geometry import Points
from models.diffusion.data.sample import PARTS
from models.diffusion.spec import FIELDS

Bytes = NDArray[np.uint8]

_SUBPIXEL_BITS: Final = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a crop lies in its picture."""

    scale: float
    """Pixels of the crop per pixel of the picture."""
    anchor: tuple[float, float]
    """A point of the picture ..."""
    middle: tuple[float, float]
    """... and where in the crop it lands."""
    width: int
    height: int

    def to_crop(self, picture_px: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Places of the picture (..., 2) in the crop."""
        return np.asarray((picture_px - np.array(self.anchor)) * self.scale + np.array(self.middle), np.float64)

    def to_picture(self, crop_px: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float32]:
        """The way back."""
        return np.asarray((crop_px - np.array(self.middle)) / self.scale + np.array(self.anchor), np.float32)

    def mask(self, outlines: tuple[Points, ...], value: int = 255, smooth: bool = True) -> Bytes:
        """What closed outlines, in pixels of the picture, cover: (height, width)."""
        found = np.zeros((self.height, self.width), np.uint8)
        for outline in outlines:
            # OpenCV counts pixel centres, hence the half
            fixed = np.rint((self.to_crop(outline) - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
            line = cv2.LINE_AA if smooth else cv2.LINE_8
            cv2.fillPoly(found, [fixed], (value,), line, _SUBPIXEL_BITS)
        return found


def field_masks(outlines: Mapping[str, tuple[Points, ...]], frame: Frame, torn: NDArray[np.bool_]) -> Bytes:
    """The channels `spec.FIELDS`, (F, H, W). `torn` says where the warp pulled skin apart."""
    opening, eyeball = frame.mask(outlines["opening"]), frame.mask(outlines["eyeball"])
    masks = {
        "upper_lip": frame.mask(outlines["upper_lip"]),
        "lower_lip": frame.mask(outlines["lower_lip"]),
        "opening": opening,
        **{name: np.minimum(frame.mask(outlines[name]), opening) for name in ("upper_teeth", "lower_teeth", "tongue")},
        "lid": frame.mask(outlines["lid"]),
        "eyeball": eyeball,
        "iris": np.minimum(frame.mask(outlines["iris"]), eyeball),
        "disoccluded": np.maximum(opening, torn.astype(np.uint8) * 255),
    }
    return np.stack([masks[name] for name in FIELDS])


def label_map(outlines: Mapping[str, tuple[Points, ...]], frame: Frame) -> Bytes:
    """Labels of the parts, (H, W), later ones over earlier ones; the tongue's tip lies before the lower lip's teeth."""
    opening, eyeball = (frame.mask(outlines[name], smooth=False) > 0 for name in ("opening", "eyeball"))
    labels = np.zeros((frame.height, frame.width), np.uint8)
    everywhere = np.ones_like(opening)
    layers = (
        ("skin", "skin", everywhere), ("upper_lip", "upper_lip", everywhere), ("lower_lip", "lower_lip", everywhere),
        ("opening", "cavity", everywhere), ("tongue", "tongue", opening), ("lower_teeth", "lower_teeth", opening),
        ("upper_teeth", "upper_teeth", opening), ("eyeball", "sclera", everywhere), ("iris", "iris", eyeball),
        ("lid", "lid", everywhere), ("lashes", "lid", everywhere), ("brow", "brow", everywhere),
    )  # fmt: skip
    for outline, part, within in layers:
        covered = frame.mask(outlines[outline], smooth=False) > 0
        labels[covered & within] = PARTS.index(part)
    return labels
