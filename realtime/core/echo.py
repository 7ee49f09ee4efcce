"""Tells the viewer's voice from the host's own sound coming back through the viewer's loudspeaker and microphone.

The browser cancels echo first; what it leaves must not make the host interrupt herself. Three measures are taken, each
at a lag that is searched for: how well the last quarter of a second of microphone sound correlates with what was played
(good from the first moment on), and how much of it a slowly learnt room response explains (good in rooms that smear
the echo). A third is how loud the echo has been against what was played. The share of energy that none of them explains
is the viewer's.

References: normalised cross-correlation by FFT (Lewis, *Fast Normalized Cross-Correlation*, 1995); the room response
is the Wiener solution Sxy / Sxx of recursively averaged spectra (Hänsler & Schmidt, *Acoustic Echo and Noise Control*,
2004, chapter 5).
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.listening import HEARING_RATE_HZ, WINDOW_SAMPLES
from realtime.core.values import Pcm

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

MAX_LAG_S: Final = 0.6
"""From a tick leaving the server to its echo arriving: network both ways, the browser's buffer, the room."""
_MAX_LAG: Final = round(MAX_LAG_S * HEARING_RATE_HZ)
_LOOK: Final = 8 * WINDOW_SAMPLES
"""256 ms of microphone sound are compared at a time."""
_KEPT: Final = _LOOK + _MAX_LAG + WINDOW_SAMPLES
_FFT: Final = 1 << (_LOOK + _MAX_LAG - 1).bit_length()
_FRAME: Final = 4 * WINDOW_SAMPLES
"""Frame of the room response: 128 ms, longer than the early part of a living room's."""
_FORGET: Final = 0.97
"""Per window: the response is an average of about a second."""
_RECENT: Final = 4
_QUIET: Final = 40.0
"""Root mean square of played sound below which there is nothing to echo."""
_LAG_SURE: Final = 0.35
"""Squared correlation from which a lag is believed."""
_LEARNT: Final = 12
"""Windows of played sound before the room response counts."""
_KNOWN: Final = 40
"""Windows, 1.3 s, after which it is known well enough to tell a viewer from an echo within an eighth of a second."""
_SMEAR: Final = 5
"""Windows over which a room spreads an echo."""
_RETURN_RATE: Final = 0.1
_PROVEN: Final = 20
"""Windows of played sound, 0.64 s, without anything coming back prove that there is no echo."""
_TILT: Final = 0.8
"""Pre-emphasis: less lets any two voices correlate through their strong low frequencies, more lets noise and the
codec's losses at high ones hide an echo."""


