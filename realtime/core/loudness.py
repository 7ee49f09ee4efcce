"""Lips for sound whose words are unknown: loudness opens the mouth, hiss closes the teeth, pauses close the lips."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Pcm, Phoneme

WINDOW_S: Final = 0.04
_LONGEST_S: Final = 0.16
"""A sound that goes on is renewed after this long, so that the mouth keeps moving a little."""
_LOUD_PERCENTILE: Final = 95
_SILENCE: Final = 0.06
"""Of the loud windows' level; quieter is a pause."""
_QUIET_LEVEL: Final = 100.0
"""Of full scale 32768; a recording that is nowhere louder holds no speech."""
_LEVELS: Final = ((0.22, "ə"), (0.55, "ɛ"), (2.0, "a"))
"""Upper bounds of the relative level, and the vowel that stands for it."""
_HISS_CROSSINGS: Final = 0.22
"""Share of neighbouring samples that differ in sign, above which a window is a sibilant (S lies above 5 kHz)."""


def lips_of(pcm: Pcm) -> tuple[Phoneme, ...]:
    """Stand-in phonemes for speech of unknown words, in seconds from the sound's begin; silence has none.

    They follow the short-time energy and zero-crossing rate (Rabiner & Schafer, "Digital Processing of Speech
    Signals", 1978, section 4): the jaw's opening goes with loudness, which is what viewers notice first."""
    symbols = _symbols(pcm)
    found: list[Phoneme] = []
    begin = 0
    for index in range(1, len(symbols) + 1):
        lasts = index < len(symbols) and symbols[index] == symbols[begin]
        if lasts and (index - begin) * WINDOW_S < _LONGEST_S:
            continue
        if symbols[begin]:
            found.append(Phoneme(symbols[begin], begin * WINDOW_S, index * WINDOW_S))
        begin = index
    return tuple(found)


def _symbols(pcm: Pcm) -> list[str]:
    """One IPA symbol per window, empty for a pause."""
    size = round(WINDOW_S * AUDIO_RATE_HZ)
    count = len(pcm) // size
    windows = pcm[: count * size].reshape(count, size).astype(np.float32)  # (windows, samples)
    if count == 0:
        return []
    levels: NDArray[np.float32] = np.sqrt(np.mean(windows**2, axis=1))
    loud = float(np.percentile(levels, _LOUD_PERCENTILE))
    if loud < _QUIET_LEVEL:
        return [""] * count
    crossings = np.mean(np.signbit(windows[:, 1:]) != np.signbit(windows[:, :-1]), axis=1)
    return [_symbol(float(level) / loud, float(share)) for level, share in zip(levels, crossings, strict=True)]


def _symbol(level: float, crossings: float) -> str:
    if level < _SILENCE:
        return ""
    if crossings > _HISS_CROSSINGS:
        return "s"
    return next((symbol for bound, symbol in _LEVELS if level < bound), _LEVELS[-1][1])
