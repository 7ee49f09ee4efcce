"""Finds when the phonemes of a text sound in another voice's sound, while that sound still arrives.

The embedded synthesiser speaks the same text; its phoneme times are known. Dynamic time warping lays its sound onto the
other voice's by energy and coarse spectrum (Sakoe and Chiba 1978; as a forced aligner: Malfrère and Dutoit 1997). What
has been decided stays decided: each block is warped from where the one before ended, with an open end.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Phoneme, Word

Floats = NDArray[np.float32]

HOP: Final = AUDIO_RATE_HZ // 100
HOP_S: Final = HOP / AUDIO_RATE_HZ
_WINDOW: Final = 1024
_BANDS: Final = 18
_LOW_HZ, _HIGH_HZ = 100.0, 7_000.0
_RANGE: Final = 5.0
"""Power range that counts, in decades below the loud parts."""
_SHAPE: Final = 0.6
"""Weight of the spectrum's shape beside the energy."""
_STEPS: Final = (0.06, 0.0, 0.04, 0.15)
"""Cost of the reference standing still, going on by one frame, by two, by three, for each frame of the sound."""
_GUARD: Final = 20
"""Frames at the open end that are decided with the next block: an open end is often found too far or too near."""
_TAIL: Final = 25
"""Frames of silence after the reference: other voices end later."""
_REACH: Final = 3


@dataclass(frozen=True, slots=True)
class Reference:
    """A text as the embedded voice speaks it: sound, float32 at 48 kHz, and what sounds when."""

    sound: Floats
    phonemes: tuple[Phoneme, ...]
    words: tuple[Word, ...]


