"""What `bench.soak` makes of arrival times and of memory over time."""

import math
from collections import Counter

import pytest

from bench.soak import Course, Held, SkewMeter, Unwrapped


def packets(meter: SkewMeter, stream: str, drift: float = 0.0, late: float = 0.0) -> None:
    """Fifty packets a second for a minute on a path of 20 ms that delays every third one by `late`."""
    for index in range(3000):
        media_s = index / 50
        meter.add(stream, 100.0 + media_s * (1.0 + drift) + 0.02 + late * (index % 3 == 0), media_s)


def test_queueing_is_no_drift() -> None:
    meter = SkewMeter(window_s=10.0)
    packets(meter, "sound", late=0.3)
    packets(meter, "picture")
    assert meter.drift_ms is not None and meter.drift_ms < 0.1


def test_a_stream_that_runs_slow_is_found() -> None:
    meter = SkewMeter(window_s=10.0)
    packets(meter, "sound", drift=1e-3)
    packets(meter, "picture")
    # the least delay of a window is at its beginning: 40 s lie between the first and the fifth
    assert meter.drift_ms is not None and 39.0 < meter.drift_ms < 41.0


def test_one_window_tells_nothing() -> None:
    meter = SkewMeter(window_s=100.0)
    packets(meter, "sound")
    packets(meter, "picture")
    assert meter.drift_ms is None


def test_rtp_time_goes_on_beyond_32_bits() -> None:
    unwrapped = Unwrapped()
    assert [unwrapped(t) for t in (2**32 - 10, 5, 2**32 - 1, 900)] == [2**32 - 10, 2**32 + 5, 2**32 - 1, 2**32 + 900]


def course(rss_mb: float, caches_mb: float) -> Course:
    """Ten minutes in which memory and caches change by so much in all, with the noise of a few kB."""
    found = Course()
    for index in range(120):
        share, noise_mb = index / 119, 0.01 * math.sin(1.7 * index)
        seen = Held(500 + share * rss_mb + noise_mb, 200 + share * caches_mb, Counter(), 10, 10)
        found.add(5.0 * index, seen)
    return found


@pytest.mark.parametrize(
    ("rss_mb", "caches_mb", "verdict"),
    [(0, 0, "within noise"), (40, 40, "within noise"), (-40, -40, "within noise"), (3, 0, "grows"), (0, -8, "grows")],
)
def test_memory_is_held_against_the_caches_that_account_for_it(rss_mb: float, caches_mb: float, verdict: str) -> None:
    assert course(rss_mb, caches_mb).result()["rest_verdict"] == verdict
