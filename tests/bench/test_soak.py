"""What `bench.soak` makes of arrival times."""

from bench.soak import SkewMeter, Unwrapped


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
