"""One training example and its clip, and what a source of them promises."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

PARTS: Final = (
    "background", "skin", "upper_lip", "lower_lip", "cavity", "upper_teeth", "lower_teeth", "tongue",
    "lid", "sclera", "iris", "brow", "hair", "glasses",
)  # fmt: skip
"""Part labels by index. `lid` is the upper lid from crease to lash line, lashes included; `hair` includes a beard;
an occluder before the face is `background`."""

LANDMARKS: Final = (
    "mouth_left", "mouth_right", "upper_lip_top", "upper_lip_bottom", "lower_lip_top", "lower_lip_bottom",
    *(f"{side}_{point}" for side in ("left", "right") for point in (
        "eye_inner", "eye_outer", "lid_upper", "lid_lower", "iris", "brow_inner", "brow_middle", "brow_outer")),
)  # fmt: skip
"""Names by row; left and right are the picture's. Lip points are on the middle of the lips, lid points above and below
the middle between the corners. Landmarks may lie outside the crop."""


class Split(StrEnum):
    """Whether an identity, its light and its texture may be trained on."""

    TRAIN = "train"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True, eq=False)
class RoiSample:
    """One frame of one crop; H and W are those of `spec.CROPS[roi]`. All arrays are C-contiguous."""

    truth: Bytes
    """(H, W, 3) RGB: the picture as it should be."""
    base: Bytes
    """(H, W, 3) RGB: the avatar's picture at rest, warped by the rig to these controls, defects included."""
    reference: Bytes
    """(H, W, 3) RGB: the same crop of the avatar at rest, facing the viewer; equal in all frames of a clip."""
    fields: Bytes
    """(len(spec.FIELDS), H, W), 0..255 for 0..1: what the rig knows from the controls alone."""
    interior: Bytes
    """(H, W), 0..255 for 0..1: where errors count fourfold: mouth opening, eye opening, lids, disocclusion."""
    labels: Bytes
    """(H, W), index into `PARTS`, of the truth."""
    flow: NDArray[np.float16]
    """(2, H, W), x then y, in pixels of the crop: `previous truth at (p + flow)` shows the same point of the face as
    this truth at p. Zero in the first frame."""
    flow_valid: Bytes
    """(H, W), 0 or 255: 255 where that point was visible in the previous frame. All 0 in the first frame."""
    landmarks: NDArray[np.float32]
    """(len(LANDMARKS), 2), x and y in pixels of the crop; pixel centres at .5."""
    control: NDArray[np.float32]
    """(spec.CONTROL_LENGTH,), from `spec.control_vector`."""


@dataclass(frozen=True, slots=True, eq=False)
class RoiClip:
    """Consecutive frames (25 a second) of one identity in one crop."""

    roi: str
    """`mouth`, `eyes` or `face`."""
    identity: int
    """Number of the identity; all clips of one number show the same avatar, and one number is in one split only."""
    split: Split
    samples: tuple[RoiSample, ...]


class RoiSource(Protocol):
    """Renders clips. Equal arguments give equal bytes, on every machine of one kind, in every order of calls.

    Held-out identities, lights and textures are never in the training split."""

    @property
    def name(self) -> str:
        """A short name that caches and model cards use, such as `illustrated` or `head3d`."""
        ...

    @property
    def version(self) -> int:
        """Rises whenever equal arguments would give other pixels than before; caches depend on it."""
        ...

    @property
    def rois(self) -> tuple[str, ...]:
        """The crops that this source renders."""
        ...

    def clip(self, seed: int, roi: str, frames: int, split: Split = Split.TRAIN) -> RoiClip:
        """A clip of 1 to 16 frames. Raises `ValueError` for another number of frames or a crop it does not render."""
        ...