class Aligner:
    """One utterance's. Feed sound with `push`, end with `finish`; `take` gives what is timed since the last time."""

    def __init__(self, reference: Reference) -> None:
        self._phonemes = list(reference.phonemes)
        self._words = list(reference.words)
        spectrum = spectra(reference.sound)
        silence = np.full((_TAIL, _BANDS), spectrum.min() if len(spectrum) else -9.0, np.float32)
        self._theirs = features(np.concatenate([spectrum, silence]))
        self._held: Floats = np.zeros(0, np.float32)
        self._spectrum: list[Floats] = []
        self._frames = 0
        self._at: list[int] = []
        """For each decided frame of the sound, the reference's frame."""
        self._finished = False

    @property
    def known_s(self) -> float:
        """Up to where it is decided what sounds."""
        return float("inf") if self._finished else len(self._at) * HOP_S

    def push(self, sound: Floats) -> None:
        """More sound, shape (n,), 48 kHz."""
        self._held = np.concatenate([self._held, sound])
        whole = max(0, (len(self._held) - _WINDOW) // HOP + 1)
        if whole:
            self._spectrum.append(spectra(self._held[: (whole - 1) * HOP + _WINDOW]))
            self._held = self._held[whole * HOP :]
            self._frames += whole

    def decide(self) -> None:
        """Warp what is new, up to the guard before the end."""
        if self._frames - len(self._at) > 2 * _GUARD:
            self._warp(closed=False)

    def finish(self) -> None:
        """No more sound: the reference's end is the sound's."""
        self.push(np.zeros(_WINDOW, np.float32))
        if self._frames > len(self._at):
            self._warp(closed=True)
        self._finished = True

    def take(self) -> tuple[tuple[Phoneme, ...], tuple[Word, ...]]:
        """The phonemes and words that are timed by now, each given once."""
        if not self._at:
            return (), ()
        decided = self._at[-1]
        phonemes: list[Phoneme] = []
        while self._phonemes and (self._finished or self._phonemes[0].end_s / HOP_S <= decided):
            one = self._phonemes.pop(0)
            begin_s, end_s = self._time_s(one.start_s), self._time_s(one.end_s)
            if end_s > begin_s:
                phonemes.append(Phoneme(one.symbol, begin_s, end_s, one.stress))
        words: list[Word] = []
        while self._words and (self._finished or self._words[0].start_s / HOP_S <= decided):
            word = self._words.pop(0)
            words.append(Word(self._time_s(word.start_s), word.begin, word.end))
        return tuple(phonemes), tuple(words)

    def _time_s(self, reference_s: float) -> float:
        """When the sound is where the reference is at this time."""
        frame = int(np.searchsorted(self._at, reference_s / HOP_S, side="left"))
        return min(frame, len(self._at)) * HOP_S

    def _warp(self, *, closed: bool) -> None:
        ours = features(np.concatenate(self._spectrum))[len(self._at) :]
        first = self._at[-1] if self._at else 0
        theirs = self._theirs[first : None if closed else first + _REACH * len(ours) + 1]
        path = warp(ours, theirs, closed=closed)
        keep = len(path) if closed else len(path) - _GUARD
        self._at += [first + int(at) for at in path[:keep]]


def warp(ours: Floats, theirs: Floats, *, closed: bool) -> NDArray[np.intp]:
    """For each row of `ours` (n, d) the row of `theirs` (m, d) that fits, rising, from the first row on; up to the last
    if closed, else wherever it fits best. Shape (n,)."""
    n, m = len(ours), len(theirs)
    cost = _distance(ours, theirs)  # (n, m)
    total = np.full(m, np.inf, np.float32)
    total[0] = cost[0, 0]
    came = np.zeros((n, m), np.int8)
    for row in range(1, n):
        ways = np.full((len(_STEPS), m), np.inf, np.float32)
        for step, price in enumerate(_STEPS):
            ways[step, step:] = total[: m - step] + np.float32(price) if step < m else np.inf
        came[row] = ways.argmin(axis=0)
        total = ways.min(axis=0) + cost[row]
    reached = np.flatnonzero(np.isfinite(total))
    at = int(reached[-1]) if closed else int(total.argmin())
    path = np.zeros(n, np.intp)
    for row in range(n - 1, -1, -1):
        path[row] = at
        at -= int(came[row, at])
    return path


def spectra(sound: Floats) -> Floats:
    """Log power in bands, one row each 10 ms, shape (frames, _BANDS)."""
    count = max(0, (len(sound) - _WINDOW) // HOP + 1)
    if not count:
        return np.zeros((0, _BANDS), np.float32)
    views = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::HOP][:count]  # (frames, _WINDOW)
    power = np.abs(np.fft.rfft(views * np.hanning(_WINDOW).astype(np.float32), axis=1)) ** 2
    logs: Floats = np.log10(power @ _bank() + 1e-7).astype(np.float32)
    return logs


def features(spectrum: Floats) -> Floats:
    """What is compared, shape (frames, 1 + _BANDS): energy 0..1 under the loud parts, and the spectrum's direction."""
    if not len(spectrum):
        return np.zeros((0, 1 + _BANDS), np.float32)
    energy = spectrum.max(axis=1)
    energy = np.clip((energy - np.percentile(energy, 95)) / _RANGE + 1.0, 0.0, 1.2)
    shape = spectrum - spectrum.mean(axis=1, keepdims=True)
    shape /= np.linalg.norm(shape, axis=1, keepdims=True) + 1e-6
    made: Floats = np.concatenate([energy[:, None], shape * energy[:, None]], axis=1).astype(np.float32)
    return made


def _distance(ours: Floats, theirs: Floats) -> Floats:
    energy = np.abs(ours[:, :1] - theirs[None, :, 0])  # (n, m)
    both = np.maximum(ours[:, :1], theirs[None, :, 0])
    alike = ours[:, 1:] @ theirs[:, 1:].T
    made: Floats = 2.0 * energy + _SHAPE * np.maximum(0.0, both**2 - alike)
    return made


@cache
def _bank() -> Floats:
    """Triangular bands evenly spaced in mel (O'Shaughnessy 1987), shape (_WINDOW // 2 + 1, _BANDS)."""
    low, high = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (_LOW_HZ, _HIGH_HZ))
    edges_hz = 700.0 * (10.0 ** (np.linspace(low, high, _BANDS + 2) / 2595.0) - 1.0)
    bins_hz = np.fft.rfftfreq(_WINDOW, 1.0 / AUDIO_RATE_HZ)[:, None]
    rise = (bins_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    fall = (edges_hz[2:] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])
    bank: Floats = np.clip(np.minimum(rise, fall), 0.0, None).astype(np.float32)
    return bank
