"""Event logs that were cut, edited or made up: played, or refused with an error of ours; nothing else comes out."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from realtime.core.errors import AnimaError, Malformed
from realtime.core.facs import Controls
from realtime.core.replay_forms import FORMS, LONGEST_S, checked
from realtime.core.replaying import Record
from realtime.core.values import Patch
from realtime.ports import Done, Refined
from realtime.replay import Player
from realtime.stock import Stock
from server.event_log import read_log
from tests.fakes import FlatAvatar

HEADER = {"anima_log": 1, "seed": 7, "avatar": "flat", "fps": 25}
SOUND: list[Record] = [
    {"do": "denoiser", "name": "kept", "seed": 1},
    {"do": "begun"},
    {"do": "speak", "phonemes": [["a", 0.0, 0.2, 1], ["m", 0.2, 0.3, 0]], "start_s": 0.1, "end_s": 0.5},
    {"do": "feel", "emotion": 1, "intensity": 0.5, "at_s": 0.1},
    {"do": "gesture", "name": "nod", "at_s": 0.2},
    {"do": "sample", "media_s": 0.2},
    {"do": "frame", "index": 0, "epoch": 0, "digest": "0", "call": 1},
    {"do": "refined", "call": 1, "steps": 1, "rounds": 1, "places": "f"},
    {"do": "look", "x": 0.1, "y": 0.0, "at_s": 0.2, "hold_s": 1.0},
    {"do": "interrupt", "now_s": 0.22},
    {"do": "sample", "media_s": 0.24},
    {"do": "frame", "index": 1, "epoch": 1, "digest": "0", "kept": ["lower"], "base_kept": True, "better": ["lower"]},
    {"do": "restaged"},
    {"do": "sample", "media_s": 0.28},
    {"do": "redrawn", "faults": ["lower"], "rung": "refine1"},
    {"do": "event", "kind": "UserSaid", "text": 4},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
"""Also what is no JSON though Python reads it: infinities, and what is no number."""
SMALL = st.floats(-2.0, 30.0) | st.integers(-2, 30)
"""Times over which a plan is quickly run."""


class Kept:
    """A denoiser that gives back what it got."""

    identity: dict[str, str | int] = {}  # noqa: RUF012  # a port's property

    def again(self, patches: Any, controls: Controls, done: Done) -> Refined:
        kept: tuple[Patch, ...] = tuple(patches)
        return Refined(kept, done.rounds, done)


def played(records: list[Any]) -> int:
    """How many frames came of it; errors of ours count as none."""
    try:
        return len(list(Player(1, Stock(FlatAvatar()), lambda record, avatar: Kept()).frames(records)))
    except AnimaError as error:
        assert str(error)
        return 0


def test_the_sound_log_is_played() -> None:
    assert played(SOUND) == 2


@given(st.lists(st.integers(0, len(SOUND) - 1), max_size=30))
@settings(max_examples=150, deadline=None)
def test_records_in_any_order(order: list[int]) -> None:
    played([SOUND[index] for index in order])


@given(st.integers(0, len(SOUND) - 1), st.data(), JSON | SMALL)
@settings(max_examples=400, deadline=None)
def test_a_field_is_something_else(at: int, data: st.DataObject, value: Any) -> None:
    name = data.draw(st.sampled_from(sorted(SOUND[at])) | st.text(max_size=6))
    changed = SOUND[at] | {name: value}
    if type(value) in (int, float) and not -2 <= value <= 30:
        value = min(30, max(-2, value)) if abs(value) <= LONGEST_S else value  # a plan runs through all time between
        changed |= {name: value}
    played([*SOUND[:at], changed, *SOUND[at + 1 :]])


@given(st.integers(0, len(SOUND) - 1), st.data())
@settings(max_examples=100, deadline=None)
def test_a_field_is_gone(at: int, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SOUND[at])))
    left = {key: value for key, value in SOUND[at].items() if key != name}
    played([*SOUND[:at], left, *SOUND[at + 1 :]])
    form = FORMS[SOUND[at]["do"]]
    if name == "do" or name in form:
        with pytest.raises(Malformed):
            checked(left)


@given(st.binary(max_size=200) | st.lists(JSON.map(json.dumps), max_size=4).map("\n".join).map(str.encode))
@example(b"[" * 100_000)
@example(json.dumps(HEADER).encode() + b"\n" + b'{"do":' * 50_000)
@example(json.dumps(HEADER).encode() + b"\n{" + b"9" * 5000 + b"}")
@example(b"\xff\xfe{}")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_files_of_anything(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(Malformed) as told:
        header, records = read_log(path)
        assert list(records) is None, header
    assert str(path) in str(told.value)


@given(st.sampled_from(sorted(HEADER)), JSON)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_first_line_with_something_else_in_it(tmp_path: Path, name: str, value: Any) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(HEADER | {name: value}) + "\n")
    try:
        header, _ = read_log(path)
    except Malformed as error:
        assert name == error.field
    else:
        assert 0 <= header["seed"] < 1 << 32 and header["anima_log"] == 1
