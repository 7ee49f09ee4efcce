"""How a voice sounds when something is felt or stressed: factors on its rate, pitch and energy.

The directions are those that studies of vocal emotion agree on (Scherer 2003, table 3; Juslin and Laukka 2003,
table 11): anger, fear and joy are faster, higher and louder than neutral speech, sadness slower, lower and softer,
disgust slower and lower, surprise higher. The sizes are about half of what actors show: a host is not on a stage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from realtime.core.facs import Emotion
from realtime.core.script_beats import MAX_FACTOR, MIN_FACTOR, Emphasis
from realtime.core.values import VoiceSpec

MAX_ENERGY: Final = 1.5


@dataclass(frozen=True, slots=True)
class Colour:
    """Factors on a voice's own rate, pitch and energy; 1 changes nothing."""

    rate: float = 1.0
    pitch: float = 1.0
    energy: float = 1.0

    def toned(self, intensity: float) -> "Colour":
        """The colour at a share of its strength, 0..1."""
        share = min(max(intensity, 0.0), 1.0)
        return Colour(self.rate**share, self.pitch**share, self.energy**share)

    def on(self, spec: VoiceSpec) -> VoiceSpec:
        """A voice in this colour, inside the ranges that voices take."""
        return replace(
            spec,
            rate=min(MAX_FACTOR, max(MIN_FACTOR, spec.rate * self.rate)),
            pitch=min(MAX_FACTOR, max(MIN_FACTOR, spec.pitch * self.pitch)),
            energy=min(MAX_ENERGY, max(0.0, spec.energy * self.energy)),
        )


FELT: Final[Mapping[Emotion, Colour]] = {
    Emotion.ANGRY: Colour(1.08, 1.04, 1.30),
    Emotion.DISGUST: Colour(0.93, 0.95, 0.95),
    Emotion.FEAR: Colour(1.10, 1.10, 0.88),
    Emotion.HAPPY: Colour(1.05, 1.09, 1.15),
    Emotion.SAD: Colour(0.87, 0.93, 0.78),
    Emotion.SURPRISE: Colour(1.03, 1.13, 1.15),
    Emotion.NEUTRAL: Colour(),
}
"""Each emotion at full intensity."""
STRESSED: Final[Mapping[Emphasis, Colour]] = {
    "none": Colour(),
    "reduced": Colour(1.06, 0.97, 0.80),
    "moderate": Colour(0.94, 1.04, 1.15),
    "strong": Colour(0.86, 1.08, 1.30),
}
"""SSML's emphasis levels: a stressed word is longer, higher and louder (SSML 1.1, section 3.2.3)."""


def coloured(spec: VoiceSpec, emotion: Emotion, intensity: float, emphasis: Emphasis = "none") -> VoiceSpec:
    """The voice with an emotion at an intensity 0..1 and an emphasis on it."""
    return STRESSED[emphasis].on(FELT[emotion].toned(intensity).on(spec))
