"""A voice that remembers what it said: the same sentence in the same voice sounds again without being synthesised."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from realtime.core.cache import ByteLru, CacheCounters
from realtime.core.values import SpeechChunk, VoiceSpec
from realtime.ports import Voice

_ITEM_BYTES: Final = 200
"""What a phoneme or a word takes: the object, its two numbers and its symbol."""
_CHUNK_BYTES: Final = 420
"""What a chunk takes beside its sound: the objects of array and chunk, and the heap's own bookkeeping."""
_SPEC_DIGITS: Final = 2
"""Steps of a hundredth in rate, pitch and energy are not heard; finer ones, as a fading emotion makes, would have each
sentence synthesised anew."""


class RememberedVoice:
    """The port `Voice` before another one. Only what was spoken to its end is kept, whole, sound read-only."""

    def __init__(self, voice: Voice, budget_bytes: int) -> None:
        self._voice = voice
        self._said: ByteLru[tuple[str, VoiceSpec], tuple[SpeechChunk, ...]] = ByteLru(budget_bytes)

    @property
    def counters(self) -> CacheCounters:
        """Sentences that sounded again, that were synthesised, and that made room."""
        return self._said.counters

    @property
    def size_bytes(self) -> int:
        """Bytes held now."""
        return self._said.size_bytes

    async def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        """As the port says, with the spec's factors to a hundredth."""
        spec = replace(
            spec,
            rate=round(spec.rate, _SPEC_DIGITS),
            pitch=round(spec.pitch, _SPEC_DIGITS),
            energy=round(spec.energy, _SPEC_DIGITS),
        )
        kept = self._said.get((text, spec))
        if kept is not None:
            for chunk in kept:
                yield chunk
            return
        said: list[SpeechChunk] = []
        async with aclosing(self._voice.speak(text, spec)) as chunks:  # type: ignore[type-var]  # voices are generators
            async for chunk in chunks:
                # a part of a larger array would keep all of that
                kept_chunk = chunk if chunk.pcm.base is None else replace(chunk, pcm=chunk.pcm.copy())
                kept_chunk.pcm.flags.writeable = False
                said.append(kept_chunk)
                yield kept_chunk
        if said:
            self._said.put((text, spec), tuple(said), sum(map(_size_bytes, said)))

    async def aclose(self) -> None:
        """Release the voice behind it."""
        await self._voice.aclose()


def _size_bytes(chunk: SpeechChunk) -> int:
    return int(chunk.pcm.nbytes) + _CHUNK_BYTES + _ITEM_BYTES * (len(chunk.phonemes) + len(chunk.words))
