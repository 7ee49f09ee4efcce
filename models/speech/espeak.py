"""The embedded voice: espeak-ng in worker processes, streamed as 48 kHz chunks with phonemes and words."""

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator
from typing import Any, Final

from models.speech import frames
from models.speech.catalogue import Tuning, VoiceInfo, resolve_language, resolve_voice, tuning, voices
from models.speech.segments import Part, split
from models.speech.stitch import Stitcher
from models.speech.workers import WorkerPool
from realtime.core.errors import InvalidField, TooLarge
from realtime.core.values import SpeechChunk, VoiceSpec

MAX_CHARACTERS: Final = 5_000
_AHEAD_PARTS: Final = 2
"""Synthesised parts that may wait to be taken."""

_PITCH_UNITS_PER_NEPER: Final = 116.0
"""Measured: 25 units of the engine's pitch are a factor of 1.24."""
_FACTORS: Final = (0.5, 2.0)
_ENERGIES: Final = (0.0, 1.5)


class EspeakVoice:
    """Implements `realtime.ports.Voice`. One instance serves all sessions of an event loop."""

    def __init__(self, pool: WorkerPool | None = None) -> None:
        self._pool = pool or WorkerPool()

    async def warm_up(self) -> None:
        """Start the workers and compute the filters ahead of the first utterance."""
        await self._pool.warm_up()
        async for _ in self.speak("a", VoiceSpec()):
            pass

    def voices(self) -> tuple[VoiceInfo, ...]:
        """The catalogue, default first."""
        return voices()

    def check(self, text: str, spec: VoiceSpec) -> tuple[str, str]:
        """Name and language that would speak; raises TooLarge, InvalidField or NotFound as `speak` would."""
        if len(text) > MAX_CHARACTERS:
            raise TooLarge(f"the text has {len(text)} characters", field="text", limit=f"{MAX_CHARACTERS} characters")
        for field, value, (low, high) in (
            ("rate", spec.rate, _FACTORS),
            ("pitch", spec.pitch, _FACTORS),
            ("energy", spec.energy, _ENERGIES),
        ):
            if not (math.isfinite(value) and low <= value <= high):
                raise InvalidField(f"{field} is {value}", field=field, limit=f"{low:g} to {high:g}")
        return resolve_voice(spec.name), resolve_language(spec.language)

    def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        """Stream one utterance of up to 5 000 characters. Bad arguments raise at once, before the first chunk."""
        name, language = self.check(text, spec)
        return self._stream(text, split(text, language), name, spec)

    async def aclose(self) -> None:
        """End the workers."""
        await self._pool.aclose()

    async def _stream(
        self, text: str, parts: tuple[Part, ...], name: str, spec: VoiceSpec
    ) -> AsyncIterator[SpeechChunk]:
        stitcher = Stitcher(text)
        feed = _Feed(self._pool, parts, name, spec)
        try:
            async for part, settings, kind, payload in feed:
                if kind == frames.EVENTS:
                    stitcher.events(json.loads(payload))
                elif kind == frames.AUDIO:
                    stitcher.audio(payload)
                else:
                    stitcher.begin_part(part, settings.gain_db + _energy_db(spec.energy))
                for chunk in stitcher.ready():
                    yield chunk
        finally:
            await feed.aclose()
        for chunk in stitcher.finish():
            yield chunk


def _energy_db(energy: float) -> float:
    return 20.0 * math.log10(max(energy, 1e-4))


def _request(part: Part, settings: Tuning, spec: VoiceSpec) -> dict[str, Any]:
    return {
        "voice": settings.engine_voice,
        "rate": round(min(max(settings.words_per_minute * spec.rate, 80), 450)),
        "pitch": round(min(max(settings.pitch + _PITCH_UNITS_PER_NEPER * math.log(spec.pitch), 0), 99)),
        "range": settings.range,
        "text": part.text,
        "pause": part.pause,
    }


_Item = tuple[Part, Tuning, bytes, bytes]


class _Feed:
    """Reads part after part from the workers as fast as they come, so that a slow listener never holds a worker."""

    def __init__(self, pool: WorkerPool, parts: tuple[Part, ...], name: str, spec: VoiceSpec) -> None:
        self._pool, self._parts, self._name, self._spec = pool, parts, name, spec
        self._items: asyncio.Queue[_Item | BaseException | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(_AHEAD_PARTS)
        self._task = asyncio.create_task(self._read())

    def __aiter__(self) -> "_Feed":
        return self

    async def __anext__(self) -> _Item:
        item = await self._items.get()
        if item is None:
            raise StopAsyncIteration
        if isinstance(item, BaseException):
            raise item
        if item[2] == frames.SPEAK:
            self._room.release()
        return item

    async def aclose(self) -> None:
        """Stop reading; a job under way is cancelled."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _read(self) -> None:
        try:
            for part in self._parts:
                await self._room.acquire()
                settings = tuning(self._name, part.language)
                self._items.put_nowait((part, settings, frames.SPEAK, b""))
                async with contextlib.aclosing(self._pool.run(_request(part, settings, self._spec))) as job:
                    async for kind, payload in job:
                        self._items.put_nowait((part, settings, kind, payload))
            self._items.put_nowait(None)
        except Exception as error:
            self._items.put_nowait(error)
