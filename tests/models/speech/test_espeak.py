"""The embedded voice against the real library: streaming, timing, text offsets, limits, sound."""

import contextlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.speech.espeak import MAX_CHARACTERS, EspeakVoice
from realtime.core.errors import InvalidField, NotFound, TooLarge
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Phoneme, SpeechChunk, VoiceSpec, Word

EN, ZH = VoiceSpec(language="en"), VoiceSpec(language="zh")
SENTENCE = "Hello, my name is Mary. We moved both big ships."


@pytest.fixture
async def voice() -> AsyncIterator[EspeakVoice]:
    made = EspeakVoice()
    yield made
    await made.aclose()


async def spoken(voice: EspeakVoice, text: str, spec: VoiceSpec = EN) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.speak(text, spec)]


def phonemes(chunks: list[SpeechChunk]) -> list[Phoneme]:
    return [phoneme for chunk in chunks for phoneme in chunk.phonemes]


def words(chunks: list[SpeechChunk]) -> list[Word]:
    return [word for chunk in chunks for word in chunk.words]


def sound(chunks: list[SpeechChunk]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.concatenate([chunk.pcm for chunk in chunks]) / 32768.0


async def test_chunks_are_contiguous_and_the_last_is_marked(voice: EspeakVoice) -> None:
    chunks = await spoken(voice, SENTENCE)
    samples = 0
    for chunk in chunks:
        assert chunk.start_s == pytest.approx(samples / AUDIO_RATE_HZ, abs=1e-9)
        assert chunk.pcm.dtype == np.int16 and len(chunk.pcm) <= 0.1 * AUDIO_RATE_HZ
        samples += len(chunk.pcm)
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert 2.5 < samples / AUDIO_RATE_HZ < 6.0


async def test_the_same_words_are_the_same_sound_in_every_process() -> None:
    spec = VoiceSpec(name="eileen")  # a breathy voice: its noise is drawn
    said = []
    for _ in range(2):
        made = EspeakVoice()
        await spoken(made, "Something else came first.", spec)
        said.append(sound(await spoken(made, SENTENCE, spec)))
        await made.aclose()
    assert np.array_equal(said[0], said[1])


async def test_phonemes_follow_each_other_and_run_ahead_of_the_sound(voice: EspeakVoice) -> None:
    chunks = await spoken(voice, SENTENCE)
    found = phonemes(chunks)
    assert "".join(p.symbol for p in found[:4]) == "həloʊ"
    assert {p.stress for p in found} == {0, 2}
    for before, after in zip(found, found[1:], strict=False):
        assert before.start_s < before.end_s == after.start_s
    known_s, total_s = 0.0, found[-1].end_s
    for chunk in chunks[:-1]:
        known_s = max([known_s, *(p.end_s for p in chunk.phonemes)])
        assert known_s >= min(chunk.start_s + len(chunk.pcm) / AUDIO_RATE_HZ, total_s)


async def test_phoneme_times_are_those_of_the_sound(voice: EspeakVoice) -> None:
    chunks = await spoken(voice, "A happy copper paper, a happy copper paper.")
    heard, found = sound(chunks), phonemes(chunks)

    def level(begin_s: float, end_s: float) -> float:
        return float(np.sqrt((heard[round(begin_s * AUDIO_RATE_HZ) : round(end_s * AUDIO_RATE_HZ)] ** 2).mean()))

    inside = [(before, p) for before, p in zip(found, found[1:], strict=False) if p.symbol == "p" and before.symbol]
    assert len(inside) >= 6
    for before, p in inside:
        vowel = level(before.start_s + 0.02, before.start_s + 0.06)
        assert level(p.start_s - 0.030, p.start_s - 0.004) < 0.25 * vowel  # closed lips are silent up to the burst
        assert level(p.start_s, p.start_s + 0.010) > 3 * level(p.start_s - 0.012, p.start_s - 0.002)


async def test_words_are_those_of_the_text_in_order(voice: EspeakVoice) -> None:
    found = words(await spoken(voice, SENTENCE))
    expected = "Hello my name is Mary We moved both big ships".split()
    assert [SENTENCE[w.begin : w.end] for w in found] == expected
    assert [w.start_s for w in found] == sorted(w.start_s for w in found)


async def test_mandarin_polyphones_and_words(voice: EspeakVoice) -> None:
    text = "银行在重庆，孩子长大了。"
    chunks = await spoken(voice, text, ZH)
    assert [text[w.begin : w.end] for w in words(chunks)] == ["银行", "在", "重庆", "孩", "子", "长", "大", "了"]
    heard = "".join(p.symbol for p in phonemes(chunks))
    assert "jinχɑŋ" in heard and "ts.honɡ" in heard and "ts.ɑŋt" in heard


async def test_mixed_text_keeps_its_offsets(voice: EspeakVoice) -> None:
    text = "我的兄弟用 GPU 渲染 hello 世界"
    found = words(await spoken(voice, text, ZH))
    seen = [text[w.begin : w.end] for w in found]
    assert "GPU" in seen and "hello" in seen and "界" in seen and "兄" in seen
    assert [p.symbol for p in phonemes(await spoken(voice, "兄", ZH))][:3] == ["ɕ", "j", "onɡ"]


@pytest.mark.parametrize("text", ["", " \n\t", "😀🎉", "\x00\x01", "……"])
async def test_the_unspeakable_is_one_empty_last_chunk(voice: EspeakVoice, text: str) -> None:
    chunks = await spoken(voice, text)
    assert len(chunks) == 1 and chunks[0].last and len(chunks[0].pcm) == 0


@pytest.mark.parametrize(
    "text",
    ["a < b && c > d", "https://example.org/x?y=1&z=%20", "<speak>hi</speak>", "x" * 700, "Hi 😀 there", "[[h@l'oU]]"],
)
async def test_odd_text_is_spoken_without_harm(voice: EspeakVoice, text: str) -> None:
    chunks = await spoken(voice, text)
    assert chunks[-1].last and sum(len(chunk.pcm) for chunk in chunks) > 0
    assert all(text[w.begin : w.end].strip() for w in words(chunks))


async def test_any_text_is_spoken_or_empty(voice: EspeakVoice) -> None:
    texts: list[str] = []

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=80))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    for text in texts:
        chunks = await spoken(voice, text, ZH)
        assert chunks[-1].last
        assert all(0 <= w.begin < w.end <= len(text) for w in words(chunks))


