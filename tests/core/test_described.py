"""Motion tags and cues in free words: found above the threshold, refused or dropped below it."""

import json

import pytest

from realtime.core import wire
from realtime.core.described import Described, NearMotion
from realtime.core.errors import InvalidField, TooLarge
from realtime.core.script import Gesture, Say, parse_script

KNOWN = {"greets everybody": NearMotion("greet", 0.97), "clap": NearMotion("celebrate", 0.9)}


def search(text: str) -> list[NearMotion]:
    return [NearMotion("think", 0.99), KNOWN.get(text, NearMotion("nod", 0.41))]


def read(text: str, strict: bool) -> tuple[object, ...]:
    return parse_script(text, gestures={"wave"}, strict=strict, described=Described(search)).beats


@pytest.mark.parametrize(
    "tag", ["[motion: greets everybody]", "[ Motion :greets everybody ]", "[动作：greets everybody]"]
)
def test_a_motion_tag_becomes_its_gesture(tag: str) -> None:
    for strict in (True, False):
        assert read(f"{tag} Hello.", strict) == (Gesture("greet"), Say("Hello.", "en"))


def test_a_motion_tag_that_nothing_fits_is_an_error_or_dropped() -> None:
    with pytest.raises(InvalidField, match=r"nearest: nod 0\.41") as raised:
        read("[motion: plays chess] Hello.", True)
    assert raised.value.field == "text" and "0.88" in (raised.value.limit or "")
    script = parse_script("[motion: plays chess] Hello.", gestures=(), strict=False, described=Described(search))
    assert script.beats == (Say("Hello.", "en"),)
    assert (script.dropped, script.unknown) == (1, ("[motion: plays chess]",))


def test_a_models_unknown_word_is_taken_for_a_description_and_a_persons_is_an_error() -> None:
    assert read("[clap] Well done.", False)[0] == Gesture("celebrate")
    with pytest.raises(InvalidField, match=r"no tag \[clap\]"):
        read("[clap] Well done.", True)
    assert parse_script("[clap] Well done.", gestures=(), strict=False).dropped == 1


def test_tags_that_are_known_are_never_searched() -> None:
    described = Described(search)
    parse_script("[wave] [happy] [pause:1] Hi.", gestures={"wave"}, strict=False, described=described)
    assert (described.found, described.refused) == (0, 0)


def cue(**d: object) -> str:
    message = {"t": "cue", "d": d}
    return json.dumps({"label": "rtvi-ai", "type": "client-message", "id": "1", "data": message})


def test_a_cue_may_describe_its_motion() -> None:
    message = wire.parse(cue(motion=" greets everybody "))
    assert isinstance(message, wire.Cue) and message.motion == "greets everybody" and message.gesture is None
    with pytest.raises(InvalidField) as both:
        wire.parse(cue(motion="nods", gesture="nod"))
    assert both.value.field == "data.d.motion"
    with pytest.raises(TooLarge):
        wire.parse(cue(motion="x" * 201))
    with pytest.raises(InvalidField):
        wire.parse(cue(motion=""))
