"""The frame rate and the encodings: what is decided, when, and what record is left of it."""

import pytest

from realtime.core.budget import LADDER, Ladder
from realtime.core.governor import RUNGS, RateGovernor, every_of, path_step


def test_frames_are_made_for_the_path_that_carries_most() -> None:
    high, low, small = RUNGS
    assert every_of([]) == 1
    assert every_of([small]) == 2 and every_of([small, low, high]) == 1


def test_the_rate_follows_ladder_and_paths_and_tells_only_news() -> None:
    governor = RateGovernor()
    assert governor.decide(1, 1, 0.0) is None
    down = governor.decide(2, 1, 1.0)
    assert down is not None and down.down and down.kind == "rate" and "processor" in down.reason
    assert governor.every == 2 and governor.decide(2, 2, 2.0) is None
    assert governor.decide(1, 2, 3.0) is None, "a path that carries no more keeps it down"
    up = governor.decide(1, 1, 4.0)
    assert up is not None and not up.down and governor.every == 1


def test_a_change_of_encoding_is_recorded() -> None:
    high, low, _ = RUNGS
    step = path_step(high, low, 210_500, 3.0)
    assert (step.kind, step.rung, step.down, step.at_s) == ("path", "low", True, 3.0)
    assert "210 kb/s" in step.reason
    assert not path_step(low, high, 900_000, 4.0).down


def test_half_the_frames_are_below_the_ladder_and_take_more_evidence() -> None:
    ladder = Ladder()
    steps = [ladder.observe(0.01, 0.04, i * 0.04, late_s=0.03) for i in range(9)]
    assert [i for i, step in enumerate(steps) if step is not None] == [2, 8]
    assert ladder.rung == LADDER[-1] and ladder.every == 2
    assert all(ladder.observe(0.01, 0.04, 1.0, late_s=0.03) is None for _ in range(30)), "there is nothing below"


@pytest.mark.parametrize("overload_frames", [3, 9, 250])
def test_the_ladder_is_down_within_200_ms_and_back_within_3_s(overload_frames: int) -> None:
    ladder, now_s, downs = Ladder(), 0.0, []
    for _ in range(overload_frames):
        step = ladder.observe(0.05, 0.04, now_s)
        downs += [now_s] if step is not None and step.down else []
        now_s += 0.04 * ladder.every
    over_s = now_s
    while ladder.rung != ladder.best or ladder.every > 1:
        ladder.observe(0.008, 0.04, now_s)
        now_s += 0.04 * ladder.every
    assert downs[0] <= 0.2 and now_s - over_s <= 3.0


def test_a_load_that_only_the_lower_rung_carries_does_not_make_the_ladder_swing() -> None:
    ladder, steps = Ladder(), 0
    for i in range(2500):
        steps += ladder.observe(0.05 if ladder.rung == "warp" else 0.012, 0.04, i * 0.04) is not None
    assert steps <= 2500 / 25, "a step up that does not hold makes the next one wait"
