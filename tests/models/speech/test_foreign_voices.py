"""Voices that are not ours: their sound is timed by the embedded one; endpoints that stream, stall and fail; ONNX."""

import asyncio
import io
import logging
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from models.speech.aligned import chunks_of, pitched_rate_hz, reference
from models.speech.alignment import Aligner, Reference
from models.speech.endpoint import EndpointVoice, SpeakingSpec
from models.speech.espeak import EspeakVoice
from realtime.core.breaker import FAILURES
from realtime.core.errors import UpstreamError
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Phoneme, SpeechChunk, VoiceSpec

KEY = "sk-verysecretkey1234567890"
SENTENCE = "Hello, my name is Mary. We moved both big ships."
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def embedded() -> AsyncIterator[EspeakVoice]:
    made = EspeakVoice()
    yield made
    await made.aclose()


async def other(embedded: EspeakVoice, text: str, name: str, rate: float, language: str = "en") -> Reference:
    """The text as somebody else says it, with the truth about when."""
    chunks = [chunk async for chunk in embedded.speak(text, VoiceSpec(name, language, rate))]
    sound = np.concatenate([chunk.pcm for chunk in chunks]).astype(np.float32) / 32768.0
    return Reference(sound, tuple(p for c in chunks for p in c.phonemes), tuple(w for c in chunks for w in c.words))


def contiguous(chunks: list[SpeechChunk]) -> None:
    at = 0
    for chunk in chunks:
        assert chunk.start_s == pytest.approx(at / AUDIO_RATE_HZ)
        at += len(chunk.pcm)
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


# --- alignment


@pytest.mark.parametrize(
    ("text", "language"), [(SENTENCE, "en"), ("你好，我叫玛丽。今天我们来看一副耳机。", "zh")]
)
@pytest.mark.parametrize(("name", "rate"), [("martin", 0.8), ("paul", 1.25), ("nora", 1.0)])
async def test_phonemes_are_found_in_another_voice(
    embedded: EspeakVoice, text: str, language: str, name: str, rate: float
) -> None:
    truth = await other(embedded, text, name, rate, language)
    aligner = Aligner(await reference(embedded, text, language))
    found: list[Phoneme] = []
    for begin in range(0, len(truth.sound), 4_800):
        aligner.push(truth.sound[begin : begin + 4_800])
        aligner.decide()
        found += aligner.take()[0]
    early = len(found)
    aligner.finish()
    found += aligner.take()[0]
    ours, theirs = ([p for p in ps if p.symbol] for ps in (found, truth.phonemes))
    assert [p.symbol for p in ours] == [p.symbol for p in theirs]
    off_ms = [1e3 * abs(a.start_s - b.start_s) for a, b in zip(ours, theirs, strict=True)]
    assert np.median(off_ms) <= 20.0 and np.percentile(off_ms, 90) <= 80.0
    assert early > len(found) / 2, "most are known before the sound has ended"


def test_silence_and_nothing_at_all_are_no_fault() -> None:
    known = Reference(np.zeros(24_000, np.float32), (), ())
    for sound in (np.zeros(0, np.float32), np.zeros(48_000, np.float32)):
        aligner = Aligner(known)
        aligner.push(sound)
        aligner.decide()
        aligner.finish()
        assert aligner.take() == ((), ())


def test_a_pitched_rate_is_on_a_grid() -> None:
    assert pitched_rate_hz(24_000, 1.0) == 24_000 and pitched_rate_hz(22_050, 1.0) == 22_050
    assert pitched_rate_hz(24_000, 1.09) == 26_400 and pitched_rate_hz(24_000, 0.5) == 12_000


# --- endpoint


@asynccontextmanager
async def endpoint(handle: Handler, embedded: EspeakVoice, **settings: Any) -> AsyncIterator[EndpointVoice]:
    app = web.Application()
    app.router.add_post("/v1/audio/speech", handle)
    async with TestServer(app) as server:
        voice = EndpointVoice(SpeakingSpec(str(server.make_url("/v1/")), "tts", ("alloy",), KEY, **settings), embedded)
        try:
            yield voice
        finally:
            await voice.aclose()


