"""Cost prediction and the ladder's hysteresis."""

from collections.abc import Callable

import pytest

from realtime.core.budget import RETRY_MOST_S, RETRY_S, CostModel, Ladder


def rung(ladder: Ladder) -> str:
    return ladder.rung


def test_what_was_never_tried_is_free() -> None:
    assert CostModel().predict_s("mouth", 10_000) == 0.0


def test_prediction_lies_between_mean_and_worst() -> None:
    costs = CostModel()
    for i in range(200):
        costs.observe("mouth", 10_000, 0.004 if i % 10 else 0.010)
    assert 0.004 < costs.predict_s("mouth", 10_000) < 0.012


def test_prediction_follows_a_slower_machine() -> None:
    costs = CostModel()
    for _ in range(50):
        costs.observe("mouth", 10_000, 0.002)
    before = costs.predict_s("mouth", 10_000)
    for _ in range(50):
        costs.observe("mouth", 10_000, 0.020)
    assert costs.predict_s("mouth", 10_000) > 5 * before


def test_sizes_are_told_apart() -> None:
    costs = CostModel()
    costs.observe("mouth", 1_000, 0.001)
    assert costs.predict_s("mouth", 100_000) == 0.0


def test_ladder_goes_down_after_late_frames_and_up_after_calm_ones() -> None:
    ladder = Ladder(best="warp", down_after=3, window=10, up_after=50)
    steps = [ladder.observe(0.05, 0.04, float(i)) for i in range(3)]
    assert steps[:2] == [None, None]
    assert steps[2] is not None and steps[2].down and rung(ladder) == "cached"
    for i in range(49):
        assert ladder.observe(0.005, 0.04, float(i)) is None
    step = ladder.observe(0.005, 0.04, 50.0)
    assert step is not None and not step.down and rung(ladder) == "warp"


def test_ladder_stays_between_its_ends() -> None:
    ladder = Ladder(best="warp")
    for i in range(200):
        ladder.observe(1.0, 0.04, float(i))
    assert rung(ladder) == "cached"
    for i in range(500):
        ladder.observe(0.0, 0.04, float(i))
    assert rung(ladder) == "warp"


def test_a_rare_late_frame_changes_nothing() -> None:
    ladder = Ladder(best="warp")
    assert all(ladder.observe(0.05 if i % 10 == 0 else 0.03, 0.04, float(i)) is None for i in range(300))


FRAME_S = 0.04


def asked(costs: CostModel, cost_s: Callable[[float], float], begin_s: float, end_s: float) -> list[float]:
    """When a step was taken by somebody who asks 25 times a second, and has 40 ms for it that take this long."""
    taken = []
    for frame in range(round(begin_s / FRAME_S), round(end_s / FRAME_S)):
        now_s = frame * FRAME_S
        if costs.worthwhile("base", 0, FRAME_S, now_s):
            costs.observe("base", 0, cost_s(now_s))
            taken.append(now_s)
    return taken


@pytest.mark.parametrize("hard_s", [0.05, 0.08, 0.15, 0.2])
def test_what_was_too_dear_is_taken_again_within_a_second_of_the_load(hard_s: float) -> None:
    costs = CostModel()
    asked(costs, lambda now_s: 0.005, 0.0, 2.0)
    taken = asked(costs, lambda now_s: hard_s if now_s < 12.0 else 0.005, 2.0, 20.0)
    under_load = [now_s for now_s in taken if 3.0 < now_s < 12.0]
    assert 0 < len(under_load) <= 10 and hard_s * len(under_load) <= 0.2 * 9.0, "a trial now and then"
    after = [now_s for now_s in taken if now_s >= 12.0]
    assert after[0] <= 13.0 + FRAME_S
    assert len(after) == round((20.0 - after[0]) / FRAME_S), "and always from then on"


def test_one_stall_stops_nothing_for_long() -> None:
    costs = CostModel()
    asked(costs, lambda now_s: 0.005, 0.0, 2.0)
    costs.observe("base", 0, 0.4)
    assert costs.predict_s("base", 0) > 2 * FRAME_S
    taken = asked(costs, lambda now_s: 0.005, 2.0, 4.0)
    assert taken[0] <= 2.0 + RETRY_S + FRAME_S and len(taken) >= 1.7 / FRAME_S


def test_costs_that_go_up_and_down_are_not_taken_at_every_turn() -> None:
    costs, turn = CostModel(), iter(range(10_000))
    taken = asked(costs, lambda now_s: 0.02 if next(turn) % 2 else 0.09, 0.0, 40.0)
    assert len([now_s for now_s in taken if now_s > 2.0]) <= 2 * 38 / RETRY_MOST_S


def test_trials_take_a_fifth_of_the_time_at_most() -> None:
    costs = CostModel()
    taken = asked(costs, lambda now_s: 1.5, 0.0, 100.0)
    assert 10 <= len(taken) <= 15


def test_what_is_too_late_already_is_no_trial() -> None:
    costs = CostModel()
    costs.observe("base", 0, 0.08)
    assert not costs.worthwhile("base", 0, 0.0, 5.0) and not costs.worthwhile("base", 0, -0.01, 6.0)
    assert costs.worthwhile("base", 0, 0.01, 6.0), "but the next one is"


def test_one_trial_serves_all_who_share_the_model() -> None:
    costs = CostModel()
    costs.observe("base", 0, 0.08)
    granted = [costs.worthwhile("base", 0, 0.03, 5.0 + 0.001 * session) for session in range(8)]
    assert granted == [True] + 7 * [False]


def test_what_is_unknown_is_taken_if_there_is_any_time() -> None:
    assert CostModel().worthwhile("base", 0, 0.0, 1.0) and not CostModel().worthwhile("base", 0, -0.001, 1.0)


def test_a_doubted_belief_gives_way_to_what_is_seen() -> None:
    costs = CostModel()
    for _ in range(9):
        costs.observe("mouth", 64, 0.3)
    costs.doubt("mouth", 64)
    costs.doubt("unknown", 64)
    costs.observe("mouth", 64, 0.01)
    assert costs.predict_s("mouth", 64) == 0.01 and costs.predict_s("unknown", 64) == 0.0
