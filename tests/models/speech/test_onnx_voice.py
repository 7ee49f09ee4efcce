"""Voices of ONNX files: tiny models made here speak through the port; what is missing or wrong is named."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.speech.aligned import reference
from models.speech.chorus import Chorus
from models.speech.endpoint import EndpointVoice, SpeakingSpec
from models.speech.ensemble import ensemble
from models.speech.espeak import EspeakVoice
from models.speech.onnx_files import find_voices
from models.speech.onnx_voice import OnnxVoice, numbers, symbols
from realtime.core.errors import ConfigError, NotFound
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import VoiceSpec
from realtime.ports import Voice
from tests.models.speech.test_foreign_voices import SENTENCE, contiguous, spoken


@pytest.fixture
async def embedded() -> AsyncIterator[EspeakVoice]:
    made = EspeakVoice()
    yield made
    await made.aclose()


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


async def test_the_ensemble_is_checked_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tts_voices is empty"):
        ensemble(SpeakingSpec("http://x", "m", ()), None)
    piper(tmp_path)
    voices = ensemble(SpeakingSpec("http://x", "m", ("alloy",)), tmp_path)
    assert [info.name for info in voices.voices()][-2:] == ["alloy", "amy"]
    await voices.aclose()
    (tmp_path / "amy.onnx").write_bytes(b"not a model")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        ensemble(None, tmp_path)