def sounding(pcm: bytes, content_type: str = "audio/pcm", piece: int = 9_601) -> Handler:
    """Streams bytes in odd pieces."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        for begin in range(0, len(pcm), piece):
            await response.write(pcm[begin : begin + piece])
            await asyncio.sleep(0)
        return response

    return handle


async def at_24k(embedded: EspeakVoice) -> bytes:
    truth = await other(embedded, SENTENCE, "martin", 1.0)
    return (truth.sound[::2] * 32767).astype("<i2").tobytes()


async def spoken(voice: Any, spec: VoiceSpec, text: str = SENTENCE) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.speak(text, spec)]


async def test_an_endpoint_s_sound_is_streamed_with_lips_and_words(embedded: EspeakVoice) -> None:
    pcm = await at_24k(embedded)
    truth = await other(embedded, SENTENCE, "martin", 1.0)
    async with endpoint(sounding(pcm), embedded) as voice:
        chunks = await spoken(voice, VoiceSpec("alloy"))
    contiguous(chunks)
    assert sum(len(chunk.pcm) for chunk in chunks) == pytest.approx(len(pcm), rel=0.02)
    times = [p.start_s for c in chunks for p in c.phonemes if p.symbol]
    assert times == sorted(times)
    assert np.median(np.abs(np.array(times) - [p.start_s for p in truth.phonemes if p.symbol])) < 0.03
    assert [SENTENCE[w.begin : w.end] for c in chunks for w in c.words] == [
        SENTENCE[w.begin : w.end] for w in truth.words
    ]
    for chunk in (one for one in chunks if one.start_s < truth.phonemes[-1].start_s):
        ahead = max((p.end_s for c in chunks[: chunks.index(chunk) + 1] for p in c.phonemes), default=0.0)
        assert ahead >= chunk.start_s, "lips are known before the sound leaves"


async def test_the_first_sound_does_not_wait_for_the_last(embedded: EspeakVoice) -> None:
    pcm = await at_24k(embedded)
    more = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        await response.write(pcm[:72_000])
        await more.wait()
        await response.write(pcm[72_000:])
        return response

    async with endpoint(handle, embedded) as voice:
        chunks = voice.speak(SENTENCE, VoiceSpec("alloy"))
        assert len((await anext(chunks)).pcm) > 0
        more.set()
        assert [chunk async for chunk in chunks][-1].last


async def test_what_is_asked_of_an_endpoint(embedded: EspeakVoice) -> None:
    seen: list[tuple[dict[str, Any], str]] = []
    pcm = await at_24k(embedded)

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append((await request.json(), request.headers["Authorization"]))
        return await sounding(pcm)(request)

    async with endpoint(handle, embedded) as voice:
        plain = await spoken(voice, VoiceSpec("alloy"))
        high = await spoken(voice, VoiceSpec("alloy", rate=1.2, pitch=1.25, energy=0.5))
    body, key = seen[0]
    assert key == f"Bearer {KEY}"
    assert body == {"model": "tts", "voice": "alloy", "input": SENTENCE, "response_format": "pcm", "speed": 1.0}
    assert seen[1][0]["speed"] == 0.96, "slower by what playing it higher makes faster"
    lengths = [sum(len(c.pcm) for c in one) for one in (plain, high)]
    assert lengths[1] == pytest.approx(lengths[0] / 1.25, rel=0.02)
    loud = [np.abs(np.concatenate([c.pcm for c in one]).astype(int)).max() for one in (plain, high)]
    assert loud[1] < 0.7 * loud[0]


async def test_a_wav_is_read_too(embedded: EspeakVoice) -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(await at_24k(embedded))
    async with endpoint(sounding(out.getvalue(), "audio/wav", 7), embedded) as voice:
        chunks = await spoken(voice, VoiceSpec("alloy"))
    contiguous(chunks)
    assert sum(len(c.pcm) for c in chunks) == pytest.approx(2 * (len(out.getvalue()) - 44) / 2, rel=0.02)


STEREO = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0" + b"\0" * 60 + b"data" + b"\0" * 60


def refusing(status: int, body: Any) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return handle


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5.0)
    return web.Response()


@pytest.mark.parametrize(
    ("handle", "cause"),
    [
        (refusing(401, {"error": f"bad key {KEY}"}), "HTTP 401"),
        (refusing(200, {"audio": "no"}), "which is no sound"),
        (sounding(STEREO, "audio/wav"), "mono"),
        (silent, "does not answer"),
    ],
)
async def test_where_an_endpoint_fails_the_embedded_voice_speaks(
    embedded: EspeakVoice, handle: Handler, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with endpoint(handle, embedded, first_sound_timeout_s=0.2) as voice:
            chunks = await spoken(voice, VoiceSpec("alloy"))
    contiguous(chunks)
    assert sum(len(c.pcm) for c in chunks) > AUDIO_RATE_HZ
    assert cause in caplog.text and KEY not in caplog.text and "sk-" not in caplog.text


async def test_a_failing_endpoint_is_left_alone(embedded: EspeakVoice) -> None:
    calls = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return web.Response(status=500)

    async with endpoint(handle, embedded) as voice:
        for _ in range(FAILURES + 2):
            assert await spoken(voice, VoiceSpec("alloy"), "Yes.")
    assert calls == FAILURES


async def test_sound_that_breaks_off_is_an_error(embedded: EspeakVoice) -> None:
    pcm = await at_24k(embedded)

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        await response.write(pcm[:72_000])
        await asyncio.sleep(5.0)
        return response

    async with endpoint(handle, embedded, idle_timeout_s=0.2) as voice:
        with pytest.raises(UpstreamError, match="broke off"):
            await spoken(voice, VoiceSpec("alloy"))


async def test_endless_sound_is_cut_off(embedded: EspeakVoice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.speech.aligned.MAX_SPEECH_S", 3.0)
    rng = np.random.default_rng(0)
    given = 0

    async def noise() -> AsyncIterator[np.ndarray[Any, np.dtype[np.float32]]]:
        nonlocal given
        while True:
            given += 4_800
            yield rng.normal(0, 0.1, 4_800).astype(np.float32)

    with pytest.raises(UpstreamError, match="longer than"):
        async for _ in chunks_of(noise(), await reference(embedded, "Yes.", "en"), 24_000, 1.0):
            pass
    assert given <= 24_000 * 3 + 4_800
