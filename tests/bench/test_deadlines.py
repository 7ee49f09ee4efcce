"""Lateness and skew are counted from when units were due and came, and what never came is late."""

import pytest

from bench.deadlines import late_and_due, of_arrivals, of_states, skews_s, texts


def arrivals(interval_s: float, count: int, late_s: float) -> dict[float, float]:
    return {1000.0 + index * interval_s: late_s for index in range(count)}


def test_late_and_missing_units_count() -> None:
    units = arrivals(0.04, 100, 0.005)
    assert late_and_due(units, 0.04) == (0, 100)
    units[1000.0 + 10 * 0.04] = 0.041
    del units[1000.0 + 20 * 0.04]
    assert late_and_due(units, 0.04) == (2, 100)
    assert late_and_due({}, 0.04) == (0, 0)


def test_skew_compares_the_same_media_time() -> None:
    pictures, sounds = arrivals(0.04, 10, 0.012), arrivals(0.02, 20, 0.002)
    assert skews_s(pictures, sounds) == pytest.approx([0.010] * 10)
    assert skews_s({1000.01: 0.0}, sounds) == []
    assert skews_s(pictures, {}) == []


def test_figures_of_all_viewers_are_joined() -> None:
    pictures, sounds = arrivals(0.04, 50, 0.012), arrivals(0.02, 100, 0.002)
    late = pictures | {1000.04: 0.3}
    found = of_arrivals([(pictures, sounds), (late, sounds)])
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
