"""Rules of what is kept on disk, on traces whose outcome is known."""

import json
from pathlib import Path

import pytest

from bench.shelf import CONTROL, FRAME_BYTES, IN_USE, RULES, Fifo, Lru, Want, compared, follow, traces
from realtime.core.keeping import APART
from realtime.core.replaying import VERSION, RecordedPlan
from realtime.core.values import BaseKey
from realtime.shelf import WRITTEN_PER_H

NOTHING: frozenset[BaseKey] = frozenset()


def passing(count: int, begin: int = 0) -> list[Want]:
    """Poses that are met once, 25 a second."""
    return [(0.04 * i, (1, begin + i)) for i in range(count)]


def loop(rounds: int, length: int) -> list[Want]:
    """Poses that come round."""
    return [(0.04 * i, (2, i % length)) for i in range(rounds * length)]


def test_what_is_met_once_is_written_by_the_control_only() -> None:
    trace = passing(1000)
    control, used = (follow(trace, RULES[name], 100 * FRAME_BYTES, NOTHING) for name in (CONTROL, IN_USE))
    assert (control.drawn, control.written) == (1000, 1000) and (used.drawn, used.written) == (1000, 0)
    assert used.frames == 1000 and used.minutes == pytest.approx(999 * 0.04 / 60)


def test_what_comes_round_is_written_once_and_survives_a_start() -> None:
    length = APART + 50
    found = follow(loop(6, length), RULES[IN_USE], 2 * length * FRAME_BYTES, NOTHING)
    assert (found.drawn, found.written) == (length, length), "the second start, after three rounds, draws nothing"


def test_a_disk_is_written_to_no_more_than_it_bears() -> None:
    most, length = 40, APART + 500
    found = follow(loop(8, length), RULES[IN_USE], most * FRAME_BYTES, NOTHING)
    free = follow(loop(8, length), RULES["again sieve"], most * FRAME_BYTES, NOTHING)
    assert found.written <= most + 2 * WRITTEN_PER_H * most + 1 < free.written


def test_the_pack_is_ready() -> None:
    assert follow(passing(100), RULES[CONTROL], FRAME_BYTES, frozenset(key for _, key in passing(90))).drawn == 10


def test_the_controls_let_go_of_what_they_say() -> None:
    fifo, lru = Fifo(), Lru()
    for order in (fifo, lru):
        for key in ((1,), (2,), (3,)):
            order.add(key)
        order.use((1,))
    assert (fifo.evict(), lru.evict()) == ((1,), (2,))


def log_of(path: Path, avatar: str) -> None:
    """The log of a session that speaks for two seconds."""
    records: list[dict[str, object]] = []
    plan = RecordedPlan(3, records.append)
    plan.gesture("wave", 0.5)
    for frame in range(50):
        plan.sample(0.04 * frame)
    header = {"anima_log": VERSION, "build": "0", "seed": 3, "avatar": avatar}
    path.write_text("\n".join(map(json.dumps, [header, *records])) + "\n")


def test_logs_tell_what_was_wanted(tmp_path: Path) -> None:
    for name, avatar in (("a", "mei"), ("b", "mei"), ("c", "somebody-s-portrait")):
        log_of(tmp_path / f"{name}.jsonl", avatar)
    found = traces(sorted(tmp_path.glob("*.jsonl")))
    assert found.keys() == {"mei"} and len(found["mei"]) == 100
    assert [at_s for at_s, _ in found["mei"]] == sorted(at_s for at_s, _ in found["mei"])
    figures = compared(found)
    assert figures["frames"] == 100 and figures["drawn_ratio"] <= 1.0
    assert set(figures["rules"]) == set(RULES)
