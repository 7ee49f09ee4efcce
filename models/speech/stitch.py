"""Joins a synthesiser's raw sound and events, part after part, into the contiguous chunks of one utterance."""

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

import numpy as np

from models.speech.resample import Resampler
from models.speech.segments import Part, is_han
from models.speech.tone import Floats, Limiter, Shaper
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm, Phoneme, SpeechChunk, Word

ENGINE_RATE_HZ: Final = 22_050
FIRST_CHUNK_SAMPLES: Final = AUDIO_TICK_SAMPLES
CHUNK_SAMPLES: Final = 3 * AUDIO_TICK_SAMPLES
LOOK_AHEAD_S: Final = 0.3
"""A chunk leaves when the phonemes are known for this long after its end: lips move before the sound."""

_SILENCE: Final = 10.0 ** (-54.0 / 20.0)
_LEAD_IN_SAMPLES: Final = ENGINE_RATE_HZ // 200
"""5 ms before the first sound is kept and faded in."""
_STRESS: Final = {"ˈ": 2, "ˌ": 1}
_STRONGEST: Final = {"zh": 1}
"""In Mandarin the engine marks every full tone as stressed."""
_WORD: Final = re.compile(r"[^\W_]+(?:['’\-.][^\W_]+)*")

Event = tuple[str, int, int, int, str]
"""Kind, sample, character position, length, symbol; see `frames`."""


class _Lead:
    """Cuts off the silence before the first sound of an utterance."""

    def __init__(self) -> None:
        self._held: Floats | None = np.zeros(0, np.float32)
        self.trimmed = 0  # samples

    def push(self, samples: Floats) -> Floats:
        """Feed a buffer; returns what is kept of it."""
        if self._held is None:
            return samples
        lead = np.concatenate([self._held, samples])
        loud = np.flatnonzero(np.abs(lead) > _SILENCE)
        begin = max(0, int(loud[0] if len(loud) else len(lead)) - _LEAD_IN_SAMPLES)
        self.trimmed += begin
        kept: Floats = lead[begin:].copy()
        if not len(loud):
            self._held = kept
            return np.zeros(0, np.float32)
        self._held = None
        fade = min(_LEAD_IN_SAMPLES, len(kept))
        kept[:fade] *= np.linspace(0.0, 1.0, fade, dtype=np.float32)
        return kept


class _Finish:
    """Raw sound at the engine's rate to finished int16 at 48 kHz."""

    def __init__(self) -> None:
        self._shaper = Shaper(ENGINE_RATE_HZ)
        self._resampler = Resampler(ENGINE_RATE_HZ, AUDIO_RATE_HZ)
        self._limiter = Limiter(AUDIO_RATE_HZ)
        self._fed = False

    def push(self, samples: Floats) -> Pcm:
        """Process one buffer; returns what is finished."""
        self._fed = True
        return _to_pcm(self._limiter.push(self._resampler.push(self._shaper.push(samples))))

    def flush(self) -> Pcm:
        """The rest, with the room's tail; nothing if there was no sound."""
        if not self._fed:
            return np.zeros(0, np.int16)
        rest = np.concatenate([self._resampler.push(self._shaper.flush()), self._resampler.flush()])
        return _to_pcm(np.concatenate([self._limiter.push(rest), self._limiter.flush()]))


class _Marks:
    """Collects phonemes and words with absolute times; a phoneme is complete when the next one's start is known."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._phoneme: tuple[float, str, int] | None = None
        self._word: tuple[float, int, int] | None = None
        self.phonemes: list[Phoneme] = []
        self.words: list[Word] = []
        self.known_s = 0.0

    def phoneme(self, start_s: float, symbol: str, position: int, strongest: int) -> None:
        """A phoneme begins, which ends the one before; it also tells when its word really begins to sound."""
        self._close_phoneme(start_s)
        self._phoneme = (start_s, symbol.strip("ˈˌ"), min(strongest, _STRESS.get(symbol[:1], 0)))
        self.known_s = start_s
        if self._word is not None and position == self._word[1] and not np.isfinite(self._word[0]):
            self._word = (start_s, *self._word[1:])

    def word(self, position: int, length: int) -> None:
        """A word begins at this offset of the utterance's text."""
        if self._word is not None and position <= self._word[1]:
            return
        self.close_word(position)
        self._word = (float("inf"), position, length)

    def close_word(self, next_begin: int) -> None:
        """The word under way is complete."""
        if self._word is None:
            return
        start_s, begin, length = self._word
        end = min(self._word_end(begin, length), next_begin)
        self._word = None
        if np.isfinite(start_s) and end > begin:
            self.words.append(Word(start_s, begin, end))

    def close(self, end_s: float) -> None:
        """Everything up to here is complete."""
        self._close_phoneme(end_s)
        self.close_word(len(self._text))
        self.known_s = float("inf")

    def _close_phoneme(self, end_s: float) -> None:
        if self._phoneme is None:
            return
        start_s, symbol, stress = self._phoneme
        self._phoneme = None
        if end_s > start_s:
            self.phonemes.append(Phoneme(symbol, start_s, end_s, stress))

    def _word_end(self, begin: int, length: int) -> int:
        if begin < len(self._text) and is_han(self._text[begin]):
            end = begin + 1
            while end < len(self._text) and is_han(self._text[end]):
                end += 1
            return end
        found = _WORD.match(self._text, begin)
        return found.end() if found else begin + length


