"""Whisper's view of sound: log-mel spectrograms (Radford et al., *Robust Speech Recognition via Large-Scale Weak
Supervision*, 2022, section 2.2; the filters are Slaney's, Auditory Toolbox, 1998)."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.listening import HEARING_RATE_HZ
from realtime.core.values import Pcm

Floats = NDArray[np.float32]

FFT: Final = 400
HOP: Final = 160
"""10 ms: the encoder's step is two of them."""
_LINEAR_STEP_HZ: Final = 200.0 / 3.0
_LOG_FROM_HZ: Final = 1000.0
_LOG_STEP: Final = np.log(6.4) / 27.0


def log_mel(pcm: Pcm, seconds: float, mels: int) -> Floats:
    """The spectrogram of sound at 16 kHz, filled with silence to `seconds`, shape (mels, 100 * seconds)."""
    frames = round(seconds * HEARING_RATE_HZ) // HOP
    sound = np.zeros(frames * HOP, np.float32)
    sound[: len(pcm)] = pcm[: len(sound)].astype(np.float32) / 32768.0
    padded = np.pad(sound, FFT // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:frames]  # (frames, FFT)
    shape = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FFT) / FFT)
    power = np.abs(np.fft.rfft(windows * shape.astype(np.float32))) ** 2  # (frames, FFT / 2 + 1)
    spectrogram = np.log10(np.maximum(_filters(mels) @ power.T, 1e-10))
    spectrogram = np.maximum(spectrogram, spectrogram.max() - 8.0)
    scaled: Floats = ((spectrogram + 4.0) / 4.0).astype(np.float32)
    return np.ascontiguousarray(scaled)


@cache
def _filters(mels: int) -> NDArray[np.float64]:
    """Triangles of equal area, shape (mels, FFT / 2 + 1)."""
    bins_hz = np.fft.rfftfreq(FFT, 1.0 / HEARING_RATE_HZ)
    top = _mel(HEARING_RATE_HZ / 2.0)
    edges_hz = np.array([_hz(mel) for mel in np.linspace(0.0, top, mels + 2)])
    slopes = edges_hz[:, None] - bins_hz[None, :]
    widths = np.diff(edges_hz)[:, None]
    triangles = np.maximum(0.0, np.minimum(-slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]))
    scaled: NDArray[np.float64] = triangles * (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]
    return scaled


def _mel(hz: float) -> float:
    if hz < _LOG_FROM_HZ:
        return hz / _LINEAR_STEP_HZ
    return float(_LOG_FROM_HZ / _LINEAR_STEP_HZ + np.log(hz / _LOG_FROM_HZ) / _LOG_STEP)


def _hz(mel: float) -> float:
    corner = _LOG_FROM_HZ / _LINEAR_STEP_HZ
    if mel < corner:
        return mel * _LINEAR_STEP_HZ
    return float(_LOG_FROM_HZ * np.exp(_LOG_STEP * (mel - corner)))
