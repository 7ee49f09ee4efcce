"""Voices that are not ours: their sound is timed by the embedded one; endpoints that stream, stall and fail; ONNX."""

import asyncio
import io
import json
import logging
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from onnx import TensorProto, helper

from models.speech.aligned import chunks_of, pitched_rate_hz, reference
from models.speech.alignment import Aligner, Reference
from models.speech.chorus import Chorus
from models.speech.endpoint import EndpointVoice, SpeakingSpec
from models.speech.espeak import EspeakVoice
from models.speech.onnx_files import find_voices
from models.speech.onnx_voice import OnnxVoice, numbers, symbols
from realtime.core.breaker import FAILURES
from realtime.core.errors import ConfigError, NotFound, UpstreamError
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Phoneme, SpeechChunk, VoiceSpec
from realtime.ports import Voice

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


# --- ONNX


Shapes = Mapping[str, tuple[int, Sequence[str | int]]]


def tiny_model(path: Path, inputs: Shapes, length: str, speed: str | None) -> None:
    """A model whose sound is a 200 Hz tone of 1 500 samples for each symbol, longer by the second scale or shorter by
    the speed."""
    n = [helper.make_node("Shape", [length], ["shape"]), helper.make_node("Gather", ["shape", "one"], ["count"])]
    n += [helper.make_node("Cast", ["count"], ["countf"], to=TensorProto.FLOAT)]
    n += [helper.make_node("Mul", ["countf", "each"], ["samples"])]
    if speed is None:
        n += [helper.make_node("Gather", ["scales", "one"], ["factor"]),
              helper.make_node("Mul", ["samples", "factor"], ["wanted"])]  # fmt: skip
    else:
        n += [helper.make_node("ReduceMax", [speed], ["factor"], keepdims=0),
              helper.make_node("Div", ["samples", "factor"], ["wanted"])]  # fmt: skip
    n += [helper.make_node("Range", ["zero", "wanted", "step"], ["at"])]
    n += [helper.make_node("Mul", ["at", "omega"], ["x"])]
    n += [helper.make_node("Sin", ["x"], ["tone"]), helper.make_node("Mul", ["tone", "loud"], ["sound"])]
    constants = [
        helper.make_tensor("one", TensorProto.INT64, [], [1]),
        *(helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in
          (("each", 1500.0), ("zero", 0.0), ("step", 1.0), ("omega", 2 * np.pi * 200 / 22_050), ("loud", 0.3))),
    ]  # fmt: skip
    graph = helper.make_graph(
        n, "tone", [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info("sound", TensorProto.FLOAT, ["n"])], constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))


PIPER = {
    "audio": {"sample_rate": 22_050}, "espeak": {"voice": "en-us"}, "inference": {"noise_scale": 0.5},
    "phoneme_id_map": {s: [i] for i, s in enumerate("_^$ .,!?;:abdefhijklmnoprstuvwzæðŋɑɐɔəɚɛɜɡɪɹʃʊʌʒθˈˌː")},
}  # fmt: skip


