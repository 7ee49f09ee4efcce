"""Listening to a microphone, sample by sample: rate conversion, levels, and what one window of sound is like."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Pcm

Floats = NDArray[np.float32]

HEARING_RATE_HZ: Final = 16_000
"""Rate at which speech is detected and recognised."""
WINDOW_SAMPLES: Final = 512
WINDOW_S: Final = WINDOW_SAMPLES / HEARING_RATE_HZ
"""32 ms: what one decision looks at."""
_FACTOR: Final = AUDIO_RATE_HZ // HEARING_RATE_HZ
_HALF_TAPS: Final = 24
SILENT_DB: Final = -96.0
_FLOOR_START_DB: Final = -60.0
_FLOOR_RISE_DB: Final = 0.06
"""Per window, about 2 dB a second: slower than speech, faster than a room changes."""
_FLOOR_FALL: Final = 0.3
_PITCH_LOW_HZ: Final = 70.0
_PITCH_HIGH_HZ: Final = 400.0
_PERIODIC: Final = 0.5
"""Normalised autocorrelation from which a window counts as voiced."""


class Decimator:
    """48 kHz to 16 kHz, in pieces of any size; a windowed-sinc low-pass (Oppenheim & Schafer, section 4.6).

    The output lags by `_HALF_TAPS` input samples, half a millisecond."""

    def __init__(self) -> None:
        self._held = np.zeros(2 * _HALF_TAPS, np.float32)

    def push(self, pcm: Pcm) -> Pcm:
        """The samples that can be computed by now, shape (about len(pcm) / 3,)."""
        held = np.concatenate([self._held, pcm.astype(np.float32)])
        count = max(0, (len(held) - 2 * _HALF_TAPS - 1) // _FACTOR + 1)
        if count == 0:
            self._held = held
            return np.zeros(0, np.int16)
        rows = np.lib.stride_tricks.sliding_window_view(held, 2 * _HALF_TAPS + 1)[:: _FACTOR]  # (count, taps)
        made = rows[:count] @ _low_pass()
        self._held = held[count * _FACTOR :]
        rounded: Pcm = np.clip(np.rint(made), -32768, 32767).astype(np.int16)
        return rounded


@lru_cache(maxsize=1)
def _low_pass() -> Floats:
    """Taps of the low-pass at 0.45 of the lower rate, shape (2 * _HALF_TAPS + 1,), sum 1."""
    at = np.arange(-_HALF_TAPS, _HALF_TAPS + 1)
    taps = np.sinc(0.9 * at / _FACTOR) * np.kaiser(len(at), 7.0)
    normalised: Floats = (taps / taps.sum()).astype(np.float32)
    return normalised


class Windows:
    """Cuts a stream at 16 kHz into windows of `WINDOW_SAMPLES`."""

    def __init__(self) -> None:
        self._held: Pcm = np.zeros(0, np.int16)

    def push(self, pcm: Pcm) -> Iterator[Pcm]:
        """The windows that are complete by now."""
        held = np.concatenate([self._held, pcm])
        whole = len(held) // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._held = held[whole:]
        yield from held[:whole].reshape(-1, WINDOW_SAMPLES)


class NoiseFloor:
    """The level below which there is only the room: falls quickly, rises slowly (minimum tracking, after R. Martin,
    *Noise Power Spectral Density Estimation Based on Optimal Smoothing and Minimum Statistics*, 2001)."""

    def __init__(self) -> None:
        self.level_db = _FLOOR_START_DB

    def update(self, level_db: float) -> float:
        """Take a window's level in; returns the floor in dB of full scale."""
        if level_db < self.level_db:
            self.level_db += _FLOOR_FALL * (max(level_db, SILENT_DB) - self.level_db)
        else:
            self.level_db = min(level_db, self.level_db + _FLOOR_RISE_DB)
        return self.level_db


@dataclass(frozen=True, slots=True)
class Window:
    """What 32 ms of a viewer's sound are like."""

    end_s: float
    """Media time of its end."""
    speech: float
    """Probability that somebody speaks, 0..1."""
    level_db: float
    above_floor_db: float
    unexplained: float = 1.0
    """Share of its energy that is not the host's own sound coming back, 0..1."""
    pitch_hz: float | None = None
    doubtful: bool = False
    """The host can be heard, and it is not known yet whether and how her sound comes back."""


def level_db(window: Pcm) -> float:
    """Root mean square in dB of full scale."""
    power = float(np.mean(np.square(window, dtype=np.float32))) if len(window) else 0.0
    return max(SILENT_DB, 10.0 * float(np.log10(power / 32768.0**2 + 1e-12)))


def pitch_hz(window: Pcm) -> float | None:
    """The pitch of two or more windows of voice, by autocorrelation; None where nothing is periodic.

    `window` has at least two periods of the lowest pitch, 457 samples."""
    signal = window.astype(np.float32)
    signal = signal - signal.mean()
    size = 1 << (2 * len(signal) - 1).bit_length()
    spectrum = np.fft.rfft(signal, size)
    correlation = np.fft.irfft(spectrum * np.conj(spectrum), size)[: len(signal)]
    if correlation[0] <= 0.0:
        return None
    # a shorter overlap has less energy: dividing by its share makes lags comparable
    normalised = correlation / correlation[0] / (1.0 - np.arange(len(signal)) / len(signal))
    low, high = int(HEARING_RATE_HZ / _PITCH_HIGH_HZ), int(HEARING_RATE_HZ / _PITCH_LOW_HZ)
    lags = normalised[low : min(high, len(signal) * 2 // 3)]
    # the first peak that is nearly as high as the highest: later ones are its multiples
    near = np.flatnonzero(lags > 0.9 * lags.max())
    best = low + int(near[0])
    while best + 1 < len(normalised) and normalised[best + 1] > normalised[best]:
        best += 1
    return float(HEARING_RATE_HZ / best) if normalised[best] >= _PERIODIC else None
