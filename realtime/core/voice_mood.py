"""How somebody sounds: arousal and a coarse valence from level, pitch and rate, and the mood it puts the host in.

Level, mean pitch, pitch range and rate rise with arousal in every study (Scherer, *Vocal communication of emotion: A
review of research paradigms*, Speech Communication 40, 2003); valence can hardly be heard, so only its two clear
corners are used: lively and wide in pitch sounds glad, slow, low and flat sounds downcast. Everything is measured
against the speaker's own earlier turns; the first one only tells how this voice is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from realtime.core.facs import Emotion
from realtime.core.listening import WINDOW_S, Window
from realtime.core.turns import KEEP_SPEECH

MAX_MOOD: Final = 0.25
"""The mood never goes beyond this: a listener is moved, not mirrored."""
_ADAPT: Final = 0.3
"""How much of a turn goes into what is usual for the speaker."""
_MIN_VOICED: Final = 8
"""Windows with pitch that a turn must have to be judged: a quarter of a second."""
_SCALE: Final = {"level_db": 6.0, "pitch_st": 3.0, "range_st": 2.0, "rate_hz": 1.5}
"""What counts as a marked change: dB, semitones, semitones, syllables a second."""
_REFERENCE_HZ: Final = 100.0
_DIP_DB: Final = 3.0
"""A level peak counts as a syllable when it stands out by this much."""


@dataclass(frozen=True, slots=True)
class Prosody:
    """How one turn sounded."""

    level_db: float
    pitch_st: float
    """Median pitch in semitones above 100 Hz."""
    range_st: float
    """Interquartile range of the pitch, semitones."""
    rate_hz: float
    """Syllables a second, estimated from level peaks."""


@dataclass(frozen=True, slots=True)
class VoiceMood:
    """Both -1..1, against what is usual for the speaker."""

    arousal: float
    valence: float


class MoodReader:
    """One speaker's. Feed it the windows of each turn."""

    def __init__(self) -> None:
        self._usual: Prosody | None = None

    def read(self, windows: Sequence[Window]) -> VoiceMood | None:
        """How this turn sounded against the ones before; None for the first, and for one with too little voice."""
        found = prosody(windows)
        if found is None:
            return None
        usual, self._usual = self._usual, _blend(self._usual, found)
        if usual is None:
            return None
        change = {
            name: math.tanh((getattr(found, name) - getattr(usual, name)) / scale) for name, scale in _SCALE.items()
        }
        arousal = 0.35 * change["level_db"] + 0.3 * change["pitch_st"] + 0.15 * change["range_st"]
        arousal += 0.2 * change["rate_hz"]
        valence = 0.6 * change["range_st"] + 0.4 * change["pitch_st"]
        return VoiceMood(round(arousal, 3), round(valence, 3))


def prosody(windows: Sequence[Window]) -> Prosody | None:
    """The measures of a turn; None if hardly any of it is voiced."""
    voiced = [window for window in windows if window.speech >= KEEP_SPEECH]
    pitches = np.array([window.pitch_hz for window in voiced if window.pitch_hz is not None])
    if len(pitches) < _MIN_VOICED:
        return None
    semitones = 12.0 * np.log2(pitches / _REFERENCE_HZ)
    low, middle, high = np.percentile(semitones, (25, 50, 75))
    loud = float(np.percentile([window.level_db for window in voiced], 75))
    return Prosody(loud, float(middle), float(high - low), _syllables([w.level_db for w in windows]) / (
        len(voiced) * WINDOW_S))


def empathy(mood: VoiceMood) -> tuple[Emotion, float]:
    """The mood that hearing this puts the host in, bounded by MAX_MOOD: glad with the glad, concerned for the
    downcast, attentive (a trace of surprise) to the agitated."""
    strength = min(MAX_MOOD, MAX_MOOD * (abs(mood.arousal) + abs(mood.valence)))
    if mood.arousal > 0.2 and mood.valence > 0.1:
        return Emotion.HAPPY, strength
    if mood.arousal < -0.2 and mood.valence < 0.0:
        return Emotion.SAD, strength
    if mood.arousal > 0.4:
        return Emotion.SURPRISE, 0.5 * strength
    return Emotion.NEUTRAL, 0.0


def _blend(usual: Prosody | None, found: Prosody) -> Prosody:
    if usual is None:
        return found
    names = _SCALE
    return Prosody(**{n: getattr(usual, n) + _ADAPT * (getattr(found, n) - getattr(usual, n)) for n in names})


def _syllables(levels: Sequence[float]) -> int:
    """Peaks of the level that stand out by _DIP_DB from the dips on both sides."""
    count, low, high, rising = 0, math.inf, -math.inf, False
    for level in levels:
        if rising:
            high = max(high, level)
            if level < high - _DIP_DB:
                count, rising, low = count + 1, False, level
        else:
            low = min(low, level)
            if level > low + _DIP_DB:
                rising, high = True, level
    return count + rising
