"""The beats of a script: what is said, felt, gestured, waited for and reported, in order."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from realtime.core.facs import Emotion

Emphasis = Literal["none", "reduced", "moderate", "strong"]

MAX_SCRIPT_CHARS: Final = 5_000
MAX_SAY_CHARS: Final = 200
"""A longer `Say` is split at clauses: a voice starts sooner on a short piece, and an interruption loses less work."""
DEFAULT_PAUSE_S: Final = 0.4
MAX_PAUSE_S: Final = 10.0
MAX_TOTAL_PAUSE_S: Final = 60.0
MIN_FACTOR, MAX_FACTOR = 0.5, 2.0
"""Range of `rate` and `pitch`, that of `VoiceSpec`."""


@dataclass(frozen=True, slots=True)
class Say:
    """Words to be spoken in one breath, free of tags and markup. `language` is a primary subtag such as `en`, or None
    for the session's. `rate` and `pitch` are factors 0.5..2 on the voice's own."""

    text: str
    language: str | None = None
    rate: float = 1.0
    pitch: float = 1.0
    emphasis: Emphasis = "none"


@dataclass(frozen=True, slots=True)
class Feel:
    """From here on the face tends to this emotion; `intensity` 0..1."""

    emotion: Emotion
    intensity: float


@dataclass(frozen=True, slots=True)
class Gesture:
    """A one-shot motion primitive begins."""

    name: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence of this length."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the script that is reported when it is reached."""

    name: str


Beat = Say | Feel | Gesture | Pause | Mark


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script. `dropped` counts tags and elements that lenient reading did not understand; `unknown` are those
    tags."""

    beats: tuple[Beat, ...]
    dropped: int = 0
    unknown: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All that is said, in one string; no space follows Chinese punctuation."""
        text = " ".join(beat.text for beat in self.beats if isinstance(beat, Say))
        return re.sub(r"(?<=[。！？；，、：…”」』）】]) ", "", text)
