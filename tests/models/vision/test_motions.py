"""Recorded primitives: kept, checked, listed, removed, and played like those that come with Anima."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.vision.motion_file import Motion, read, write
from models.vision.motions import Motions
from realtime.core import clips
from realtime.core.errors import Conflict, InvalidField, NotFound, PackError
from realtime.core.plan import Plan
from realtime.core.script import parse_script

BOW = Motion(
    "my_bow", "gesture", {"pitch": (0.0, 4.0, 12.0, 15.0, 12.0, 4.0, 0.0), "AU12": (0.0, 0.2, 0.4, 0.4, 0.2, 0.1, 0.0)}
)
WAVES = tuple(round(5 * float(np.sin(2 * np.pi * i / 100)), 4) + 0.0 for i in range(100))
SWAY = Motion("sway", "loop", {"yaw": (*WAVES, WAVES[0]), "roll": (3.0,) * 101})


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    before = dict(clips._LIBRARY)
    yield
    clips._LIBRARY.clear()
    clips._LIBRARY.update(before)


def test_a_file_gives_the_motion_again(tmp_path: Path) -> None:
    write(BOW, tmp_path / "my_bow.json")
    again = read(tmp_path / "my_bow.json")
    assert (again.name, again.kind, dict(again.tracks)) == (BOW.name, BOW.kind, dict(BOW.tracks))
    assert (tmp_path / "my_bow.json").stat().st_size < 1000
    assert [path.name for path in tmp_path.iterdir()] == ["my_bow.json"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "x"}, "does not describe"),
        ({"format": 2}, "format 2"),
        ({"type": "dance"}, "no type"),
        ({"tracks": {}}, "no tracks"),
        ({"tracks": {"wings": [0, 1, 0]}}, "no control"),
        ({"tracks": {"pitch": [0, 90, 0]}}, "outside -20 to 20"),
        ({"tracks": {"pitch": [0, "a", 0]}}, "holds 'a'"),
        ({"tracks": {"pitch": [0, float("nan"), 0]}}, "holds nan"),
        ({"tracks": {"pitch": [0, 0]}}, "has not 3"),
        ({"tracks": {"pitch": [0, 1, 0], "yaw": [0, 1, 1, 0]}}, "differ in length"),
        ({"tracks": {"pitch": [0, 1, 2]}}, "cannot be played"),
        ({"name": "../up"}, "cannot be played"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    write(BOW, tmp_path / "my_bow.json")
    content = json.loads((tmp_path / "my_bow.json").read_text("utf-8")) | change
    (tmp_path / "my_bow.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(PackError, match=reason):
        read(tmp_path / "my_bow.json")
    assert Motions(tmp_path).all() == {}


def test_a_gesture_is_cued_and_scripted_like_any_other(tmp_path: Path) -> None:
    place = Motions(tmp_path)
    place.keep(BOW)
    assert "my_bow" not in clips.GESTURES
    assert place.learn() == ["my_bow"]
    assert "my_bow" in clips.GESTURES and "my_bow" in list(clips.GESTURES)
    assert parse_script("Hello [my_bow] there.", gestures=clips.GESTURES).beats
    plan = Plan(seed=1)
    assert plan.gesture("my_bow", 1.0) == ("my_bow",)
    pitches = [plan.sample(i * 0.04).controls["pitch"] for i in range(60)]
    assert max(pitches[25:34]) > 12.0 and abs(pitches[-1]) < 3.0


def test_a_loop_takes_the_place_of_the_body_s_loop_or_is_played_once(tmp_path: Path) -> None:
    place = Motions(tmp_path)
    place.keep(SWAY)
    place.keep(Motion("idle", "loop", SWAY.tracks))
    assert set(place.learn()) == {"sway", "idle"}
    once = clips.primitive("sway")
    assert once.kind == "gesture" and float(np.abs(once.offsets(0.0)).max()) == 0.0
    assert clips.primitive("idle").kind == "loop" and "idle" not in clips.GESTURES
    assert Plan(seed=1).sample(1.0).controls["roll"] == pytest.approx(3.0, abs=0.2)


def test_what_comes_with_anima_keeps_its_name(tmp_path: Path) -> None:
    place = Motions(tmp_path)
    place.keep(Motion("nod", "gesture", BOW.tracks))
    assert place.learn() == []
    with pytest.raises(Conflict):
        clips.learn(Motion("wave", "gesture", BOW.tracks).primitive())


def test_it_is_listed_inspected_and_removed(tmp_path: Path) -> None:
    place = Motions(tmp_path)
    place.keep(BOW)
    with pytest.raises(Conflict, match="already"):
        place.keep(BOW)
    place.keep(BOW, replace=True)
    about = place.inspect("my_bow")
    assert about["tracks"]["pitch"] == [0.0, 15.0] and about["duration_s"] == 0.24
    assert place.remove("my_bow") == tmp_path / "my_bow.json"
    for ask in (place.inspect, place.remove):
        with pytest.raises(NotFound, match="there are: none"):
            ask("my_bow")


def test_names() -> None:
    with pytest.raises(InvalidField):
        Motion("Bow!", "gesture", BOW.tracks)
