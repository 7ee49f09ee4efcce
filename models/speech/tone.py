"""Tone shaping and limiting of a synthetic voice, streaming and without delay in media time."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_TAPS: Final = 257
_CURVE_HZ: Final = (0.0, 60.0, 110.0, 300.0, 900.0, 2500.0, 4200.0, 7000.0, 11025.0)
_CURVE_DB: Final = (-30.0, -8.0, 1.5, 1.5, 0.0, 0.0, -2.5, -3.5, -4.0)
"""A little warmth below 300 Hz, the buzz above 3 kHz turned down; consonants keep their place."""
_REFLECTIONS: Final = ((0.0071, 0.11), (0.0133, -0.08), (0.0229, 0.06))
"""Early reflections of a small room: delay in seconds and gain."""


@cache
def shaping_filter(sample_rate_hz: int) -> Floats:
    """Linear-phase FIR of shape (_TAPS,) with the curve above, by frequency sampling under a Hann window."""
    grid = 4096
    frequency_hz = np.fft.rfftfreq(grid, 1.0 / sample_rate_hz)
    response = 10.0 ** (np.interp(frequency_hz, _CURVE_HZ, _CURVE_DB) / 20.0)
    impulse = np.roll(np.fft.irfft(response), _TAPS // 2)[:_TAPS]
    return (impulse * np.hanning(_TAPS + 2)[1:-1]).astype(np.float32)


class Shaper:
    """Filters a stream and sets it in its room. The filter's delay is taken out, the tails come with `flush`."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._kernel = shaping_filter(sample_rate_hz)
        self._tail: Floats = np.zeros(_TAPS - 1, np.float32)
        self._skip = _TAPS // 2
        self._reflections = [(round(delay_s * sample_rate_hz), gain) for delay_s, gain in _REFLECTIONS]
        self._past: Floats = np.zeros(max(delay for delay, _ in self._reflections), np.float32)

    def push(self, samples: Floats) -> Floats:
        """Feed input of shape (n,); returns as many samples, less the filter's delay at the very start."""
        if not len(samples):
            return samples
        full = np.convolve(samples, self._kernel).astype(np.float32)
        full[: _TAPS - 1] += self._tail
        self._tail = full[len(samples) :]
        made = full[: len(samples)]
        skipped = min(self._skip, len(made))
        self._skip -= skipped
        return self._in_room(made[skipped:])

    def flush(self) -> Floats:
        """What filter and room still hold."""
        rest = np.concatenate([self._tail[self._skip :], np.zeros(len(self._past), np.float32)])
        self._tail = np.zeros_like(self._tail)
        return self._in_room(rest)

    def _in_room(self, dry: Floats) -> Floats:
        line = np.concatenate([self._past, dry])
        begin = len(self._past)
        wet = dry.copy()
        for delay, gain in self._reflections:
            wet += np.float32(gain) * line[begin - delay : len(line) - delay]
        self._past = line[len(line) - begin :]
        return wet


class Limiter:
    """Keeps a stream under a ceiling with a look-ahead of a few milliseconds; the gain moves in straight lines."""

    _BLOCK_S = 0.001
    _AHEAD = 4
    _RELEASE = 0.02

    def __init__(self, sample_rate_hz: int, ceiling: float = 0.89) -> None:
        self._block = round(self._BLOCK_S * sample_rate_hz)
        self._ceiling = ceiling
        self._held: Floats = np.zeros(0, np.float32)
        self._gain: float | None = None

    def push(self, samples: Floats) -> Floats:
        """Feed input of shape (n,); returns whole blocks, `_AHEAD` blocks late."""
        self._held = np.concatenate([self._held, samples])
        return self._make(len(self._held) // self._block - self._AHEAD)

    def flush(self) -> Floats:
        """The rest: in all, as many samples as were fed."""
        missing = -len(self._held) % self._block
        self._held = np.concatenate([self._held, np.zeros(missing, np.float32)])
        made = self._make(len(self._held) // self._block)
        return made[: len(made) - missing]

    def _make(self, blocks: int) -> Floats:
        if blocks <= 0:
            return np.zeros(0, np.float32)
        whole = len(self._held) // self._block
        peaks = np.abs(self._held[: whole * self._block]).reshape(whole, self._block).max(axis=1)  # (whole,)
        wanted = np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9))
        padded = np.concatenate([wanted, np.ones(self._AHEAD)])
        lowest = np.lib.stride_tricks.sliding_window_view(padded, self._AHEAD + 1).min(axis=1)[:blocks]
        made = self._held[: blocks * self._block]
        self._held = self._held[blocks * self._block :]
        if self._gain in (None, 1.0) and lowest.min() >= 1.0:
            self._gain = 1.0
            return made
        knots = [float(lowest[0]) if self._gain is None else self._gain]
        for target in lowest:
            knots.append(min(float(target), knots[-1] + (1.0 - knots[-1]) * self._RELEASE))
        self._gain = knots[-1] if knots[-1] < 0.9999 else 1.0
        gain = np.interp(np.arange(len(made)) + 1, np.arange(blocks + 1) * self._block, knots)
        return (made * gain).astype(np.float32)
