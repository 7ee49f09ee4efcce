"""Waits grow, are bounded, differ, and begin anew after a success."""

import random

from server.outputs.backoff import LONGEST_S, STEADY_S, Backoff


def test_waits() -> None:
    backoff = Backoff(random.Random(7))
    waits = [backoff.after(0.0) for _ in range(40)]
    for index, wait_s in enumerate(waits):
        whole_s = min(0.5 * 2.0**index, LONGEST_S)
        assert whole_s / 2 <= wait_s <= whole_s
    assert len(set(waits)) == 40, "many outputs do not come back at once"
    assert backoff.after(STEADY_S) <= 0.5
