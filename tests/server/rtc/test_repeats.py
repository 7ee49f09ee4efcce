"""What reports say about a path, and the budget for repeats."""

from server.rtc.repeats import PathView, RetransmitBudget


def test_repeats_stay_within_a_fifth() -> None:
    budget = RetransmitBudget()
    repeated_bytes = sum(1000 for sequence in range(1000) if budget.allows(sequence, 1000, 0.0, None))
    assert repeated_bytes == 30_000
    sent_bytes = 0
    for step in range(2000):
        budget.sent(1000)
        sent_bytes += 1000
        for sequence in range(3):
            repeated_bytes += 1000 if budget.allows(step * 10 + sequence, 1000, step * 0.01, 0.02) else 0
    assert repeated_bytes <= 30_000 + 0.2 * sent_bytes


def test_a_packet_is_repeated_once_per_round_trip() -> None:
    budget = RetransmitBudget()
    assert budget.allows(1, 100, 0.0, 0.2)
    assert not budget.allows(1, 100, 0.15, 0.2)
    assert budget.allows(1, 100, 0.17, 0.2)
    assert budget.allows(2, 100, 0.0, 0.001)
    assert not budget.allows(2, 100, 0.04, 0.001)
    assert budget.allows(2, 100, 0.06, 0.001)


def test_a_receiver_that_asks_for_what_it_has_leaves_room_for_what_others_lost() -> None:
    budget, repeated = RetransmitBudget(), [0, 0]
    for step in range(100):
        budget.sent(5 * 1000)
        # it is never content with the first packets, and loses another one every time
        repeated[0] += sum(budget.allows(sequence, 1000, 0.1 * step, None) for sequence in range(5))
        repeated[1] += budget.allows(1000 + step, 1000, 0.1 * step, None)
    assert repeated[0] == 5 * RetransmitBudget.MOST and repeated[1] == 100
    assert budget.allows(0, 1000, 100.0, None), "a number comes round after 65536 packets"


def test_path_is_strained_by_loss_or_a_grown_round_trip() -> None:
    path = PathView()
    seen = [path.strained]
    for fraction_lost, round_trip_s in ((0.0, 0.020), (0.05, None), (0.0, 0.055), (0.0, 0.065)):
        path.reported(fraction_lost, round_trip_s)
        seen.append(path.strained)
    assert seen == [True, False, True, False, True]


def test_pictures_are_doubled_on_a_long_path_that_loses() -> None:
    far, near, clean = PathView(), PathView(), PathView()
    assert not far.doubled
    for _ in range(5):
        far.reported(0.05, 0.2)
        near.reported(0.05, 0.03)
        clean.reported(0.0, 0.2)
    assert (far.doubled, near.doubled, clean.doubled) == (True, False, False)
    for _ in range(10):
        far.reported(0.0, 0.2)
    assert not far.doubled


def test_jitter_makes_a_path_rough_until_it_is_gone() -> None:
    path = PathView()
    seen = []
    for jitter_s in (0.002, 0.05, 0.05, 0.012, 0.009, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001):
        path.reported(0.0, 0.05, jitter_s)
        seen.append(path.rough)
    assert seen[0] is False and seen[1] is True and seen[4] is True and seen[-1] is False
    assert seen == sorted(seen[:2]) + sorted(seen[2:], reverse=True)
