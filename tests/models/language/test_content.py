"""Content files: the bundled ones, files of one's own, and each way in which a file can be wrong."""

import json
from pathlib import Path

import pytest

from models.language.content import Library, system_prompt
from models.language.improvising import PersonaAnswerer
from models.language.persona import read_persona
from models.language.tutoring import TutorAnswerer
from realtime.core.clips import GESTURES
from realtime.core.errors import ConfigError, InvalidField
from realtime.core.prompting import StructuredPrompt
from realtime.core.script import parse_script
from realtime.ports import Answerer, Turn
from tests.fakes import FixedAnswerer

HOST = FixedAnswerer(["Hello."])
LAMP = {"kind": "product", "language": "en", "title": "a lamp", "product_type": "home", "key_features": ["Bright"]}


async def said(answerer: Answerer, text: str, language: str = "en", history: tuple[Turn, ...] = ()) -> str:
    return " ".join([part.text async for part in answerer.answer(text, history, language)])


def test_each_scene_has_two_examples_in_both_languages() -> None:
    library = Library(HOST)
    assert [scene.name for scene in library.scenes()] == ["host", "commerce", "tutor", "npc", "meeting", "ar"]
    for scene in ("commerce", "tutor", "npc"):
        contents = library.contents(scene)
        assert len(contents) == 2 and all(sorted(content.title) == ["en", "zh"] for content in contents)
        for content in contents:
            for language in ("en", "zh-CN", "cmn"):
                programme = library.open(scene, content.name, language)
                assert programme.brand is not None and programme.warnings == ()


def test_every_line_of_the_examples_is_a_script_without_unknown_tags() -> None:
    library = Library(HOST)
    for content in library._contents.values():
        lines = [answer for entry in content.knowledge.entries for answer in entry.answers]
        programme = library.open(content.scene, content.name, content.language)
        lines += [*programme.greeting, *programme.silence]
        for line in lines:
            parse_script(line, gestures=GESTURES, language=content.language, strict=True)
        assert "Facts:" in system_prompt(content)


@pytest.mark.parametrize(
    ("content", "language", "question", "words"),
    [
        ("earbuds", "en", "How much is it?", "79 dollars"),
        ("earbuds", "en", "what do others say", "battery"),
        ("earbuds", "en", "can I swim with them", "don't swim"),
        ("earbuds", "en", "who is the president of France", "don't know"),
        ("earbuds", "zh", "多少钱", "399元"),
        ("earbuds", "zh", "能退货吗", "30天"),
        ("serum", "en", "price?", "36 dollars"),
        ("serum", "zh", "孕妇能用吗", "医生"),
    ],
)
async def test_shop_questions(content: str, language: str, question: str, words: str) -> None:
    programme = Library(HOST).open("commerce", content, language)
    answer = await said(programme.answerer, question, language)
    assert words in answer or (words == "don't know" and "not sure" in answer)


async def test_the_tutor_hints_corrects_and_reveals() -> None:
    tutor = Library(HOST).open("tutor", "newton", "en").answerer
    assert isinstance(tutor, TutorAnswerer)
    tutor.ask("quiz[0]")
    assert "kilograms" in await said(tutor, "what is mass?") and tutor.open == "quiz[0]"
    assert "Multiply" in await said(tutor, "9") and tutor.open == "quiz[0]"
    assert "friction" in await said(tutor, "a cart needs a force to keep moving")
    assert tutor.reveal() == "", "after two wrong answers the right one was given"
    tutor.ask("quiz[1]")
    assert "Twice the mass, half" in await said(tutor, "it halves") and tutor.right == 1
    tutor.ask("quiz[1]")
    assert "half the acceleration" in tutor.reveal() and tutor.reveal() == ""


async def test_the_character_remembers_pursues_its_goals_and_does_not_repeat_itself() -> None:
    mira = Library(HOST).open("npc", "innkeeper", "en").answerer
    assert isinstance(mira, PersonaAnswerer)
    assert "Tomas" in await said(mira, "Hello!")
    assert "lantern" in await said(mira, "I will help you")
    assert mira.done == {"brother"}
    assert "Tom" in await said(mira, "My name is Tom.") and mira.memory["viewer"] == "Tom"
    assert "a silver sword" in await said(mira, "I am looking for a silver sword.")
    lines = [await said(mira, f"I walked {n} miles today") for n in ("two", "three")]
    assert len(set(lines)) == 2
    for text in ("", "🔥", "x" * 5_000, "[happy] {viewer}", "My name is [Evil]"):
        assert await said(mira, text)


