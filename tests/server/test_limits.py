"""Token buckets under virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.limits import KeyedLimiter, Rate, TokenBucket


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    bucket = TokenBucket(Rate(per_s=10.0, burst=5.0), 0.0)
    assert [bucket.take(0.0) for _ in range(6)] == [0.0] * 5 + [pytest.approx(0.1)]
    assert bucket.take(0.1) == 0.0
    assert bucket.take(0.1) > 0.0


def test_waiting_as_long_as_told_is_enough() -> None:
    bucket = TokenBucket(Rate(per_s=0.5, burst=1.0), 10.0)
    assert bucket.take(10.0) == 0.0
    wait_s = bucket.take(10.5)
    assert wait_s == pytest.approx(1.5)
    assert bucket.take(10.5 + wait_s) == 0.0


def test_a_clock_that_steps_back_adds_nothing() -> None:
    bucket = TokenBucket(Rate(per_s=1.0, burst=1.0), 100.0)
    bucket.take(100.0)
    assert bucket.take(50.0) > 0.0
    assert bucket.take(100.5) > 0.0


@given(
    gaps_s=st.lists(st.floats(0.0, 2.0), max_size=200),
    per_s=st.floats(0.1, 100.0),
    burst=st.floats(1.0, 50.0),
)
def test_never_more_than_burst_plus_rate(gaps_s: list[float], per_s: float, burst: float) -> None:
    bucket, now_s, taken = TokenBucket(Rate(per_s, burst), 0.0), 0.0, 0
    for gap_s in gaps_s:
        now_s += gap_s
        taken += bucket.take(now_s) == 0.0
    assert taken <= burst + per_s * now_s + 1e-6


def test_sixty_messages_a_second_against_thirty() -> None:
    bucket = TokenBucket(Rate(per_s=30.0, burst=60.0), 0.0)
    passed = sum(bucket.take(i / 60.0) == 0.0 for i in range(600))
    assert 355 <= passed <= 361


def test_keys_do_not_disturb_each_other_and_memory_is_bounded() -> None:
    limiter = KeyedLimiter(Rate(per_s=1.0, burst=1.0), max_keys=3)
    assert limiter.take("a", 0.0) == 0.0 and limiter.take("a", 0.0) > 0.0
    for key in ("b", "c", "a", "d"):
        limiter.take(key, 0.0)
    assert len(limiter) == 3
    assert limiter.take("a", 0.0) > 0.0, "the longest unused was forgotten, and that is b"
    assert limiter.take("b", 0.0) == 0.0


def test_a_rate_describes_itself() -> None:
    assert str(Rate(50.0, 200.0)) == "50 per second, 200 at once"
