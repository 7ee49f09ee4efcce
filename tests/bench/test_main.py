"""`python -m bench` finds the benches and puts their figures into one table."""

from pathlib import Path

import pytest

from bench.__main__ import benches, main, rows, table


def test_the_benches_are_found_by_their_goals(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("GOALS = ()\n", "utf-8")
    (tmp_path / "two.py").write_text("from typing import Final\nGOALS: Final = ()\n", "utf-8")
    (tmp_path / "helper.py").write_text("LIMITS = ()\n", "utf-8")
    assert benches(tmp_path) == ["one", "two"]
    assert {"response", "first_frame", "barge_in", "deadlines", "startup", "sync", "frame_cost"} <= set(benches())


def test_the_table_shows_goals_and_failures() -> None:
    goals = [
        {"key": "x_ms_p50", "goal": "≤ 6", "met": True},
        {"key": "r", "goal": "≥ 0.9", "met": False},
        {"key": "y", "goal": "≤ 1", "met": None},
    ]
    lines = table(rows({"cost": {"x_ms_p50": 5.25, "r": 0.5, "goals": goals}}, {"fanout": "no port"})).splitlines()
    assert lines[1].split() == ["cost", "x_ms_p50", "5.25", "≤", "6", "met"]
    assert lines[2].endswith("MISSED") and lines[3].endswith("not measured")
    plain = rows({"startup": {"bench": "startup", "n": 3, "cold_s": 9.5, "detail": {}, "goals": []}}, {})
    assert plain == [("startup", "cold_s", "9.5", "", "")]
    assert lines[4].startswith("fanout") and lines[4].endswith("FAILED: no port")


def test_an_unknown_bench_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "no such bench: nonsense" in capsys.readouterr().err
