"""Structured prompts: ranges, advice, digests and versions, and every kind of bad field."""

from typing import Any

import pytest

from realtime.core.errors import InvalidField
from realtime.core.prompting import PARTS, Versions, advise, read_prompt

FULL = {
    "subject": "a violinist in a red dress",
    "style": "oil painting",
    "action": "plays with closed eyes",
    "environment": "an empty station at dawn",
    "camera": "medium shot, slow push in",
    "colour": "red and pale blue",
    "audience": "adults",
    "negative_prompt": ["text", "extra fingers"],
    "parameters": {
        "duration": 8.5, "resolution": "1920x1080", "frame_rate": 30, "style_template": "cinematic", "seed": 7,
        "temperature": 0.5, "top_p": 0.8, "enable_audio": False, "language": "zh-CN",
    },
}  # fmt: skip


def test_a_full_prompt_is_read_and_rendered_in_order() -> None:
    prompt = read_prompt(FULL)
    assert prompt.text == ", ".join(str(FULL[name]) for name in PARTS)
    assert prompt.parameters.resolution == (1920, 1080) and prompt.parameters.duration_s == 8.5
    assert prompt.negative == ("text", "extra fingers") and advise(prompt) == []


def test_defaults_are_the_tables() -> None:
    parameters = read_prompt({"subject": "a lamp"}).parameters
    assert (parameters.temperature, parameters.top_p, parameters.enable_audio) == (0.7, 0.9, True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"subject": "x" * 400}, "subject"),
        ({"mood": "sad"}, "mood"),
        ({"negative_prompt": [1, [2]]}, "negative_prompt[1]"),
        ({"parameters": []}, "parameters"),
        ({"parameters": {"duration": 0}}, "parameters.duration"),
        ({"parameters": {"duration": float("nan")}}, "parameters.duration"),
        ({"parameters": {"resolution": "1920*1080"}}, "parameters.resolution"),
        ({"parameters": {"resolution": "1921x1080"}}, "parameters.resolution"),
        ({"parameters": {"resolution": "9999x9999"}}, "parameters.resolution"),
        ({"parameters": {"frame_rate": 29.97}}, "parameters.frame_rate"),
        ({"parameters": {"frame_rate": 5}}, "parameters.frame_rate"),
        ({"parameters": {"style_template": "anime"}}, "parameters.style_template"),
        ({"parameters": {"seed": -1}}, "parameters.seed"),
        ({"parameters": {"temperature": 3}}, "parameters.temperature"),
        ({"parameters": {"top_p": 0}}, "parameters.top_p"),
        ({"parameters": {"enable_audio": "yes"}}, "parameters.enable_audio"),
        ({"parameters": {"language": "fr-FR"}}, "parameters.language"),
        ({"parameters": {"fps": 3}}, "parameters.fps"),
    ],
)
def test_bad_fields_are_named_with_what_is_allowed(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_prompt({"subject": "a lamp"} | change)
    assert caught.value.field == field and caught.value.limit


@pytest.mark.parametrize("data", [None, [], "a lamp", 3])
def test_what_is_no_object_is_refused(data: object) -> None:
    with pytest.raises(InvalidField):
        read_prompt(data)


def test_vague_words_and_missing_parts_get_a_suggestion() -> None:
    advice = advise(read_prompt({"subject": "a very Beautiful lamp, 高级感", "negative_prompt": "lamp"}))
    assert {one.word for one in advice if one.field == "subject"} == {"very", "Beautiful", "高级感"}
    assert {one.field for one in advice} == {"subject", "action", "camera", "environment", "negative_prompt"}
    assert all(one.suggestion for one in advice)
    assert not any(one.word for one in advise(read_prompt({"subject": "a somersault", "action": "everyone"})))


def test_versions_keep_outputs_and_tell_what_changed() -> None:
    versions = Versions()
    first, second = read_prompt(FULL), read_prompt(FULL | {"camera": "close up"})
    assert versions.add(first, b"one").number == 1
    assert versions.add(second, b"two", "nearer").number == 2
    assert versions.add(first, b"one").number == 1, "the same again is no new version"
    assert versions.changed(1, 2) == {"camera": ("medium shot, slow push in", "close up")}
    shown = versions.as_json()
    assert len({one["output_sha256"] for one in shown}) == 2 and shown[0]["prompt_sha256"] == first.digest
    with pytest.raises(InvalidField):
        versions.changed(1, 3)


def test_equal_prompts_have_equal_digests() -> None:
    assert read_prompt(FULL).digest == read_prompt(dict(reversed(FULL.items()))).digest
    assert read_prompt(FULL).digest != read_prompt(FULL | {"subject": "a cellist"}).digest
