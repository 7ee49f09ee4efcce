"""The sound a session is going to play, laid out on media time; the audio clock is the master of everything else."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm

FADE_SAMPLES = 384
"""8 ms: long enough not to click, short enough to count as at once."""


@dataclass(slots=True)
class _Piece:
    start: int
    pcm: Pcm

    @property
    def end(self) -> int:
        return self.start + len(self.pcm)


class SoundTimeline:
    """PCM by sample index of media time. Written by the conductor, read tick by tick by the audio sender.

    A tick that was read is gone: what is appended later starts after it, so sound is never late, only later."""

    def __init__(self) -> None:
        self._pieces: deque[_Piece] = deque()
        self._read_until = 0

    @property
    def end_s(self) -> float:
        """Media time at which the last appended sample ends, or the next unread tick if nothing is waiting."""
        end = self._pieces[-1].end if self._pieces else 0
        return max(end, self._read_until) / AUDIO_RATE_HZ

    def pending_s(self, now_s: float) -> float:
        """Seconds of sound that wait to be played after `now_s`."""
        if not self._pieces:
            return 0.0
        return max(0.0, self._pieces[-1].end / AUDIO_RATE_HZ - now_s)

    def append(self, pcm: Pcm, not_before_s: float = 0.0) -> float:
        """Put sound after everything that waits, but neither before `not_before_s` nor into a tick that was already
        read. Returns the media time, in seconds, of its first sample."""
        start = max(round(not_before_s * AUDIO_RATE_HZ), self._read_until)
        if self._pieces:
            start = max(start, self._pieces[-1].end)
        if len(pcm):
            self._pieces.append(_Piece(start, pcm))
        return start / AUDIO_RATE_HZ

    def read(self, tick: int) -> Pcm:
        """The 960 samples of one audio tick, silence where nothing was appended. Earlier sound is forgotten."""
        begin = tick * AUDIO_TICK_SAMPLES
        end = begin + AUDIO_TICK_SAMPLES
        self._read_until = max(self._read_until, end)
        while self._pieces and self._pieces[0].end <= begin:
            self._pieces.popleft()
        return self._laid(begin, end)

    def waiting(self, begin: int, end: int) -> Pcm:
        """What is going to be played between two samples of media time as things stand, (end - begin,); silence where
        it was read already. Nothing is read by it."""
        out = np.zeros(max(0, end - begin), np.int16)
        first = max(begin, self._read_until)
        if first < end:
            out[first - begin :] = self._laid(first, end)
        return out

    def _laid(self, begin: int, end: int) -> Pcm:
        out = np.zeros(end - begin, np.int16)
        for piece in self._pieces:
            if piece.start >= end:
                break
            lo, hi = max(begin, piece.start), min(end, piece.end)
            if lo < hi:
                out[lo - begin : hi - begin] = piece.pcm[lo - piece.start : hi - piece.start]
        return out

    def cut(self, now_s: float) -> float:
        """Silence: what sounds now fades out over 8 ms, the rest is dropped. Returns seconds of sound dropped."""
        at = max(round(now_s * AUDIO_RATE_HZ), self._read_until)
        kept: deque[_Piece] = deque()
        dropped = 0
        for piece in self._pieces:
            if piece.end <= at:
                kept.append(piece)
            elif piece.start >= at + FADE_SAMPLES:
                dropped += len(piece.pcm)
            else:
                faded = _fade_out(piece, at)
                dropped += len(piece.pcm) - len(faded.pcm)
                kept.append(faded)
        self._pieces = kept
        return dropped / AUDIO_RATE_HZ


def _fade_out(piece: _Piece, at: int) -> _Piece:
    """The piece with a raised-cosine fade to zero over [at, at + FADE_SAMPLES) and nothing after it."""
    pcm = piece.pcm[: max(0, at + FADE_SAMPLES - piece.start)].astype(np.float32)
    index = np.arange(piece.start, piece.start + len(pcm)) - at
    gain = np.where(index < 0, 1.0, 0.5 + 0.5 * np.cos(np.pi * np.clip(index / FADE_SAMPLES, 0.0, 1.0)))
    return _Piece(piece.start, (pcm * gain).astype(np.int16))
