"""Lateness and skew are counted from when units were due and came, and what never came is late."""

import math

import pytest

from bench.arrivals import Thinned, Watched, gaps_s, late_and_due, of_arrivals, skews_s, thinned
from bench.deadlines import Told, of_decisions, of_states, texts


def arrivals(interval_s: float, count: int, late_s: float) -> dict[float, float]:
    return {1000.0 + index * interval_s: late_s for index in range(count)}


def test_late_and_missing_units_count() -> None:
    units = arrivals(0.04, 100, 0.005)
    assert late_and_due(units, 0.04) == (0, 100, 0)
    units[1000.0 + 10 * 0.04] = 0.041
    del units[1000.0 + 20 * 0.04]
    assert late_and_due(units, 0.04) == (2, 100, 0)
    assert late_and_due({}, 0.04) == (0, 0, 0)


def test_skew_compares_the_same_media_time() -> None:
    pictures, sounds = arrivals(0.04, 10, 0.012), arrivals(0.02, 20, 0.002)
    assert skews_s(pictures, sounds) == pytest.approx([0.010] * 10)
    assert skews_s({1000.01: 0.0}, sounds) == []
    assert skews_s(pictures, {}) == []


def test_figures_of_all_viewers_are_joined() -> None:
    pictures, sounds = arrivals(0.04, 50, 0.012), arrivals(0.02, 100, 0.002)
    late = pictures | {1000.04: 0.3}
    found = of_arrivals([Watched(pictures, sounds), Watched(late, sounds)])
    assert found["units_due"] == 300
    assert found["late_ratio"] == pytest.approx(1 / 300, abs=1e-5)
    assert found["late_picture_ratio"] == 0.01 and found["late_sound_ratio"] == 0.0
    assert found["skew_ms_p50"] == pytest.approx(10.0) and found["skew_ms_p99"] > 10.0


def test_the_servers_counters_are_those_of_the_window() -> None:
    earlier = {"rungs": {"warp": 10}, "frames": 10, "late": 1, "skipped": 0, "steps_down": 0, "sound_late_ticks": 0}
    later = {"rungs": {"warp": 85, "cached": 25}, "frames": 110, "late": 3, "skipped": 1, "steps_down": 1}
    later |= {"sound_late_ticks": 2, "stages_ms": {}}
    found = of_states([earlier], [later])
    assert found["ladder"] == {"warp": 0.75, "cached": 0.25}
    assert found["server_frames"] == 100 and found["server_late"] == 2 and found["server_skipped"] == 1


def test_sessions_have_enough_to_say_and_say_it_at_different_times() -> None:
    first, second = texts(0, 60.0), texts(1, 60.0)
    assert sum(map(len, first)) >= 1500 and all(len(text) <= 5000 for text in first)
    assert first[0] != second[0] and first[0].split(". ", 1)[1].startswith(second[0][:40])


def rate(at_s: float, *, down: bool) -> dict[str, object]:
    return {"kind": "rate", "down": down, "at_s": at_s}


def test_pictures_of_a_rate_given_up_are_neither_late_nor_due_and_promised_ones_are() -> None:
    pictures = arrivals(0.04, 100, 0.005)
    for index in range(21, 60, 2):
        del pictures[1000.0 + index * 0.04]
    thin = thinned({"decisions": [rate(20.81, down=True), rate(22.39, down=False)]}, zero_s=980.0)
    assert thin.spans == ((1000.81, 1002.39),)
    assert late_and_due(pictures, 0.04, thin) == (0, 80, 20)
    assert late_and_due(pictures, 0.04) == (20, 100, 0)
    del pictures[1000.0 + 30 * 0.04]
    del pictures[1000.0 + 71 * 0.04]
    assert late_and_due(pictures, 0.04, thin) == (2, 80, 20), "promised in both"
    found = of_arrivals([Watched(pictures, {}, thin)])
    assert found["rate_given_up_ratio"] == 0.2 and found["late_picture_ratio"] == 0.025
    assert found["picture_gap_ms_max"] == pytest.approx(160.0)


def test_a_rate_that_was_never_given_up_promises_every_picture() -> None:
    assert Thinned().promised(1.04) and thinned({"decisions": []}, 0.0).promised(3.0)
    assert not thinned({"decisions": [rate(1.0, down=True)]}, 0.0).promised(2.04)


def test_gaps_are_between_comings() -> None:
    assert gaps_s({1.0: 0.0, 1.04: 0.02, 1.08: 0.0}) == pytest.approx([0.06, 0.02])


def test_steps_are_told_on_the_wall_clock() -> None:
    def state(*steps: dict[str, object], rung: str = "warp", every: int = 1) -> dict[str, object]:
        return {"decisions": list(steps), "rung": rung, "best": "warp", "every": every, "clock_s": 4.0}

    def step(at_s: float, rung: str, kind: str = "ladder") -> dict[str, object]:
        return {"kind": kind, "rung": rung, "at_s": at_s}

    def found(before: dict[str, object], *steps: dict[str, object]) -> tuple[object, ...]:
        told = [Told(before, 1000.0), Told(state(), 1000.0)]
        got = of_decisions(told, [state(*steps), state()], 1005.0, 1015.0)
        names = "sessions_down", "down_ms_max", "first_back_s_max", "back_s_max", "low_before"
        return tuple(got[f"overload_{name}"] for name in names)

    old, path = step(3.0, "cached"), step(5.01, "small", "path")
    down, up = step(5.15, "cached"), step(17.5, "warp")
    assert found(state(), old, path, down, up) == (1, 150.0, 2.5, 2.5, 0)
    assert found(state(), down) == (1, 150.0, math.inf, math.inf, 0), "it never came back"
    again = step(17.9, "cached"), step(19.0, "warp")
    assert found(state(), down, up, *again) == (1, 150.0, 2.5, 4.0, 0), "it came back, and then for good"
    half, whole = step(5.2, "every 2", "rate"), step(16.0, "every 1", "rate")
    assert found(state(), down, half, whole, up) == (1, 150.0, 2.5, 2.5, 0), "at its best in both"
    low = state(rung="cached")
    assert found(low, step(16.0, "warp")) == (0, None, 1.0, 1.0, 1), "it did less than its best all the time"
    assert found(low, up, *again) == (0, None, 2.5, 4.0, 1), "what it does after the end is another matter"
    assert found(low, step(5.1, "warp"), step(8.0, "cached"), up) == (1, 3000.0, 2.5, 2.5, 1), "it rose first"
    assert found(state(), step(4.5, "cached"), up) == (0, None, 2.5, 2.5, 1), "it fell before the hog came"
    assert found(state()) == (0, None, 0.0, 0.0, 0)
