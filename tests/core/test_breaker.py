"""The circuit breaker in its own time."""

from realtime.core.breaker import Breaker


def test_it_opens_after_failures_in_a_row_and_rests_longer_each_time() -> None:
    breaker = Breaker(failures=3, rest_s=10.0)
    for _ in range(2):
        breaker.failed(0.0)
    assert breaker.wait_s(0.0) == 0.0
    breaker.succeeded()
    for _ in range(3):
        breaker.failed(1.0)
    assert breaker.wait_s(1.0) == 10.0 and breaker.wait_s(11.0) == 0.0
    breaker.failed(11.0)
    assert breaker.wait_s(11.0) == 20.0
    for _ in range(9):
        breaker.failed(40.0)
    assert breaker.wait_s(40.0) == 120.0
    breaker.succeeded()
    breaker.failed(200.0)
    assert breaker.wait_s(200.0) == 0.0