async def test_the_first_sound_is_immediate_and_nothing_clips(voice: EspeakVoice) -> None:
    for text, spec in ((SENTENCE, EN), ("大家好，欢迎来到我的直播间。", ZH)):
        heard = sound(await spoken(voice, text, spec))
        assert np.flatnonzero(np.abs(heard) > 0.002)[0] < 0.012 * AUDIO_RATE_HZ
        assert np.abs(heard).max() <= 0.9
        level = np.sqrt((heard[: len(heard) // 960 * 960].reshape(-1, 960) ** 2).mean(axis=1))
        assert -22.0 < 20 * np.log10(np.sqrt((level[level > 0.01] ** 2).mean())) < -17.5


async def test_no_clicks_where_chunks_meet(voice: EspeakVoice) -> None:
    chunks = await spoken(voice, SENTENCE)
    heard = sound(chunks)
    bend = np.abs(np.diff(heard, 2))
    borders = np.cumsum([len(chunk.pcm) for chunk in chunks])[:-1]
    at_borders = np.concatenate([bend[b - 2 : b + 1] for b in borders if 2 <= b < len(bend)])
    assert np.quantile(at_borders, 0.95) < 1.5 * np.quantile(bend, 0.95)
    spectrum = np.abs(np.fft.rfft(heard)) ** 2
    frequency_hz = np.fft.rfftfreq(len(heard), 1 / AUDIO_RATE_HZ)
    assert 10 * np.log10(spectrum[frequency_hz > 12_000].sum() / spectrum.sum()) < -65


async def test_rate_pitch_and_energy_are_obeyed(voice: EspeakVoice) -> None:
    plain = sound(await spoken(voice, SENTENCE))
    fast = sound(await spoken(voice, SENTENCE, VoiceSpec(rate=1.6)))
    soft = sound(await spoken(voice, SENTENCE, VoiceSpec(energy=0.5)))
    assert len(fast) < 0.75 * len(plain)
    assert np.std(soft) == pytest.approx(0.5 * np.std(plain), rel=0.1)


async def test_bad_arguments_raise_at_once(voice: EspeakVoice) -> None:
    with pytest.raises(TooLarge) as long:
        voice.speak("x" * (MAX_CHARACTERS + 1), EN)
    assert long.value.field == "text" and str(MAX_CHARACTERS) in str(long.value.limit)
    with pytest.raises(NotFound):
        voice.speak("hi", VoiceSpec(name="nobody"))
    with pytest.raises(InvalidField):
        voice.speak("hi", VoiceSpec(language="xx"))
    for bad in (VoiceSpec(rate=9.0), VoiceSpec(pitch=float("nan")), VoiceSpec(energy=-1.0)):
        with pytest.raises(InvalidField):
            voice.speak("hi", bad)


async def test_closing_the_stream_frees_the_voice(voice: EspeakVoice) -> None:
    for _ in range(6):
        stream = voice.speak("A long sentence that goes on and on. " * 60, EN)
        async with contextlib.aclosing(stream):  # type: ignore[type-var]  # an async generator behind its protocol
            assert len((await anext(stream)).pcm)
    assert (await spoken(voice, "Still here."))[-1].last
