"""Streaming sample-rate conversion by a rational factor: polyphase, windowed sinc, no clicks at chunk borders.

Output sample n is the windowed-sinc interpolation of the input at n * down / up (Oppenheim & Schafer, *Discrete-Time
Signal Processing*, section 4.6). The filter is symmetric about that point, so the output is not delayed against the
input; the last half filter of input is held back until more arrives or `flush`.
"""

from fractions import Fraction
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

HALF_TAPS: Final = 16
_KAISER_BETA: Final = 8.0
_PASS_BAND: Final = 0.93
"""Cut-off as a part of the lower Nyquist frequency; the transition ends just above it."""


@cache
def _kernel(phases: int, cutoff: float) -> Floats:
    """Filter taps for each fraction of an input sample, shape (phases, 2 * HALF_TAPS); each row sums to 1."""
    phase = np.arange(phases)[:, None] / phases
    offset = np.arange(-HALF_TAPS + 1, HALF_TAPS + 1)[None, :] - phase
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - (offset / HALF_TAPS) ** 2, 0.0, 1.0)))
    kernel = cutoff * np.sinc(cutoff * offset) * window
    normalised: Floats = (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised


class Resampler:
    """Mono float32 from one rate to another; feed chunks of any size."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        factor = Fraction(to_hz, from_hz)
        self._up, self._down = factor.numerator, factor.denominator
        cutoff = _PASS_BAND * min(1.0, float(factor))
        self._kernel = _kernel(self._up, cutoff)
        self._held: Floats = np.zeros(HALF_TAPS - 1, np.float32)
        self._first = -(HALF_TAPS - 1)  # input index of the first held sample
        self._fed = 0
        self._made = 0

    def push(self, samples: Floats) -> Floats:
        """Feed input, shape (n,); returns what can be computed by now, shape (m,)."""
        self._fed += len(samples)
        self._held = np.concatenate([self._held, samples])
        reach = self._first + len(self._held) - HALF_TAPS  # centres up to here, exclusive, have their whole filter
        return self._make((reach * self._up + self._down - 1) // self._down)

    def flush(self) -> Floats:
        """The rest; in all, ceil(fed * up / down) samples have then been made."""
        self._held = np.concatenate([self._held, np.zeros(HALF_TAPS + 1, np.float32)])
        return self._make((self._fed * self._up + self._down - 1) // self._down)

    def _make(self, until: int) -> Floats:
        if until <= self._made:
            return np.zeros(0, np.float32)
        position = np.arange(self._made, until, dtype=np.int64) * self._down
        centre, phase = position // self._up, position % self._up
        windows = np.lib.stride_tricks.sliding_window_view(self._held, 2 * HALF_TAPS)
        made: Floats = np.einsum("nt,nt->n", windows[centre - (HALF_TAPS - 1) - self._first], self._kernel[phase])
        self._made = until
        keep_from = until * self._down // self._up - (HALF_TAPS - 1)
        if keep_from > self._first:
            self._held = self._held[keep_from - self._first :]
            self._first = keep_from
        return made
