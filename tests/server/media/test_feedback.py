"""Keyframe gate, rate meter and a viewer's budget."""

from server.media.feedback import BITRATE_MIN_BPS, BITRATE_START_BPS, KeyframeGate, RateMeter, ViewerBudget


def test_requests_are_merged_and_spaced() -> None:
    gate = KeyframeGate(0.3)
    assert not gate.due(0.0)
    gate.request()
    gate.request()
    assert gate.due(0.0)
    gate.made(0.0)
    assert not gate.due(0.01)
    gate.request()
    assert not gate.due(0.2)
    assert gate.due(0.3)
    gate.made(0.3)
    assert not gate.due(10.0)


def test_new_viewers_wait_less_but_share_keyframes() -> None:
    gate = KeyframeGate(0.3, 0.12)
    gate.joined()
    assert gate.due(0.0)
    keyframes = 0
    for step in range(100):  # somebody joins every 10 ms
        gate.joined()
        if gate.due(step * 0.01):
            gate.made(step * 0.01)
            keyframes += 1
    assert keyframes == 9


def test_meter_forgets_what_left_the_window() -> None:
    meter = RateMeter(window_s=2.0)
    for step in range(100):
        meter.add(step * 0.04, 1000)
    assert meter.rate_bps == 200_000
    meter.add(100.0, 0)
    assert meter.rate_bps == 0


def test_estimates_raise_the_budget_and_congestion_lowers_it() -> None:
    budget = ViewerBudget()
    assert budget.bps == BITRATE_START_BPS
    budget.estimated(1_000_000, sent_bps=500_000, strained=True)
    assert budget.bps == 800_000
    budget.estimated(400_000, sent_bps=800_000, strained=True)
    assert budget.bps == 320_000


def test_idle_picture_does_not_talk_the_rate_down() -> None:
    budget = ViewerBudget()
    for estimate_bps, sent_bps in ((240_000, 160_000), (145_000, 160_000), (20_000, 30_000)):
        budget.estimated(estimate_bps, sent_bps=sent_bps, strained=True)
        assert budget.bps == BITRATE_START_BPS


def test_a_busy_receiver_on_a_free_path_is_not_congestion() -> None:
    budget = ViewerBudget()
    budget.estimated(150_000, sent_bps=500_000, strained=False)
    assert budget.bps == BITRATE_START_BPS
    budget.estimated(1_000_000, sent_bps=500_000, strained=False)
    assert budget.bps == 800_000


def test_congestion_has_a_floor_and_a_ceiling() -> None:
    budget = ViewerBudget(max_bps=1_000_000)
    budget.estimated(0, sent_bps=500_000, strained=True)
    assert budget.bps == BITRATE_MIN_BPS
    budget.estimated(1 << 60, sent_bps=500_000, strained=True)
    assert budget.bps == 1_000_000


def test_reports_of_loss_and_queues_lower_the_rate_at_once() -> None:
    budget = ViewerBudget(max_bps=1_000_000)
    budget.reported(0.05, sent_bps=500_000, queueing=False)
    assert budget.bps == BITRATE_START_BPS
    budget.reported(0.4, sent_bps=500_000, queueing=False)
    assert budget.bps == 400_000
    budget.reported(0.0, sent_bps=400_000, queueing=True)
    assert budget.bps == 340_000
    # What was not in use cannot be what is too much.
    budget.reported(0.2, sent_bps=300_000, queueing=False)
    assert budget.bps == 270_000
    for _ in range(10):
        budget.reported(1.0, sent_bps=300_000, queueing=True)
    assert budget.bps == BITRATE_MIN_BPS


def test_clean_reports_bring_a_viewer_back_to_where_it_began() -> None:
    budget = ViewerBudget()
    budget.reported(0.5, sent_bps=500_000, queueing=False)
    assert budget.bps == 375_000
    for _ in range(10):
        budget.reported(0.0, sent_bps=300_000, queueing=False)
    assert budget.bps == BITRATE_START_BPS


def test_a_measured_path_is_believed_and_reports_are_not_heard_beside_it() -> None:
    budget = ViewerBudget()
    budget.measured(366_000)
    assert budget.bps == 270_000
    budget.measured(366_000, copies=2)
    assert budget.bps == 135_000
    budget.reported(1.0, sent_bps=300_000, queueing=True)
    assert budget.bps == 135_000
