"""A recording to be spoken instead of a text: sound with stand-in lips, cut into chunks."""

from dataclasses import dataclass
from typing import Final

from realtime.core.loudness import lips_of
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Pcm, SpeechChunk

CHUNK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Recording:
    """A beat of sound that exists already."""

    chunks: tuple[SpeechChunk, ...]


def recording_of(pcm: Pcm) -> Recording:
    """A recording of this sound (mono, 48 kHz)."""
    lips = lips_of(pcm)
    size = round(CHUNK_S * AUDIO_RATE_HZ)
    chunks = []
    for begin in range(0, len(pcm), size):
        start_s, end_s = begin / AUDIO_RATE_HZ, (begin + size) / AUDIO_RATE_HZ
        inside = tuple(one for one in lips if start_s <= one.start_s < end_s)
        piece = pcm[begin : begin + size]
        chunks.append(SpeechChunk(start_s, piece, inside, last=begin + size >= len(pcm)))
    return Recording(tuple(chunks))
