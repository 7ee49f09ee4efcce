"""Knowledge files: what is wrong with one is said with file, place and field."""

from pathlib import Path

import pytest

from models.language.knowledge_file import MAX_FILE_BYTES, Entry, load_knowledge, parse_knowledge
from realtime.core.errors import ConfigError

ENTRY = "{id: a, language: en, ask: Hi, answer: Hello}"


def test_an_entry_is_read() -> None:
    knowledge = parse_knowledge(f"entries: [{ENTRY}]")
    assert knowledge.entries == (Entry("a", "en", ("Hi",), ("Hello",), source="a"),)
    assert knowledge.languages == ("en",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not a mapping"),
        ("[1]", "not a mapping"),
        ("entries: []", "neither entries nor passages"),
        ("entries: {a: b}", "entries is not a list"),
        ("entries: [5]", r"entries\[0\]: not a mapping"),
        ("entries: [{id: a}]", r"entries\[0\]: language is not a text"),
        ("entries: [{id: a, language: en, ask: [], answer: x}]", r"entries\[0\]: ask is not a text or a list"),
        ("entries: [{id: a, language: en, ask: [1], answer: x}]", r"entries\[0\]: ask is not a text or a list"),
        ("entries: [{id: a, language: en, ask: x, answer: ' '}]", r"entries\[0\]: answer is not a text"),
        ("entries: [{id: a, language: en, ask: x, answer: y, tone: z}]", "no field 'tone'; known are id, language"),
        ("entries: [{id: a, language: en, ask: x, answer: y, vague: 1}]", "vague is not true or false"),
        (f"entries: [{ENTRY}, {ENTRY}]", "id 'a' comes 2 times in language 'en'"),
        ("passages: [{id: a, language: en}]", r"passages\[0\]: text is not a text"),
        (f"unknown: [x]\nentries: [{ENTRY}]", "unknown: not a mapping"),
        (f"unknown: {{en: 5}}\nentries: [{ENTRY}]", "unknown: en is not a text"),
        ("entries: [", "not YAML"),
        ("!!python/object:os.system {}", "not YAML"),
    ],
)
def test_a_bad_file_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        parse_knowledge(text, "shop.yaml")
    assert str(caught.value).startswith("shop.yaml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_knowledge(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"unknown: {en: \xff}")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_knowledge(tmp_path / "latin.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than"):
        load_knowledge(tmp_path / "big.yaml")
