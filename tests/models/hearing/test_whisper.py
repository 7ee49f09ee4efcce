"""The embedded recogniser: words from synthetic voices, nothing from noise, bounds and clean-up."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from models.hearing.tokens import Vocabulary
from models.hearing.whisper import WhisperTranscriber, packaged_model, tidy
from realtime.core.errors import ConfigError, UpstreamError
from realtime.core.listening import HEARING_RATE_HZ
from tests.voices import Speaker

SENTENCES = (
    "How long does the battery last?",
    "Can you show me the blue jacket again please?",
    "Do you ship to Germany and how long does it take?",
    "Please stop and wait a moment.",
)


@pytest.fixture
async def whisper() -> AsyncIterator[WhisperTranscriber]:
    directory = packaged_model()
    assert directory is not None
    made = WhisperTranscriber(directory)
    yield made
    await made.aclose()


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


async def test_clear_speech_becomes_its_words(whisper: WhisperTranscriber, speaker: Speaker) -> None:
    heard = [await whisper.transcribe(await speaker.say(text, "martin"), "en-GB") for text in SENTENCES]
    right = sum(word in words(said) for text, said in zip(SENTENCES, heard, strict=True) for word in words(text))
    assert right >= sum(len(words(text)) for text in SENTENCES) - 2, heard


async def test_noise_and_silence_have_no_words(whisper: WhisperTranscriber) -> None:
    rng = np.random.default_rng(0)
    noise = (rng.normal(size=2 * HEARING_RATE_HZ) * 600).astype(np.int16)
    assert await whisper.transcribe(noise, "en") == ""
    assert await whisper.transcribe(np.zeros(0, np.int16), "en") == ""


async def test_it_does_not_queue_without_end_and_can_be_given_up(whisper: WhisperTranscriber) -> None:
    second = np.zeros(HEARING_RATE_HZ, np.int16)
    jobs = [asyncio.create_task(whisper.transcribe(second, "en")) for _ in range(9)]
    await asyncio.sleep(0)
    with pytest.raises(UpstreamError, match="busy"):
        await jobs[8]
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    assert await whisper.transcribe(second, "en") == ""


def test_english_only_says_so(whisper: WhisperTranscriber) -> None:
    assert not whisper.multilingual
    assert [whisper.understands(tag) for tag in ("en", "en-GB", "zh", "cmn", "de")] == [True, True, False, False, False]


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="model.bin"):
        WhisperTranscriber(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"x")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="vocabulary"):
        WhisperTranscriber(tmp_path)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (" [BLANK_AUDIO] ", ""),
        ("(soft music) Hello there.", "Hello there."),
        ("♪♪", ""),
        ("I am here. I am here. I am here. I am here. I am here.", "I am here."),
        ("No, no, really not.", "No, no, really not."),
        ("... ", ""),
    ],
)
def test_asides_and_circles_are_dropped(raw: str, clean: str) -> None:
    assert tidy(raw) == clean


def test_token_bytes_become_text() -> None:
    vocabulary = Vocabulary({0: "Ġcaf", 1: "Ã©", 2: "!"}, {"<|startoftranscript|>": 9})
    assert vocabulary.text([9, 0, 1, 2]) == "café!"
    assert vocabulary.special("startoftranscript") == 9 and not vocabulary.knows("zh")
