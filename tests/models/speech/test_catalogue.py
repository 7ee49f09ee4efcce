"""The catalogue of voices."""

import pytest

from models.speech.catalogue import LANGUAGES, resolve_language, resolve_voice, tuning, voices
from realtime.core.errors import InvalidField, NotFound


def test_every_voice_can_be_set_for_every_language() -> None:
    for voice in voices():
        assert voice.gender in ("female", "male") and voice.description
        for language in voice.languages:
            settings = tuning(voice.name, language)
            assert 0 <= settings.pitch <= 99 and "+" in settings.engine_voice


def test_default_comes_first() -> None:
    assert resolve_voice("default") == resolve_voice("") == voices()[0].name


def test_unknown_names_say_what_exists() -> None:
    with pytest.raises(NotFound) as voice:
        resolve_voice("hal")
    assert voice.value.field == "voice" and "eileen" in str(voice.value.limit)
    with pytest.raises(InvalidField) as language:
        resolve_language("tlh")
    assert language.value.field == "language" and "zh" in str(language.value.limit)


@pytest.mark.parametrize(
    ("tag", "language"),
    [("EN_us", "en"), ("en-gb", "en-GB"), ("zh-CN", "zh"), ("cmn", "zh"), *((x, x) for x in LANGUAGES)],
)
def test_language_tags_are_read_loosely(tag: str, language: str) -> None:
    assert resolve_language(tag) == language
