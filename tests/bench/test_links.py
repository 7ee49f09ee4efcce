"""What `bench.links` makes of a viewer's readings."""

import numpy as np

from bench.links import drift, media_gaps_s


def test_a_steady_lag_is_no_drift() -> None:
    rng = np.random.default_rng(7)
    noise_ms = rng.uniform(-4.0, 4.0, 30)
    found = drift([[1000.0 * second + 20.0 + noise_ms[second], 1000.0 * second] for second in range(30)])
    assert abs(found["av_skew_ms"] - 20) <= 3 and found["av_drift_ms"] <= 8


def test_sound_that_falls_behind_is_drift_as_a_whole() -> None:
    found = drift([[1000.0 * second + 5.0 * second, 1000.0 * second] for second in range(30)])
    # 5 ms a second, between the middles of the first and the last five of thirty seconds
    assert found["av_drift_ms"] == 125


def test_one_odd_reading_is_none() -> None:
    readings = [[1000.0 * second, 1000.0 * second] for second in range(30)]
    readings[12][0] += 400.0
    assert drift(readings) == {"av_skew_ms": 0, "av_drift_ms": 0}


def test_too_few_readings_say_nothing() -> None:
    assert drift([[1.0, 1.0]] * 4) == {}


def test_gaps_of_media_time_go_on_over_the_end_of_the_counter() -> None:
    rtp = (np.array([0, 3600, 7200, 97_200]) + (1 << 32) - 5000) % (1 << 32)
    shown = np.stack([np.zeros(4), rtp, np.full(4, 512)], axis=1)
    assert np.allclose(media_gaps_s(shown), [0.04, 0.04, 1.0])