class EchoGuard:
    """One microphone's. Feed what was played and what is heard, both at 16 kHz on one time axis of samples."""

    def __init__(self) -> None:
        self._played = np.zeros(_KEPT, np.float32)
        self._played_until = 0
        self._heard = np.zeros(_LOOK, np.float32)
        self._lag: int | None = None
        self._cross = np.zeros(_FRAME // 2 + 1, np.complex64)
        self._power = np.zeros(_FRAME // 2 + 1, np.float32)
        self._learnt = 0
        self._returned = 0.0
        self._silent = 0
        self._residuals: deque[tuple[float, float]] = deque(maxlen=_RECENT)
        self._shape = np.hanning(_FRAME).astype(np.float32)

    @property
    def lag_s(self) -> float | None:
        """How long the echo takes, once it was found."""
        return None if self._lag is None else self._lag / HEARING_RATE_HZ

    @property
    def sure(self) -> bool:
        """Whether it is known what comes back: the echo's way was learnt, or nothing has come back for a while."""
        return self._learnt >= _KNOWN or self._silent >= _PROVEN

    def played(self, pcm: Pcm, until: int) -> None:
        """Sound that was played, ending at this sample. Gaps are silence; sound must come in order."""
        step = until - self._played_until
        if step <= 0:
            return
        fresh = np.zeros(min(step, _KEPT), np.float32)
        kept = pcm[-len(fresh) :]
        if len(kept):
            fresh[-len(kept) :] = kept
        self._played = np.concatenate([self._played, fresh])[-_KEPT:]
        self._played_until = until

    def hear(self, window: Pcm, until: int, *, quiet: bool = False) -> float | None:
        """The share of this window's energy, 0..1, that what was played does not explain; None while nothing is played.
        `window` has WINDOW_SAMPLES; `until` is its end on the time axis; `quiet`: nothing but the room is heard."""
        self._heard = np.concatenate([self._heard, window.astype(np.float32)])[-_LOOK:]
        reference = self._reference(until)
        if _rms(reference) < _QUIET:
            self._residuals.clear()
            return None
        if quiet:
            self._silent += 1
            return 1.0
        correlation, lag = _correlate(_whitened(self._heard), _whitened(reference))
        if correlation > _LAG_SURE:
            self._follow(lag)
        explained = correlation
        if self._lag is not None:
            explained = max(explained, self._explained(reference), self._as_loud(reference, explained))
        return float(np.clip(1.0 - explained, 0.0, 1.0))

    def _reference(self, until: int) -> Floats:
        """What was played from the largest lag before the compared microphone sound to its end, shape
        (_LOOK + _MAX_LAG,)."""
        size = _LOOK + _MAX_LAG
        behind = self._played_until - until
        end = len(self._played) - behind
        if behind >= 0:
            found = self._played[max(0, end - size) : max(0, end)]
            return np.concatenate([np.zeros(size - len(found), np.float32), found])
        found = np.concatenate([self._played, np.zeros(-behind, np.float32)])
        return found[-size:]

    def _follow(self, lag: int) -> None:
        """Take a lag over; a jump means that the path has changed, and what was learnt of the old one with it."""
        if self._lag is not None and abs(lag - self._lag) <= _FRAME // 16:
            return
        self._lag = lag
        self._cross[:] = 0
        self._power[:] = 0
        self._learnt = 0
        self._silent = 0
        self._residuals.clear()

    def _explained(self, reference: Floats) -> float:
        """Share of the last windows' energy that the room response accounts for; learns from this window afterwards."""
        assert self._lag is not None
        end = len(reference) - max(0, self._lag - _FRAME // 16)
        source = np.fft.rfft(reference[end - _FRAME : end] * self._shape).astype(np.complex64)
        heard = np.fft.rfft(self._heard[-_FRAME:] * self._shape).astype(np.complex64)
        share = 0.0
        if self._learnt >= _LEARNT:
            response = self._cross / (self._power + 1e-3 * float(self._power.mean()) + 1.0)
            left = heard - response * source
            self._residuals.append((float(np.vdot(left, left).real), float(np.vdot(heard, heard).real) + 1.0))
            left_over = sum(one for one, _ in self._residuals) / sum(total for _, total in self._residuals)
            share = max(0.0, 1.0 - left_over)
        self._cross = _FORGET * self._cross + (1 - _FORGET) * heard * np.conj(source)
        self._power = _FORGET * self._power + (1 - _FORGET) * np.abs(source) ** 2
        self._learnt += 1
        return share


    def _as_loud(self, reference: Floats, explained: float) -> float:
        """Share of this window's energy that an echo as loud as before would have; learns while it is echo alone."""
        assert self._lag is not None
        end = len(reference) - max(0, self._lag - WINDOW_SAMPLES)
        spread = reference[max(0, end - (_SMEAR + 1) * WINDOW_SAMPLES) : end]
        loudest = float(np.square(spread[: len(spread) // WINDOW_SAMPLES * WINDOW_SAMPLES]).reshape(
            -1, WINDOW_SAMPLES).mean(axis=1).max())
        heard = float(np.square(self._heard[-WINDOW_SAMPLES:]).mean()) + 1.0
        if loudest < _QUIET**2:
            return 0.0
        expected = self._returned * loudest / heard
        if explained > 0.5:
            self._returned += _RETURN_RATE * (heard / loudest - self._returned)
        return min(1.0, expected)


def _rms(sound: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def _whitened(sound: Floats) -> Floats:
    tilted: Floats = sound - np.float32(_TILT) * np.concatenate([sound[:1], sound[:-1]])
    return tilted


def _correlate(heard: Floats, reference: Floats) -> tuple[float, int]:
    """The largest squared normalised correlation over all lags, and that lag in samples.

    `heard` ends where `reference` does; `reference` is longer by the largest lag."""
    length, lags = len(heard), len(reference) - len(heard)
    cross = np.fft.irfft(np.fft.rfft(reference, _FFT) * np.conj(np.fft.rfft(heard, _FFT)), _FFT)[: lags + 1]
    running = np.concatenate([[0.0], np.cumsum(np.square(reference, dtype=np.float64))])
    energy = running[length:] - running[:-length]
    scale = energy * float(np.square(heard, dtype=np.float64).sum())
    squared = np.where(scale > 1.0, np.square(cross) / np.maximum(scale, 1.0), 0.0)
    best = int(np.argmax(squared))
    return float(squared[best]), lags - best
