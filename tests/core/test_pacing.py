"""Frames on media time: numbered, skipped when late, never queued."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.pacing import LEAD_MOST_S, LEAD_SHARE, FramePacer, Lead, spread


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


def test_a_frame_is_begun_ahead_and_keeps_its_media_time() -> None:
    pacer = FramePacer(25)
    pacer.next(0.0, 0.02)
    due = pacer.next(0.001, 0.02)
    assert (due.index, due.media_s) == (1, 0.04)
    assert abs(due.begin_s - 0.02) < 1e-9 and abs(due.deadline_s - 0.06) < 1e-9


def test_a_frame_may_be_made_again() -> None:
    pacer = FramePacer(25)
    first = pacer.next(0.0, 0.02)
    pacer.again()
    again = pacer.next(0.01, 0.02)
    assert (again.index, again.begin_s, again.skipped) == (first.index, 0.01, 0)
    assert pacer.next(0.012, 0.02).index == first.index + 1


def test_every_other_frame_is_no_skipped_frame() -> None:
    pacer = FramePacer(25)
    found = [pacer.next(i * 0.08, 0.01, every=2) for i in range(4)]
    assert [due.index for due in found] == [0, 2, 4, 6] and not any(due.skipped for due in found)


def test_a_clock_that_jumps_ahead_skips_and_goes_on() -> None:
    pacer = FramePacer(25)
    pacer.next(0.0)
    due = pacer.next(3600.0, 0.02)
    assert due.skipped > 89_000 and 3600.0 - 0.04 <= due.media_s <= 3600.04
    assert pacer.next(3600.02, 0.02).index == due.index + 1


@given(st.lists(st.floats(0, 5), max_size=60))
def test_the_lead_is_bounded_whatever_was_measured(works_s: list[float]) -> None:
    lead = Lead()
    for work_s in works_s:
        lead.observe("speaking", work_s)
    assert 0.0 <= lead.of(("speaking", "encode")) <= LEAD_MOST_S


@given(st.lists(st.floats(0, 0.038), min_size=5, max_size=60), st.lists(st.floats(0, 5), max_size=2))
def test_a_few_stalls_do_not_move_the_lead_beyond_the_interval(works_s: list[float], stalls_s: list[float]) -> None:
    lead = Lead()
    for work_s in [*works_s, *stalls_s]:
        lead.observe("speaking", work_s)
    assert lead.of(("speaking", "encode")) <= LEAD_SHARE * 0.04


def test_frames_that_take_longer_than_their_interval_are_few_and_in_time() -> None:
    lead, pacer, now_s = Lead(), FramePacer(25), 0.0
    behind_s, indices = [], []
    for _ in range(60):
        due = pacer.next(now_s, lead.of(("speaking",)))
        now_s = max(now_s, due.begin_s) + 0.09
        lead.observe("speaking", 0.09)
        behind_s.append(now_s - due.media_s)
        indices.append(due.index)
        now_s = max(now_s, due.media_s)
    assert max(behind_s[5:]) <= 0.03, "what is later is not shown"
    assert {b - a for a, b in zip(indices[5:], indices[6:], strict=False)} <= {2, 3}, "and none is waited for"


@given(st.floats(0.0, 0.2), st.floats(0.0, 3.0))
def test_a_deadline_is_never_before_the_media_time(lead_s: float, now_s: float) -> None:
    due = FramePacer(25).next(now_s, lead_s, every=2)
    assert due.deadline_s >= due.media_s and due.begin_s >= now_s


def test_the_lead_is_what_most_frames_take_of_all_their_parts() -> None:
    lead = Lead()
    for i in range(200):
        lead.observe("speaking", 0.010 + 0.002 * (i % 2))
        lead.observe("encode", 0.003)
    assert 0.014 <= lead.of(("speaking", "encode")) <= 0.020
    assert lead.of(("quiet",)) < 0.004, "kinds are told apart"


@given(st.lists(st.floats(0, 1000), max_size=7), st.floats(1001, 2000))
def test_a_new_session_falls_into_the_widest_gap(begun_s: list[float], now_s: float) -> None:
    at_s = spread(begun_s, now_s)
    assert now_s - 0.04 <= at_s <= now_s
    apart = [abs((at_s - other + 0.02) % 0.04 - 0.02) for other in begun_s]
    assert min(apart, default=0.04) >= 0.5 * 0.04 / max(1, len(begun_s)) - 1e-6


def test_eight_sessions_lie_five_milliseconds_apart() -> None:
    begun_s: list[float] = []
    for _ in range(8):
        begun_s.append(spread(begun_s, 100.0))
    phases = sorted(at_s % 0.04 for at_s in begun_s)
    assert all(abs(b - a - 0.005) < 1e-6 for a, b in zip(phases, phases[1:], strict=False))
