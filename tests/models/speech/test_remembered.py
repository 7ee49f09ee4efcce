"""The speech cache: the same sentence sounds again bit by bit; what was broken off is not kept; a budget holds."""

from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest

from models.speech.remembered import RememberedVoice
from realtime.core.values import SpeechChunk, VoiceSpec
from tests.fakes import ToneVoice


async def spoken(voice: RememberedVoice, text: str, spec: VoiceSpec) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.speak(text, spec)]


async def test_the_same_sentence_in_the_same_voice_sounds_again() -> None:
    voice = RememberedVoice(ToneVoice(), 1 << 24)
    first = await spoken(voice, "Hello there.", VoiceSpec())
    again = await spoken(voice, "Hello there.", VoiceSpec())
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert (voice.counters.hits, voice.counters.misses) == (1, 1)
    await spoken(voice, "Hello there.", VoiceSpec(rate=1.1))
    await spoken(voice, "Hello you.", VoiceSpec())
    assert (voice.counters.hits, voice.counters.misses) == (1, 3)
    with pytest.raises(ValueError, match="read-only"):
        first[0].pcm[:] = np.int16(0)


async def test_what_was_broken_off_is_synthesised_anew() -> None:
    voice = RememberedVoice(ToneVoice(), 1 << 24)
    stream = voice.speak("Hello there, this is a long sentence.", VoiceSpec())
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
    await spoken(voice, "Hello there, this is a long sentence.", VoiceSpec())
    assert voice.counters.hits == 0 and voice.counters.misses == 2


async def test_a_budget_holds() -> None:
    voice = RememberedVoice(ToneVoice(), 200_000)
    for index in range(20):
        await spoken(voice, f"Sentence number {index}.", VoiceSpec())
    assert 0 < voice.size_bytes <= 200_000 and voice.counters.evictions > 0


class SlicingVoice(ToneVoice):
    """Gives out small parts of large arrays, as resampling does."""

    async def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        async for chunk in super().speak(text, spec):
            yield replace(chunk, pcm=np.concatenate([chunk.pcm, chunk.pcm])[: len(chunk.pcm)])


async def test_what_is_kept_holds_no_more_than_it_counts() -> None:
    voice = RememberedVoice(SlicingVoice(), 1 << 24)
    said = await spoken(voice, "Hello there.", VoiceSpec())
    again = await spoken(voice, "Hello there.", VoiceSpec())
    assert all(chunk.pcm.base is None for chunk in (*said, *again))
    assert voice.size_bytes >= sum(chunk.pcm.nbytes for chunk in said)


async def test_a_fading_emotion_does_not_synthesise_each_sentence_anew() -> None:
    voice = RememberedVoice(ToneVoice(), 1 << 24)
    for step in range(100):
        await spoken(voice, "Hello there.", VoiceSpec(rate=1.0 + step / 5000, pitch=1.0 - step / 9000))
    assert voice.counters.misses <= 5
