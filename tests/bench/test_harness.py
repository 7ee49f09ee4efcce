"""Published figures: percentiles, goals, the options of a bench and its JSON."""

import json
from pathlib import Path

import pytest

from bench.harness import Goal, Option, Result, command, percentiles


def test_percentiles_carry_their_key() -> None:
    assert percentiles([float(value) for value in range(101)], "x_ms") == {
        "x_ms_p50": 50.0,
        "x_ms_p95": 95.0,
        "x_ms_p99": 99.0,
    }
    assert percentiles([], "x_ms") == {}


def test_a_goal_is_met_missed_or_not_measured() -> None:
    assert Goal("a", most=2.0).met({"a": 2.0}) is True
    assert Goal("a", most=2.0).met({"a": 2.1}) is False
    assert Goal("a", least=2.0).met({"a": 1}) is False
    assert Goal("a", least=2.0).met({}) is None


def test_a_bench_takes_its_options_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def measure(n: int, scene: str, workers: int) -> Result:
        return {"took_ms_p50": float(n * workers), "detail": {"scene": scene}}

    target = tmp_path / "deep" / "x.json"
    options = (Option("scene", "", "a scene"), Option("workers", 2, "processes"))
    argv = ["--n", "3", "--workers", "4", "--json", str(target)]
    assert command("x", measure, [Goal("took_ms_p50", most=10.0)], n=9, options=options, argv=argv) == 0
    written = json.loads(target.read_text("utf-8"))
    assert written["bench"] == "x" and written["n"] == 3 and written["workers"] == 4 and written["device"]
    assert written["took_ms_p50"] == 12.0
    assert written["goals"] == [{"key": "took_ms_p50", "goal": "≤ 10", "met": False}]
    assert "MISSED" in capsys.readouterr().out
