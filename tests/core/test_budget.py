"""Cost prediction and the ladder's hysteresis."""

from realtime.core.budget import CostModel, Ladder, affordable


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


def test_affordable() -> None:
    assert affordable(0.01, 1.0, 1.02)
    assert not affordable(0.03, 1.0, 1.02)


def test_what_was_learnt_in_a_bad_moment_is_tried_again_and_forgotten() -> None:
    costs, taken = CostModel(), []
    for _ in range(20):
        costs.observe("base", 0, 0.08)
    for frame in range(500):
        if affordable(costs.predict_s("base", 0), 0.0, 0.04):
            costs.observe("base", 0, 0.005)
            taken.append(frame)
        else:
            costs.passed_over("base", 0)
    assert 50 < taken[0] < 100 and taken == list(range(taken[0], 500)), "seconds later, and from then on always"


def test_what_stays_too_dear_is_tried_seldom() -> None:
    costs, taken = CostModel(), 0
    for _ in range(2000):
        if affordable(costs.predict_s("base", 0), 0.0, 0.04):
            costs.observe("base", 0, 0.08)
            taken += 1
        else:
            costs.passed_over("base", 0)
    assert 2 <= taken <= 40


def test_what_is_unknown_stays_so_when_it_is_passed_over() -> None:
    costs = CostModel()
    costs.passed_over("base", 0)
    assert costs.predict_s("base", 0) == 0.0
