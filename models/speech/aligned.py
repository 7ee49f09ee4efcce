"""A foreign voice's sound as the chunks a host speaks with: at 48 kHz, limited, with phonemes and words in time."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

import numpy as np

from models.speech.alignment import Aligner, Floats, Reference
from models.speech.espeak import EspeakVoice
from models.speech.resample import Resampler
from models.speech.stitch import CHUNK_SAMPLES, FIRST_CHUNK_SAMPLES
from models.speech.tone import Limiter
from realtime.core.errors import UpstreamError
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Pcm, SpeechChunk, VoiceSpec

LOOK_AHEAD_S: Final = 0.2
"""A chunk leaves when it is decided for this long after its end what sounds: lips move before the sound."""
MAX_SPEECH_S: Final = 120.0
"""One sentence that lasts longer is a fault."""
_RATE_GRID_HZ: Final = 600
_SILENCE: Final = 10.0 ** (-50.0 / 20.0)
_LEAD_IN: Final = AUDIO_RATE_HZ // 200


async def reference(voice: EspeakVoice, text: str, language: str) -> Reference:
    """The text as the embedded voice speaks it."""
    chunks = [chunk async for chunk in voice.speak(text, VoiceSpec(language=language))]
    sound = np.concatenate([chunk.pcm for chunk in chunks]).astype(np.float32) / 32768.0
    phonemes = tuple(one for chunk in chunks for one in chunk.phonemes)
    return Reference(sound, phonemes, tuple(one for chunk in chunks for one in chunk.words))


def pitched_rate_hz(rate_hz: int, pitch: float) -> int:
    """The rate that sound is taken to have so that it plays higher by a factor; the speaker is asked to be slower by
    the same. Kept on a grid, so that the resampler's filters stay small."""
    if abs(pitch - 1.0) < 0.01:
        return rate_hz
    return max(_RATE_GRID_HZ, round(rate_hz * pitch / _RATE_GRID_HZ) * _RATE_GRID_HZ)


async def chunks_of(
    sound: AsyncIterator[Floats], known: Reference, rate_hz: int, energy: float
) -> AsyncIterator[SpeechChunk]:
    """Speech chunks of an utterance from its sound (float32 mono at `rate_hz`, in pieces). Silence before the first
    sound is cut off. Raises `UpstreamError` for sound without an end."""
    resampler, limiter, cut = Resampler(rate_hz, AUDIO_RATE_HZ), Limiter(AUDIO_RATE_HZ), _Cut()
    aligner, out = Aligner(known), _Out()
    gain = np.float32(energy)
    taken = 0
    async with aclosing(_whole(sound)) as pieces:
        async for piece in pieces:
            taken += len(piece)
            if taken > MAX_SPEECH_S * rate_hz:
                raise UpstreamError(f"one sentence lasts longer than {MAX_SPEECH_S:g} s")
            if len(fresh := cut.push(resampler.push(piece))):
                aligner.push(fresh)
                aligner.decide()
                out.add(limiter.push(fresh * gain))
                for chunk in out.ready(aligner):
                    yield chunk
    rest = cut.push(resampler.flush()) if taken else np.zeros(0, np.float32)
    aligner.push(rest)
    aligner.finish()
    out.add(np.concatenate([limiter.push(rest * gain), limiter.flush()]))
    for chunk in out.ready(aligner):
        yield chunk
    yield out.last(aligner)


async def _whole(sound: AsyncIterator[Floats]) -> AsyncGenerator[Floats, None]:
    """The same, closed with its reader."""
    try:
        async for piece in sound:
            yield piece
    finally:
        close = getattr(sound, "aclose", None)
        if close is not None:
            await close()


class _Cut:
    """Cuts off what is silent before the first sound."""

    def __init__(self) -> None:
        self._begun = False

    def push(self, samples: Floats) -> Floats:
        if self._begun or not len(samples):
            return samples
        loud = np.flatnonzero(np.abs(samples) > _SILENCE)
        if not len(loud):
            return samples[:0]
        self._begun = True
        kept: Floats = samples[max(0, int(loud[0]) - _LEAD_IN) :].copy()
        fade = min(_LEAD_IN, len(kept))
        kept[:fade] *= np.linspace(0.0, 1.0, fade, dtype=np.float32)
        return kept


class _Out:
    """Cuts finished sound into chunks."""

    def __init__(self) -> None:
        self._waiting: Pcm = np.zeros(0, np.int16)
        self._sent = 0

    def add(self, samples: Floats) -> None:
        pcm = np.clip(np.rint(samples * 32767.0), -32768, 32767).astype(np.int16)
        self._waiting = np.concatenate([self._waiting, pcm])

    def ready(self, aligner: Aligner) -> list[SpeechChunk]:
        """What can leave now."""
        made = []
        while len(self._waiting) > (size := CHUNK_SAMPLES if self._sent else FIRST_CHUNK_SAMPLES):
            if (self._sent + size) / AUDIO_RATE_HZ + LOOK_AHEAD_S > aligner.known_s:
                break
            made.append(self._chunk(size, aligner))
        return made

    def last(self, aligner: Aligner) -> SpeechChunk:
        return self._chunk(len(self._waiting), aligner, last=True)

    def _chunk(self, size: int, aligner: Aligner, *, last: bool = False) -> SpeechChunk:
        phonemes, words = aligner.take()
        chunk = SpeechChunk(self._sent / AUDIO_RATE_HZ, self._waiting[:size], phonemes, words, last)
        self._waiting = self._waiting[size:]
        self._sent += size
        return chunk
