"""The values that travel along the frame path."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from realtime.core.facs import Controls

I420 = NDArray[np.uint8]
"""A picture as one uint8 array of shape (height * 3 // 2, width): the Y plane, then U, then V, each tightly packed.
This is the layout of OpenCV's COLOR_*_I420 and of PyAV's yuv420p ndarray. Limited range, BT.601."""

Pcm = NDArray[np.int16]
"""Mono sound, int16, shape (samples,)."""

BaseKey = tuple[int, ...]
"""A quantised head and body pose: names one cached base frame of an avatar."""

Rung = Literal["refine2", "refine1", "warp", "cached"]
"""What was done for a frame: two or one diffusion steps on the regions, drawn regions only, or a cached frame."""


@dataclass(frozen=True, slots=True)
class Roi:
    """A rectangle in luma pixels; all four numbers are even."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if (self.x | self.y | self.width | self.height) & 1:
            raise ValueError(f"a region's coordinates are even, got {self}")
        if self.x < 0 or self.y < 0 or self.width <= 0 or self.height <= 0:
            raise ValueError(f"a region lies inside the picture and is not empty, got {self}")


@dataclass(frozen=True, slots=True)
class Region:
    """One region that differs from the base frame: what it is, where, and a key that is equal exactly when its pixels
    would be the same to within a quarter of a pixel of movement."""

    name: str
    roi: Roi
    key: Hashable


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Pixels for one region, I420 of the region's size. `alpha`, if given, is uint8 of shape (height, width): the patch
    is blended over what lies below, otherwise it replaces it. `matte`, if given, is luma of the same shape for the
    lower half of a packed picture (`matte.pack`), laid there in the same way."""

    roi: Roi
    pixels: I420
    alpha: NDArray[np.uint8] | None = None
    matte: NDArray[np.uint8] | None = None

    @property
    def nbytes(self) -> int:
        """Memory that the pixels take."""
        return sum(part.nbytes for part in (self.pixels, self.alpha, self.matte) if part is not None)


@dataclass(frozen=True, slots=True)
class Pose:
    """The plan sampled at one media time."""

    media_s: float
    epoch: int
    controls: Controls
    activity: Literal["idle", "listening", "thinking", "speaking"]
    mouth_open: bool = False
    """Whether speech asks for an opening this frame: no budget may drop such a frame's mouth."""


@dataclass(frozen=True, slots=True)
class Asked:
    """That a denoiser was asked for a frame, and what of it the frame shows; for a replay."""

    call: int
    """Which of the session's, from 1."""
    better: tuple[str, ...] = ()
    """Regions that show what it gave; none where that came too late."""
    spoilt: tuple[str, ...] = ()
    """Regions that show what was drawn, because what it gave was found faulty."""


@dataclass(slots=True)
class FrameTrace:
    """What happened to one frame and when. Stamps are session-clock seconds by stage name."""

    stamps_s: dict[str, float] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    rois: dict[str, Roi] = field(default_factory=dict)
    """Where each region that lies over the base frame is, drawn now or kept."""
    rung: Rung = "cached"
    base_hit: bool = True
    base_kept: bool = False
    """Whether the base frame before it stands in for one that there was no time to draw."""
    faults: dict[str, str] = field(default_factory=dict)
    """Regions whose new pixels were found faulty and are not shown, and why."""
    asked: Asked | None = None
    """None where no denoiser was asked."""
    mouth: str = ""
    """The net that made the mouth from sound; empty where it was drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A finished picture. `pts` counts 90 kHz ticks of media time. `pixels` is not written to after it is published."""

    index: int
    pts: int
    media_s: float
    epoch: int
    pixels: I420
    trace: FrameTrace


# --- speech -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One phone: its IPA symbol (`""` is silence) and its time in seconds from the start of the utterance."""

    symbol: str
    start_s: float
    end_s: float
    stress: int = 0
    """0 none, 1 secondary, 2 primary."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it begins to sound: character span in the utterance's text and start in seconds."""

    start_s: float
    begin: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class SpeechChunk:
    """The one item type of a voice's stream: 48 kHz mono sound and what is spoken in and shortly after it.

    Chunks of one utterance are contiguous: `start_s` of the next is `start_s + len(pcm) / 48000`. Phonemes and words
    carry absolute utterance times and may run ahead of the sound (that lets the lips anticipate)."""

    start_s: float
    pcm: Pcm
    phonemes: tuple[Phoneme, ...] = ()
    words: tuple[Word, ...] = ()
    last: bool = False


@dataclass(frozen=True, slots=True)
class VoiceSpec:
    """Which voice speaks and how. `rate` and `pitch` run 0.5..2 with 1.0 as normal; `energy` is a gain 0..1.5."""

    name: str = "default"
    language: str = "en"
    rate: float = 1.0
    pitch: float = 1.0
    energy: float = 1.0