class Stitcher:
    """Feed `begin_part`, `events` and `audio` as they arrive; take chunks from `ready`; end with `finish`.

    Sound is finished only as far as a chunk needs it, so that the first one does not wait for the rest."""

    def __init__(self, text: str) -> None:
        self._lead, self._finish = _Lead(), _Finish()
        self._marks = _Marks(text)
        self._raw: deque[Floats] = deque()
        self._pieces: deque[Pcm] = deque()
        self._waiting = 0  # finished samples not yet sent
        self._sent = 0
        self._fed = 0  # engine samples of all parts so far
        self._part: Part | None = None
        self._part_offset = 0
        self._gain = 1.0

    def begin_part(self, part: Part, gain_db: float) -> None:
        """The events and sound that follow belong to this part."""
        self._part, self._part_offset = part, self._fed
        self._gain = 10.0 ** (gain_db / 20.0)

    def events(self, events: list[Event]) -> None:
        """Phonemes and words; positions count in the part's text."""
        assert self._part is not None
        for kind, sample, position, length, symbol in events:
            position = self._part.origin(position)
            if kind == "w":
                self._marks.word(position, length)
            elif not symbol.startswith("("):  # "(en)" announces a change of language
                self._marks.phoneme(self._time_s(sample), symbol, position, _STRONGEST.get(self._part.language, 2))

    def audio(self, payload: bytes) -> None:
        """Raw sound of the engine."""
        samples = np.frombuffer(payload, "<i2").astype(np.float32) * np.float32(self._gain / 32768.0)
        self._fed += len(samples)
        if len(kept := self._lead.push(samples)):
            self._raw.append(kept)

    def ready(self) -> Iterator[SpeechChunk]:
        """The chunks that can leave now."""
        while True:
            size = self._next_size
            if (self._sent + size) / AUDIO_RATE_HZ + LOOK_AHEAD_S > self._marks.known_s or not self._provide(size):
                return
            yield self._chunk(size)

    def finish(self) -> Iterator[SpeechChunk]:
        """All that is left, the last chunk marked. Without any sound that is one empty chunk."""
        self._marks.close(self._time_s(self._fed - self._part_offset))
        while self._provide(self._next_size):
            yield self._chunk(self._next_size)
        self._keep(self._finish.flush())
        while self._waiting > CHUNK_SAMPLES:
            yield self._chunk(self._next_size)
        yield self._chunk(self._waiting, last=True)

    @property
    def _next_size(self) -> int:
        return CHUNK_SAMPLES if self._sent else FIRST_CHUNK_SAMPLES

    def _time_s(self, sample: int) -> float:
        return max(0.0, (self._part_offset + sample - self._lead.trimmed) / ENGINE_RATE_HZ)

    def _provide(self, samples: int) -> bool:
        """Finish raw sound until so many samples wait, if there is enough."""
        while self._waiting < samples and self._raw:
            self._keep(self._finish.push(self._raw.popleft()))
        return self._waiting >= samples

    def _keep(self, pcm: Pcm) -> None:
        if len(pcm):
            self._pieces.append(pcm)
            self._waiting += len(pcm)

    def _chunk(self, size: int, *, last: bool = False) -> SpeechChunk:
        joined = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)
        self._pieces.clear()
        pcm, rest = joined[:size], joined[size:]
        self._waiting = 0
        self._keep(rest)
        start_s = self._sent / AUDIO_RATE_HZ
        self._sent += size
        chunk = SpeechChunk(start_s, pcm, tuple(self._marks.phonemes), tuple(self._marks.words), last)
        self._marks.phonemes, self._marks.words = [], []
        return chunk


def _to_pcm(samples: Floats) -> Pcm:
    pcm: Pcm = np.clip(np.rint(samples * 32767.0), -32768, 32767).astype(np.int16)
    return pcm
