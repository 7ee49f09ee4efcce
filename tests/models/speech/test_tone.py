"""Tone shaping and limiting."""

import numpy as np
from numpy.typing import NDArray

from models.speech.tone import Limiter, Shaper, shaping_filter

RATE_HZ = 22_050


def noise(samples: int, level: float) -> NDArray[np.float32]:
    return (np.random.default_rng(3).standard_normal(samples) * level).astype(np.float32)


def test_chunking_changes_nothing_and_the_filter_has_no_delay() -> None:
    click = np.zeros(4_000, np.float32)
    click[1_000] = 1.0
    whole, pieces = Shaper(RATE_HZ), Shaper(RATE_HZ)
    made = np.concatenate([whole.push(click), whole.flush()])
    parts = [pieces.push(piece) for piece in np.split(click, [10, 11, 999, 2_500])]
    np.testing.assert_allclose(np.concatenate([*parts, pieces.flush()]), made, atol=1e-6)
    assert int(np.abs(made).argmax()) == 1_000


def test_the_curve_is_what_it_says() -> None:
    response_db = 20 * np.log10(np.abs(np.fft.rfft(shaping_filter(RATE_HZ), 4_096)))
    frequency_hz = np.fft.rfftfreq(4_096, 1 / RATE_HZ)

    def at(hz: float) -> float:
        return float(np.interp(hz, frequency_hz, response_db))

    assert at(20) < -2.5 and 1.0 < at(200) < 2.0
    assert abs(at(1_500)) < 0.3
    assert -4.0 < at(7_000) < -3.0


def test_the_limiter_holds_the_ceiling_and_passes_quiet_sound_untouched() -> None:
    loud, limiter = noise(48_000, 0.5), Limiter(48_000)
    made = np.concatenate(
        [*(limiter.push(piece) for piece in np.split(loud, 37 * np.arange(1, 1_200))), limiter.flush()]
    )
    assert len(made) == len(loud)
    assert np.abs(made).max() <= 0.8901
    quiet, limiter = noise(4_801, 0.05), Limiter(48_000)
    np.testing.assert_array_equal(np.concatenate([limiter.push(quiet), limiter.flush()]), quiet)


def test_the_limiters_gain_moves_without_steps() -> None:
    level = np.full(48_000, 0.5, np.float32)
    level[20_000:20_400] = 2.0
    limiter = Limiter(48_000)
    gain = np.concatenate([limiter.push(level), limiter.flush()]) / level
    assert np.abs(np.diff(gain)).max() < 0.02
