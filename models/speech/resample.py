"""Streaming sample-rate conversion by a rational factor: polyphase, windowed sinc, no clicks at chunk borders.

Output sample n is the windowed-sinc interpolation of the input at n * down / up (Oppenheim & Schafer, *Discrete-Time
Signal Processing*, section 4.6). The filter is symmetric about that point, so the output is not delayed against the
input; the last half filter of input is held back until more arrives or `flush`.
"""

from fractions import Fraction
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

HALF_TAPS: Final = 16
_KAISER_BETA: Final = 8.0
_PASS_BAND: Final = 0.93
"""Cut-off as a part of the lower Nyquist frequency; the transition ends just above it."""


@cache
def _kernel(up: int, down: int, cutoff: float) -> Floats:
    """Filter taps of the `up` output samples of a period of the two rates, shape (up, 2 * HALF_TAPS), rows sum to 1."""
    phase = (np.arange(up) * down % up) / up
    offset = np.arange(-HALF_TAPS + 1, HALF_TAPS + 1)[None, :] - phase[:, None]
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - (offset / HALF_TAPS) ** 2, 0.0, 1.0)))
    kernel = cutoff * np.sinc(cutoff * offset) * window
    normalised: Floats = (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised


@lru_cache(maxsize=64)
def _reads(up: int, down: int, periods: int) -> NDArray[np.intp]:
    """Which input samples meet which taps, shape (periods, up, 2 * HALF_TAPS)."""
    centre = np.arange(up) * down // up
    taps = centre[:, None] + np.arange(2 * HALF_TAPS)
    return np.asarray(np.arange(periods)[:, None, None] * down + taps, np.intp)


class Resampler:
    """Mono float32 from one rate to another; feed chunks of any size."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        factor = Fraction(to_hz, from_hz)
        self._up, self._down = factor.numerator, factor.denominator
        self._kernel = _kernel(self._up, self._down, _PASS_BAND * min(1.0, float(factor)))
        self._held: Floats = np.zeros(HALF_TAPS - 1, np.float32)
        self._fed = 0
        self._made = 0

    def push(self, samples: Floats) -> Floats:
        """Feed input, shape (n,); returns what can be computed by now in whole periods, shape (m,)."""
        self._fed += len(samples)
        self._held = np.concatenate([self._held, samples])
        periods = (len(self._held) - 2 * HALF_TAPS + 1) // self._down
        if periods <= 0:
            return np.zeros(0, np.float32)
        reads = np.take(self._held, _reads(self._up, self._down, periods))  # (periods, up, taps)
        made: Floats = np.einsum("put,ut->pu", reads, self._kernel).reshape(-1)
        self._held = self._held[periods * self._down :]
        self._made += len(made)
        return made

    def flush(self) -> Floats:
        """The rest; in all, ceil(fed * up / down) samples have then been made."""
        missing = -(-self._fed * self._up // self._down) - self._made
        fed = self._fed
        made = self.push(np.zeros(self._down + 2 * HALF_TAPS, np.float32))
        self._fed = fed
        return made[:missing]
