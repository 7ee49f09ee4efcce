"""A picture's skew is against the sound that was really sent; what would be too late is neither begun nor shown."""

import pytest

from realtime.core.punctual import BEGUN_LATEST_S, SENDING_S, SKEW_MAX_S, Punctuality


def sounding(until_tick: int, late_s: float = 0.0) -> Punctuality:
    found = Punctuality()
    for tick in range(until_tick + 1):
        found.sounded(tick, 0.02 * tick + late_s)
    return found


def test_skew_is_against_the_sound_as_it_left() -> None:
    assert sounding(100).behind_s(1.0, 1.03) == pytest.approx(0.03)
    assert sounding(100, late_s=0.025).behind_s(1.0, 1.03) == pytest.approx(0.005)
    assert sounding(100).behind_s(1.0, 0.99) == pytest.approx(-0.01)


def test_a_picture_whose_sound_has_yet_to_leave_is_not_behind_it() -> None:
    assert sounding(48).behind_s(1.0, 1.05) == 0.0
    assert sounding(48).behind_s(1.0, 1.07) == pytest.approx(0.07), "sound that late is given up"


def test_without_sound_media_time_counts() -> None:
    assert Punctuality().behind_s(1.0, 1.03) == pytest.approx(0.03)
    skipped = sounding(40)
    skipped.sounded(60, 1.2)
    assert skipped.behind_s(1.0, 1.25) == pytest.approx(0.25)


def test_what_would_come_too_late_is_not_begun() -> None:
    one = sounding(100)
    assert one.may_begin(1.0, 1.0 + BEGUN_LATEST_S - 1e-6) and not one.may_begin(1.0, 1.0 + BEGUN_LATEST_S + 1e-6)
    one.encoded(0.030)
    assert one.may_begin(1.0, 1.004) and not one.may_begin(1.0, 1.006)
    for _ in range(2):
        one.left_out()
    assert one.may_begin(1.0, 1.02), "a long encoding must not stop the picture"


def test_nothing_leaves_beyond_the_bound() -> None:
    one = sounding(100)
    assert one.may_leave(1.0, 1.0 + SKEW_MAX_S - SENDING_S - 1e-6) and not one.may_leave(1.0, 1.0 + SKEW_MAX_S)


def test_a_picture_on_another_clock_is_shown() -> None:
    one = sounding(10)
    assert one.may_begin(0.0, 5000.0) and one.may_leave(0.0, 5000.0)


def test_little_is_remembered() -> None:
    one = sounding(10_000)
    assert len(one._left) <= 100