async def test_a_language_model_is_told_the_scene() -> None:
    prompts: list[str] = []
    sampled: list[StructuredPrompt | None] = []

    def prompted(prompt: str, own: StructuredPrompt | None, fallback: Answerer | None) -> Answerer:
        assert fallback is not None, "what the scene knows answers where the model does not"
        prompts.append(prompt)
        sampled.append(own)
        return FixedAnswerer(["From the model."])

    library = Library(HOST, None, prompted)
    shop = library.open("commerce", "earbuds", "en")
    assert await said(shop.answerer, "hi") == "From the model." and "79 dollars" in prompts[0]
    library.open("tutor", None, "en")
    library.open("npc", None, "zh")
    assert "tutor" in prompts[1] and "米拉" in prompts[2]
    assert sampled[0] is None and sampled[2] is not None
    await shop.aclose()


def test_own_content_is_read_beside_the_bundled(tmp_path: Path) -> None:
    write(tmp_path / "commerce" / "lamp.en.json", LAMP)
    brand = tmp_path / "brands" / "mine.yaml"
    brand.parent.mkdir()
    brand.write_text("brand_style: {lighting: cool}", encoding="utf-8")
    write(tmp_path / "commerce" / "shade.en.json", LAMP | {"brand_style": "mine"})
    library = Library(HOST, tmp_path)
    assert {content.name for content in library.contents("commerce")} >= {"earbuds", "lamp", "shade"}
    shade = library.open("commerce", "shade", "en")
    assert shade.brand is not None and shade.brand.lighting == "cool"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("lamp.en.json", "{", "cannot be parsed"),
        ("lamp.en.json", "[]", "kind"),
        ("lamp.en.json", json.dumps(LAMP | {"kind": "lesson"}), "kind"),
        ("lamp.en.json", json.dumps(LAMP | {"title": ""}), "title"),
        ("lamp.zh.json", json.dumps(LAMP), "language"),
        ("lamp.en.json", json.dumps(LAMP | {"brand_style": "none"}), "brand_style"),
        ("lamp.json", json.dumps(LAMP), "is called name.language.json"),
        ("lamp.en.yaml", "kind: product\ntitle: [", "cannot be parsed"),
        ("lamp.en.json", " " * 1_100_000, "larger than"),
        ("lamp.en.json", "[" * 100_000, "cannot be parsed"),
    ],
)
def test_a_bad_file_stops_the_start_with_its_name(tmp_path: Path, name: str, content: str, words: str) -> None:
    path = tmp_path / "commerce" / name
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=words) as caught:
        Library(HOST, tmp_path)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("scene", "content", "language", "field"),
    [
        ("opera", None, "en", "scene"),
        ("host", "earbuds", "en", "content"),
        ("commerce", "newton", "en", "content"),
        ("commerce", "earbuds", "fr", "language"),
    ],
)
def test_what_does_not_exist_is_named(scene: str, content: str | None, language: str, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        Library(HOST).open(scene, content, language)
    assert caught.value.field == field and caught.value.limit


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"goals": [{"id": "a", "prompts": ["x"], "done": ["y"], "reward": "z", "after": "b"}]}, "goals[0].after"),
        ({"goals": [{"id": "a", "prompts": ["x"], "done": ["y"], "reward": "z"}] * 2}, "goals[1].id"),
        ({"remembers": {"viewer": "("}}, "remembers.viewer"),
        ({"remembers": {"viewer": "no group"}}, "remembers.viewer"),
        ({"improvise": {"dance": ["x"]}}, "improvise.dance"),
        ({"greeting": []}, "greeting"),
        ({"unknown": None}, "unknown"),
    ],
)
def test_bad_characters_are_named_by_field(change: dict[str, object], field: str) -> None:
    persona = {"name": "Ada", "role": "a smith", "greeting": ["Hello."], "unknown": ["No idea."]}
    read_persona(persona)
    with pytest.raises(InvalidField) as caught:
        read_persona(persona | change)
    assert caught.value.field == field


def write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize(
    ("prompt", "field"),
    [
        ({}, "prompt.subject"),
        ({"subject": "x", "mood": "y"}, "prompt.mood"),
        ({"subject": "x", "parameters": {"frame_rate": 61}}, "prompt.parameters.frame_rate"),
        ({"subject": "x", "parameters": {"language": "zh-CN"}}, "prompt.parameters.language"),
        ("a lamp", "prompt"),
    ],
)
def test_a_content_s_bad_prompt_is_named(tmp_path: Path, prompt: object, field: str) -> None:
    write(tmp_path / "commerce" / "lamp.en.json", LAMP | {"prompt": prompt})
    with pytest.raises(ConfigError, match=field):
        Library(HOST, tmp_path)
