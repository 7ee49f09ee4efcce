"""The voices of ONNX files behind the port `Voice`: phonemes from the embedded synthesiser, sound from the model."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.speech.aligned import chunks_of, pitched_rate_hz, reference
from models.speech.alignment import Floats, Reference
from models.speech.catalogue import VoiceInfo, resolve_language
from models.speech.espeak import EspeakVoice
from models.speech.onnx_files import STYLE_SIZE, VoiceFile
from realtime.core.errors import ConfigError, NotFound, UpstreamError
from realtime.core.values import SpeechChunk, VoiceSpec

_MARKS: Final = ".,!?;:"
_FULL_WIDTH: Final = str.maketrans("。，！？；：、", ".,!?;:,")
_STRESS: Final = {2: "ˈ", 1: "ˌ"}
_KOKORO_SYMBOLS: Final[Mapping[str, str]] = {
    "dʒ": "ʤ", "tʃ": "ʧ", "eɪ": "A", "aɪ": "I", "ɔɪ": "Y", "aʊ": "W", "oʊ": "O", "əʊ": "Q", "ɚ": "əɹ", "ɜː": "ɜɹ",
    "ɐ": "ə", "r": "ɹ", "g": "ɡ",
}  # fmt: skip
"""How Kokoro writes what espeak-ng writes otherwise (the alphabet of its `vocab`)."""
_INPUTS: Final = {"piper": {"input", "input_lengths", "scales"}, "kokoro": {"style", "speed"}}
_PIECE_S: Final = 0.5


class OnnxVoice:
    """All voices of a folder. Models are loaded when they are first spoken with, and run on one thread."""

    def __init__(self, files: Sequence[VoiceFile], embedded: EspeakVoice) -> None:
        self._files = {file.name: file for file in files}
        self._embedded = embedded
        self._models: dict[Path, Any] = {}
        self._thread = ThreadPoolExecutor(1, "voice")

    def voices(self) -> tuple[VoiceInfo, ...]:
        """The folder's voices."""
        return tuple(
            VoiceInfo(file.name, (file.language,), "", f"{file.kind.capitalize()} model {file.model.name}.")
            for file in self._files.values()
        )

    async def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        """Stream one utterance. Raises `NotFound` for an unknown name, `UpstreamError` for a model that fails."""
        file = self._files.get(spec.name)
        if file is None:
            raise NotFound(f"no voice is called {spec.name[:40]!r}", field="voice", limit=", ".join(self._files))
        language = file.language if resolve_language(spec.language)[:2] == file.language[:2] else spec.language
        known = await reference(self._embedded, text, language)
        rate_hz = pitched_rate_hz(file.rate_hz, spec.pitch)
        speed = spec.rate * file.rate_hz / rate_hz
        ids = numbers(symbols(known, text), file)

        async def sound() -> AsyncIterator[Floats]:
            if ids:
                samples = await asyncio.get_running_loop().run_in_executor(self._thread, self._run, file, ids, speed)
                for begin in range(0, len(samples), size := round(_PIECE_S * file.rate_hz)):
                    yield samples[begin : begin + size]

        async for chunk in chunks_of(sound(), known, rate_hz, spec.energy):
            yield chunk

    async def aclose(self) -> None:
        """End the thread; what runs is finished first."""
        await asyncio.to_thread(self._thread.shutdown)

    def _run(self, file: VoiceFile, ids: list[int], speed: float) -> Floats:
        """Samples, float32 of shape (n,). Blocks: the voice's thread."""
        model = self._model(file)
        feeds = _feeds(file, ids, speed, {one.name for one in model.get_inputs()})
        try:
            made = np.asarray(model.run(None, feeds)[0], np.float32).reshape(-1)
        except Exception as error:  # onnxruntime raises classes of its own, some straight from Exception
            raise UpstreamError(f"the voice {file.name!r} failed: {' '.join(str(error).split())[:200]}") from error
        if not np.isfinite(made).all():
            raise UpstreamError(f"the voice {file.name!r} made sound that is not finite")
        return made

    def _model(self, file: VoiceFile) -> Any:
        if file.model not in self._models:
            self._models[file.model] = load(file)
        return self._models[file.model]


def load(file: VoiceFile) -> Any:
    """The model, ready to run. Raises `ConfigError` for what is no model of its kind."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        model = onnxruntime.InferenceSession(str(file.model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise ConfigError(f"{file.model}: cannot be loaded: {' '.join(str(error).split())[:200]}") from error
    names = {one.name for one in model.get_inputs()}
    if missing := _INPUTS[file.kind] - names:
        raise ConfigError(f"{file.model}: no {file.kind} model, it has no input {', '.join(sorted(missing))}")
    return model


def symbols(known: Reference, text: str) -> list[str]:
    """IPA as the models' own phonemiser would write it: stress marks, a space between words, the text's punctuation."""
    written: list[str] = []
    words = list(known.words)
    end = 0
    for phoneme in known.phonemes:
        if not phoneme.symbol:
            continue
        while words and words[0].start_s <= phoneme.start_s + 1e-6:
            word = words.pop(0)
            if written:
                between = text[end : word.begin].translate(_FULL_WIDTH)
                written += [*(mark for mark in between if mark in _MARKS), " "]
            end = word.end
        if phoneme.stress:
            written.append(_STRESS[phoneme.stress])
        written.append(phoneme.symbol)
    return written + [mark for mark in text[end:].translate(_FULL_WIDTH) if mark in _MARKS]


def numbers(written: Sequence[str], file: VoiceFile) -> list[int]:
    """What the model reads; a symbol that it does not know is left out. Empty if nothing is left to say."""
    if file.kind == "kokoro":
        text = "".join(_KOKORO_SYMBOLS.get(one, one) for one in written)
        found = [number for letter in text for number in file.ids.get(letter, ())]
        return found[: len(file.styles) - 1]
    letters = unicodedata.normalize("NFD", "".join(written))
    found = [number for letter in letters if letter in file.ids for number in (*file.ids[letter], *file.ids["_"])]
    return [*file.ids["^"], *file.ids["_"], *found, *file.ids["$"]] if found else []


def _feeds(file: VoiceFile, ids: list[int], speed: float, names: set[str]) -> dict[str, Any]:
    if file.kind == "kokoro":
        tokens = np.array([[0, *ids, 0]], np.int64)
        style = file.styles[min(len(ids), len(file.styles) - 1)].reshape(1, STYLE_SIZE)
        key = "input_ids" if "input_ids" in names else "tokens"
        return {key: tokens, "style": style, "speed": np.array([speed], np.float32)}
    scales = np.array([file.noise[0], file.length_scale / speed, file.noise[1]], np.float32)
    feeds: dict[str, Any] = {
        "input": np.array([ids], np.int64), "input_lengths": np.array([len(ids)], np.int64), "scales": scales,
    }  # fmt: skip
    return feeds | ({"sid": np.array([0], np.int64)} if "sid" in names else {})
