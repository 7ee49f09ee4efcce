"""Keyframe gate, rate meter and bit rate governor."""

from server.media.feedback import BITRATE_MIN_BPS, BITRATE_START_BPS, BitrateGovernor, KeyframeGate, RateMeter


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


def test_new_viewer_does_not_wait() -> None:
    gate = KeyframeGate(0.3)
    gate.made(0.0)
    gate.joined()
    assert gate.due(0.01)


def test_meter_forgets_what_left_the_window() -> None:
    meter = RateMeter(window_s=2.0)
    for step in range(100):
        meter.add(step * 0.04, 1000)
    assert meter.rate_bps == 200_000
    meter.add(100.0, 0)
    assert meter.rate_bps == 0


def test_weakest_viewer_decides() -> None:
    governor = BitrateGovernor()
    assert governor.bitrate_bps == BITRATE_START_BPS
    governor.joined("a")
    governor.joined("b")
    governor.estimated("a", 1_500_000, sent_bps=500_000, strained=True)
    assert governor.bitrate_bps == BITRATE_START_BPS
    governor.estimated("b", 1_000_000, sent_bps=500_000, strained=True)
    assert governor.bitrate_bps == 800_000
    governor.estimated("b", 400_000, sent_bps=800_000, strained=True)
    assert governor.bitrate_bps == 320_000
    governor.left("b")
    assert governor.bitrate_bps == 1_200_000
    governor.left("a")
    assert governor.bitrate_bps == BITRATE_START_BPS


def test_idle_picture_does_not_talk_the_rate_down() -> None:
    governor = BitrateGovernor()
    governor.joined("a")
    governor.estimated("a", 240_000, sent_bps=160_000, strained=True)
    assert governor.bitrate_bps == BITRATE_START_BPS
    governor.estimated("a", 145_000, sent_bps=160_000, strained=True)
    assert governor.bitrate_bps == BITRATE_START_BPS
    governor.estimated("a", 20_000, sent_bps=30_000, strained=True)
    assert governor.bitrate_bps == BITRATE_START_BPS


def test_a_busy_receiver_on_a_free_path_is_not_congestion() -> None:
    governor = BitrateGovernor()
    governor.joined("a")
    governor.estimated("a", 150_000, sent_bps=500_000, strained=False)
    assert governor.bitrate_bps == BITRATE_START_BPS
    governor.estimated("a", 1_000_000, sent_bps=500_000, strained=False)
    assert governor.bitrate_bps == 800_000


def test_congestion_has_a_floor_and_a_ceiling() -> None:
    governor = BitrateGovernor(max_bps=1_000_000)
    governor.joined("a")
    governor.estimated("a", 0, sent_bps=500_000, strained=True)
    assert governor.bitrate_bps == BITRATE_MIN_BPS
    governor.estimated("a", 1 << 60, sent_bps=500_000, strained=True)
    assert governor.bitrate_bps == 1_000_000


def test_reports_of_loss_and_queues_lower_the_rate_at_once() -> None:
    governor = BitrateGovernor(max_bps=1_000_000)
    governor.joined("a")
    governor.reported("a", 0.05, sent_bps=500_000, queueing=False)
    assert governor.bitrate_bps == BITRATE_START_BPS
    governor.reported("a", 0.4, sent_bps=500_000, queueing=False)
    assert governor.bitrate_bps == 400_000
    governor.reported("a", 0.0, sent_bps=400_000, queueing=True)
    assert governor.bitrate_bps == 340_000
    # What was not in use cannot be what is too much.
    governor.reported("a", 0.2, sent_bps=300_000, queueing=False)
    assert governor.bitrate_bps == 270_000
    for _ in range(10):
        governor.reported("a", 1.0, sent_bps=300_000, queueing=True)
    assert governor.bitrate_bps == BITRATE_MIN_BPS
    governor.reported("ghost", 1.0, sent_bps=300_000, queueing=True)


def test_estimate_of_a_viewer_that_left_is_ignored() -> None:
    governor = BitrateGovernor()
    governor.estimated("ghost", 1000, sent_bps=500_000, strained=True)
    assert governor.bitrate_bps == BITRATE_START_BPS
