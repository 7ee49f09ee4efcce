"""Structured prompts: ranges, advice, digests and versions, and every kind of bad field."""

from typing import Any

import pytest

from realtime.core.clips import GESTURES
from realtime.core.errors import InvalidField
from realtime.core.facs import Emotion
from realtime.core.prompting import PARTS, STYLE_TEMPLATES, read_prompt
from realtime.core.prompting_advice import advise
from realtime.core.prompting_look import _GESTURES, Look, dressed, look_of
from realtime.core.prompting_versions import Versions
from realtime.core.scenes_brand import Brand, read_brand

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
    assert versions.add(first, "one").number == 1
    assert versions.add(second, "two", "nearer").number == 2
    assert versions.add(first, "one").number == 1, "the same again is no new version"
    assert versions.changed(1, 2) == {"camera": ("medium shot, slow push in", "close up")}
    shown = versions.as_json()
    assert len({one["output_sha256"] for one in shown}) == 2 and shown[0]["prompt_sha256"] == first.digest
    with pytest.raises(InvalidField):
        versions.changed(1, 3)


def test_equal_prompts_have_equal_digests() -> None:
    assert read_prompt(FULL).digest == read_prompt(dict(reversed(FULL.items()))).digest
    assert read_prompt(FULL).digest != read_prompt(FULL | {"subject": "a cellist"}).digest


def look(**parts: Any) -> Look:
    return look_of(read_prompt({"subject": "a host"} | parts))


def test_a_prompt_sets_light_camera_palette_voice_and_face() -> None:
    found = look(
        style="noir", action="waves, delighted", environment="a campfire at night", camera="close-up, slow push in",
        colour="deep blue and amber", audience="children",
    )  # fmt: skip
    assert (found.lighting, found.camera, found.framing) == ("dramatic", "push_in", "close")
    assert found.gesture == "wave" and found.emotion is Emotion.HAPPY
    assert found.voice.rate < 1 < found.voice.pitch
    assert len(found.palette) == 4 and "campfire" in found.background


def test_chinese_words_are_read_too() -> None:
    found = look(environment="夕阳下的海边", camera="特写，推近", colour="红色和白色", audience="小朋友", action="挥手")
    assert (found.lighting, found.camera, found.framing, found.gesture) == ("warm", "push_in", "close", "wave")
    assert found.palette and found.voice.rate < 1


def test_what_is_not_said_comes_from_the_template_or_is_left() -> None:
    found = look(parameters={"style_template": "documentary"})
    assert (found.lighting, found.camera, found.framing, found.palette) == ("cool", "drift", None, ())
    assert (found.emotion, found.gesture) == (None, None) and found.voice.rate == 1.0
    for template in STYLE_TEMPLATES:
        assert look(parameters={"style_template": template}).lighting


def test_unwanted_words_decide_nothing() -> None:
    found = look(environment="warm light", colour="red and blue", negative_prompt=["warm", "red"])
    assert found.lighting == "neutral"
    assert found.palette == look(colour="blue").palette


def test_gestures_of_prompts_exist() -> None:
    assert set(_GESTURES) <= set(GESTURES)


@pytest.mark.parametrize("colour", ["red", "white", "black and yellow", "#00ff00", "pink, grey", "白色"])
def test_palettes_can_be_read_and_have_contrast(colour: str) -> None:
    palette = look(colour=colour).palette
    read_brand({"color_palette": list(palette)})
    ground, card, accent, text = (_luminance(one) for one in palette)
    assert (text + 0.05) / (card + 0.05) >= 7.0 and (text + 0.05) / (ground + 0.05) >= 7.0
    assert (accent + 0.05) / (card + 0.05) >= 2.0


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_look_goes_over_a_brand_and_keeps_what_it_does_not_name() -> None:
    brand = Brand(palette=("#101010", "#202020", "#ff8800", "#ffffff"), lighting="cool", text_animation="rise")
    plain = dressed(brand, look(environment="candlelight"))
    assert plain.lighting == "warm" and plain.palette == brand.palette and plain.text_animation == "rise"
    assert dressed(brand, look(colour="green")).palette != brand.palette
    assert dressed(None, look(colour="green")).palette


def test_a_prompt_is_written_as_it_is_read() -> None:
    prompt = read_prompt(FULL)
    assert read_prompt(prompt.as_json()).digest == prompt.digest


def test_nested_prompts_name_their_path() -> None:
    with pytest.raises(InvalidField) as caught:
        read_prompt({"subject": "x", "parameters": {"seed": -1}}, "prompt")
    assert caught.value.field == "prompt.parameters.seed"
