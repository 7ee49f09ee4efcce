"""What the ROI denoiser takes and gives: crops, noise levels, channels, the control vector, and the sizes of the net.

Pictures are RGB in -1..1 (`to_unit`, `to_bytes`), fields and masks 0..1. A net sees four inputs:

- `picture` (B, PICTURE_CHANNELS, H, W): the channels of `PICTURE`, in that order;
- `control` (B, CONTROL_LENGTH): see `control_vector`;
- `level` (B, 1): the noise level t, one of `STEPS`;
- `reference` (B, reference_width, H / 8, W / 8): features of the avatar at rest in this crop, made once per avatar.

It gives `image` (B, 3, H, W), the estimate of the truth (x0), and `deep` (B, widths[1], H / 2 / s2d, W / 2 / s2d), the
deep features that a shallow refresh takes instead of computing them anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.facs import ACTION_UNITS, CONTROL_INDEX, MAX_DEG, Controls, Emotion

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Crop:
    """The size in pixels at which a kind of region is repaired; whatever the picture's scale, it is brought to this."""

    name: str
    width: int
    height: int


CROPS: Final[Mapping[str, Crop]] = {
    crop.name: crop
    for crop in (Crop("mouth", 128, 96), Crop("eyes", 160, 64), Crop("face", 192, 192), Crop("full", 512, 512))
}
CROP_NAMES: Final = tuple(CROPS)
SIDE_MULTIPLE: Final = 16
"""Every side of a crop is a multiple of this."""
REFERENCE_STRIDE: Final = 8
"""Pixels of the crop per cell of the reference features."""

BOXES: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "mouth": (-0.72, 0.56, 0.72, 1.64),
    "eyes": (-1.05, -0.46, 1.05, 0.38),
    "face": (-1.45, -1.00, 1.45, 1.90),
}
"""Where a crop lies on a face at rest: left, top, right, bottom in face units (origin between the eyes, 1 = distance of
the eye centres, y down), each with the crop's own aspect ratio. The box follows the head's turn and shift, not its
tilt."""

STEPS: Final = (0.30, 0.55, 1.0)
"""Noise levels t that the net is made for. 1.0 begins from nothing, 0.55 and 0.30 from the previous output."""
NOISE_SCALE: Final = 0.5
"""Standard deviation of the noise at t = 1. The flow runs on straight lines from the truth to the warped base with
noise on it, so x_t = (1 - t) x0 + t (base + NOISE_SCALE * noise); the net predicts x0 (Liu, Gong & Liu, "Flow straight
and fast: learning to generate and transfer data with rectified flow", 2022: any pair of distributions will do)."""

FIELDS: Final = (
    "upper_lip",
    "lower_lip",
    "opening",
    "upper_teeth",
    "lower_teeth",
    "tongue",
    "lid",
    "eyeball",
    "iris",
    "disoccluded",
)
"""Soft masks, 0..1, that a rig draws from its controls alone and that are known when the net runs: the lips; what lies
between them; the tooth rows and the tongue where they are expected (inside the opening); the upper lid's skin from
crease to lashes; the eyeball between the lids; the iris on it; pixels whose base was never seen in the avatar's own
picture."""

PICTURE: Final = (
    "noisy_r", "noisy_g", "noisy_b",        # x_t
    "base_r", "base_g", "base_b",           # the avatar's own pixels, warped by the rig
    "previous_r", "previous_g", "previous_b",  # the last output, warped to this frame; the base where there is none
    "previous_valid",                       # 1 where `previous` is the last output, 0 where it is the base
    *FIELDS,
    "x", "y",                               # coordinates, -1..1 over the crop, at pixel centres
)  # fmt: skip
PICTURE_CHANNELS: Final = len(PICTURE)
PICTURE_INDEX: Final[Mapping[str, int]] = {name: i for i, name in enumerate(PICTURE)}

POSE: Final = ("yaw", "pitch", "roll")
ARTICULATION: Final = ("lip_tuck", "lip_round", "teeth", "tongue_up", "tongue_out", "smirk", "brow_asym")
FACE_CONTROLS: Final = (*ACTION_UNITS, "blink_l", "blink_r", "gaze_x", "gaze_y", *POSE, *ARTICULATION)
VISEMES: Final = (
    "A", "E", "I", "O", "U", "W", "R", "L", "TD", "TH", "SZ", "SH", "KG", "H", "FV", "MBP",
)  # fmt: skip
EMOTIONS: Final = tuple(emotion.name.lower() for emotion in Emotion)
CONTROL: Final = (
    *FACE_CONTROLS,
    *(f"viseme_{name}" for name in VISEMES),
    *(f"emotion_{name}" for name in EMOTIONS),
    *(f"crop_{name}" for name in CROP_NAMES),
)
"""Names of the control vector's entries: controls (degrees divided by 20), the sounds being spoken (all 0 where
unknown), the emotion's intensities (all 0 where unknown), and which crop it is."""
CONTROL_LENGTH: Final = len(CONTROL)