def piper(folder: Path, name: str = "amy", **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    shapes: Shapes = {"input": (TensorProto.INT64, [1, "n"]), "input_lengths": (TensorProto.INT64, [1]),
              "scales": (TensorProto.FLOAT, [3])}  # fmt: skip
    tiny_model(folder / f"{name}.onnx", shapes, "input", None)
    (folder / f"{name}.onnx.json").write_text(json.dumps(PIPER | changes))
    return folder


def kokoro(folder: Path) -> Path:
    shapes: Shapes = {"input_ids": (TensorProto.INT64, [1, "n"]), "style": (TensorProto.FLOAT, [1, 256]),
              "speed": (TensorProto.FLOAT, [1])}  # fmt: skip
    tiny_model(folder / "kokoro.onnx", shapes, "input_ids", "speed")
    vocab = {s: i + 1 for i, s in enumerate(" .,!?;:abdefhijklmnoprstuvwzæðŋɑɐɔəɛɜɡɪɹʃʊʌʒθˈˌːAIOWYQʤʧ")}
    (folder / "kokoro.onnx.json").write_text(json.dumps({"vocab": vocab}))
    (folder / "kokoro").mkdir()
    for name in ("af_heart", "bm_fable"):
        np.zeros((510, 1, 256), "<f4").tofile(folder / "kokoro" / f"{name}.bin")
    return folder


async def test_piper_and_kokoro_speak(embedded: EspeakVoice, tmp_path: Path) -> None:
    voice = OnnxVoice(find_voices(kokoro(piper(tmp_path))), embedded)
    assert [(v.name, v.languages) for v in voice.voices()] == [
        ("amy", ("en",)), ("af_heart", ("en",)), ("bm_fable", ("en-GB",)),
    ]  # fmt: skip
    for name in ("amy", "af_heart"):
        plain = await spoken(voice, VoiceSpec(name))
        fast = await spoken(voice, VoiceSpec(name, rate=1.5))
        contiguous(plain)
        lengths = [sum(len(c.pcm) for c in one) for one in (plain, fast)]
        assert lengths[0] > AUDIO_RATE_HZ and lengths[1] == pytest.approx(lengths[0] / 1.5, rel=0.05)
        assert [p for c in plain for p in c.phonemes if p.symbol]
        assert len([w for c in plain for w in c.words]) == len(SENTENCE.split())
    with pytest.raises(NotFound):
        await spoken(voice, VoiceSpec("nobody"))
    await voice.aclose()


async def test_models_read_ipa_with_stress_spaces_and_marks(embedded: EspeakVoice, tmp_path: Path) -> None:
    known = await reference(embedded, "Hello, Mary!", "en")
    written = "".join(symbols(known, "Hello, Mary!"))
    assert written.startswith("h") and ", m" in written and written.endswith("!") and "ˈ" in written
    (file,) = find_voices(piper(tmp_path))
    ids = numbers(symbols(known, "Hello, Mary!"), file)
    assert ids[:2] == [1, 0] and ids[-1] == 2 and ids[3::2][:-1].count(0) == len(ids[3::2][:-1])
    assert numbers([], file) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"audio": {}}, "audio.sample_rate is missing"),
        ({"audio": {"sample_rate": 4}}, "8000..48000"),
        ({"phoneme_type": "text"}, "allowed: espeak"),
        ({"phoneme_id_map": {"a": [1]}}, "has no '_'"),
        ({"phoneme_id_map": {"_": "x"}}, "whole numbers"),
        ({"phoneme_id_map": 3}, "not an object"),
        ({"espeak": {"voice": "de"}}, "English and Mandarin"),
        ({"inference": {"noise_scale": "loud"}}, "noise_scale"),
    ],
)
def test_a_bad_description_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace(".", r"\.")) as caught:
        find_voices(piper(tmp_path, **changes))
    assert "amy.onnx.json" in str(caught.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        find_voices(tmp_path / "none")
    (tmp_path / "a.onnx").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"a\.onnx\.json"):
        find_voices(tmp_path)
    (tmp_path / "a.onnx.json").write_text("{")
    with pytest.raises(ConfigError, match="cannot be parsed"):
        find_voices(tmp_path)
    (tmp_path / "a.onnx.json").write_text('{"vocab": {"a": 1}}')
    with pytest.raises(ConfigError, match="needs its voices"):
        find_voices(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "af_x.bin").write_bytes(b"123")
    with pytest.raises(ConfigError, match="float32"):
        find_voices(tmp_path)


async def test_a_file_that_is_no_model_is_named(embedded: EspeakVoice, tmp_path: Path) -> None:
    piper(tmp_path)
    (tmp_path / "amy.onnx").write_bytes(b"not a model")
    voice = OnnxVoice(find_voices(tmp_path), embedded)
    with pytest.raises(ConfigError, match="cannot be loaded"):
        await spoken(voice, VoiceSpec("amy"))
    await voice.aclose()


# --- all together


async def test_a_chorus_knows_everybody_by_name(embedded: EspeakVoice, tmp_path: Path) -> None:
    chorus = Chorus(embedded, [OnnxVoice(find_voices(piper(tmp_path)), embedded)])
    voice: Voice = chorus
    assert {"eileen", "amy"} <= {info.name for info in chorus.voices()}
    assert await spoken(voice, VoiceSpec("amy"), "Yes.") and await spoken(voice, VoiceSpec("paul"), "Yes.")
    with pytest.raises(NotFound):
        await spoken(voice, VoiceSpec("nobody"), "Yes.")
    with pytest.raises(ConfigError, match="two voices"):
        Chorus(embedded, [EndpointVoice(SpeakingSpec("http://x", "m", ("eileen",)), embedded)])
    await chorus.aclose()
