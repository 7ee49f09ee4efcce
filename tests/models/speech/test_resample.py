"""Streaming resampling: exact length, no clicks, clean spectrum."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.speech.resample import Resampler

FROM_HZ, TO_HZ = 22_050, 48_000


def tone(frequency_hz: float, seconds: float = 1.0) -> NDArray[np.float32]:
    phase = 2 * np.pi * frequency_hz * np.arange(round(seconds * FROM_HZ)) / FROM_HZ
    made: NDArray[np.float32] = (0.5 * np.sin(phase)).astype(np.float32)
    return made


def resampled(samples: NDArray[np.float32], cuts: list[int]) -> NDArray[np.float32]:
    resampler = Resampler(FROM_HZ, TO_HZ)
    pieces = [resampler.push(piece) for piece in np.split(samples, cuts)]
    return np.concatenate([*pieces, resampler.flush()])


@pytest.mark.parametrize("length", [0, 1, 16, 147, 4_001])
def test_the_length_follows_the_rates(length: int) -> None:
    made = resampled(np.zeros(length, np.float32), [])
    assert len(made) == -(-length * 320 // 147)


def test_chunking_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    samples = rng.standard_normal(9_000).astype(np.float32)
    cuts = sorted(int(cut) for cut in rng.integers(0, len(samples), 40))
    np.testing.assert_allclose(resampled(samples, cuts), resampled(samples, []), atol=1e-5)


@pytest.mark.parametrize("frequency_hz", [100.0, 1_000.0, 5_000.0, 7_500.0])
def test_a_tone_stays_that_tone_at_its_place_in_time(frequency_hz: float) -> None:
    made = resampled(tone(frequency_hz), [700, 701, 9_000])
    wanted = 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(len(made)) / TO_HZ)
    inner = slice(200, -200)
    error_db = 10 * np.log10(np.mean((made[inner] - wanted[inner]) ** 2) / np.mean(wanted[inner] ** 2))
    assert error_db < -60


def test_no_image_above_the_source_band() -> None:
    made = resampled(tone(3_000.0), [])
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
    frequency_hz = np.fft.rfftfreq(len(made), 1 / TO_HZ)
    assert 10 * np.log10(spectrum[frequency_hz > 11_500].sum() / spectrum.sum()) < -70