_FACE_INDEX: Final = np.array([CONTROL_INDEX[name] for name in FACE_CONTROLS])
_FACE_SCALE: Final = np.array([1.0 / MAX_DEG if name in POSE else 1.0 for name in FACE_CONTROLS], np.float32)


def control_vector(
    controls: Controls,
    crop: str,
    visemes: Mapping[str, float] | None = None,
    emotions: Mapping[Emotion, float] | None = None,
) -> Floats:
    """The net's control input for one crop, float32 of shape (CONTROL_LENGTH,). Raises `KeyError` for an unknown crop
    or viseme."""
    vector = np.zeros(CONTROL_LENGTH, np.float32)
    count = len(FACE_CONTROLS)
    vector[:count] = controls.vector[_FACE_INDEX] * _FACE_SCALE
    for name, weight in (visemes or {}).items():
        vector[_VISEME_AT[name]] = weight
    for emotion, weight in (emotions or {}).items():
        vector[count + len(VISEMES) + int(emotion)] = weight
    vector[_CROP_AT[crop]] = 1.0
    return vector


_VISEME_AT: Final = {name: CONTROL.index(f"viseme_{name}") for name in VISEMES}
_CROP_AT: Final = {name: CONTROL.index(f"crop_{name}") for name in CROP_NAMES}


@dataclass(frozen=True, slots=True)
class NetSpec:
    """One size of the net. The hidden state is `s2d` times smaller than the crop, and halves twice on its way down."""

    name: str
    s2d: int
    """Pixels per side that the stem folds into channels."""
    widths: tuple[int, int, int]
    """Channels of the three levels, multiples of 8."""
    blocks: tuple[int, int, int]
    """Residual blocks per level; the first two levels have as many on the way up."""
    control_width: int = 128
    reference_width: int = 32

    def __post_init__(self) -> None:
        if self.s2d not in (2, 4):
            raise ValueError(f"s2d is 2 or 4, got {self.s2d}")
        for width in (*self.widths, self.control_width, self.reference_width):
            if width < 8 or width % 8:
                raise ValueError(f"widths are multiples of 8, got {width}")


SIZES: Final[Mapping[str, NetSpec]] = {
    "S": NetSpec("S", 4, (64, 128, 256), (1, 1, 1)),
    "M": NetSpec("M", 2, (64, 128, 256), (2, 2, 3)),
}


def window(width: int, height: int) -> Floats:
    """The residual's weight, (height, width): raised cosines over a margin of an eighth of the shorter side, 1 inside
    and exactly 0 on the crop's border, so that what is pasted back can have no seam."""
    return raised_cosine(width, height, max(2, min(width, height) // 8))


def raised_cosine(width: int, height: int, margin_px: float) -> Floats:
    """(height, width): 1 inside, falling over a margin to exactly 0 on the border."""

    def ramp(length: int) -> NDArray[np.float64]:
        at = np.minimum(np.arange(length), np.arange(length)[::-1])
        return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(at / margin_px, 0.0, 1.0)))

    return np.asarray(np.outer(ramp(height), ramp(width)), np.float32)


def coordinates(width: int, height: int) -> Floats:
    """The channels `x` and `y`, (2, height, width)."""
    x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    grid = np.stack([np.broadcast_to(x[None, :], (height, width)), np.broadcast_to(y[:, None], (height, width))])
    return np.asarray(grid, np.float32)


def to_unit(picture: NDArray[np.uint8]) -> Floats:
    """RGB bytes (..., H, W, 3) as (..., 3, H, W) in -1..1."""
    scaled = np.moveaxis(picture.astype(np.float32) / 127.5 - 1.0, -1, -3)
    return np.asarray(np.ascontiguousarray(scaled), np.float32)


def to_bytes(picture: Floats) -> NDArray[np.uint8]:
    """The way back; what lies outside -1..1 is clipped."""
    scaled = np.rint((np.clip(picture, -1.0, 1.0) + 1.0) * 127.5)
    return np.asarray(np.ascontiguousarray(np.moveaxis(scaled, -3, -1)), np.uint8)
