"""Frames on media time: numbered, skipped when late, never queued."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.pacing import FramePacer


def test_in_time_every_frame_is_due_once() -> None:
    pacer = FramePacer(25)
    assert [pacer.next(i * 0.04 + 0.001).index for i in range(5)] == [0, 1, 2, 3, 4]


def test_a_late_frame_is_skipped() -> None:
    pacer = FramePacer(25)
    pacer.next(0.0)
    due = pacer.next(0.21)
    assert (due.index, due.skipped) == (5, 4)


def test_starting_late_skips_nothing() -> None:
    due = FramePacer(25).next(100.0)
    assert due.index == 2500 and due.skipped == 0


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=50))
def test_media_time_rises_and_is_never_more_than_a_period_behind(steps: list[float]) -> None:
    pacer = FramePacer(25)
    now_s, last = 0.0, -1.0
    for step in steps:
        now_s += step
        due = pacer.next(now_s)
        assert due.media_s > last
        assert due.media_s > now_s - pacer.period_s - 1e-6
        last = due.media_s
