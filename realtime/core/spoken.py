"""What a session says around a moment of media time: what was played lately, and what is going to be played as things
stand; and how much of a mouth that a net makes from it is shown."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from realtime.core.breaker import Breaker
from realtime.core.sound import SoundTimeline
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_S, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm

KEPT_S: Final = 2.0
"""Sound is remembered for so long after it was played."""
NEAR_S: Final = 0.12
"""A mouth moves with sound that is this near."""
SILENT_LEVEL: Final = 32
"""Samples up to this size are silence: about -60 dB of full scale."""
FADE_FRAMES: Final = 3
"""Over so many frames a made mouth takes a drawn one's place, and gives it back."""
REST_S: Final = 2.0
"""After a mouth that was not ready in time the drawn one is shown for at least so long: what alternates flickers."""
PROBED_INTERVALS: Final = 3.0
"""A net that is believed to take longer than so many frame intervals is not tried again: a belief that is a little
wrong has to be unlearnt, but no trial makes a device three times as fast."""


@dataclass(frozen=True, slots=True)
class Hears:
    """The sound that a net wants around a moment: it is cut on a grid, so that moments close together share a cut."""

    before_s: float = 1.0
    step_s: float = 0.2
    after_s: float = 0.2

    def span(self, media_s: float) -> tuple[int, int]:
        """First sample and the one after the last, at 48 kHz of media time; the first may lie before time's begin."""
        step = round(self.step_s * AUDIO_RATE_HZ)
        begin = round(media_s * AUDIO_RATE_HZ) // step * step
        return begin - round(self.before_s * AUDIO_RATE_HZ), begin + step + round(self.after_s * AUDIO_RATE_HZ)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Sound at 48 kHz; `begin` is its first sample's place in media time."""

    begin: int
    pcm: Pcm

    @property
    def start_s(self) -> float:
        """Media time of its first sample."""
        return self.begin / AUDIO_RATE_HZ

    def sounds(self, media_s: float) -> bool:
        """Whether anything is to be heard near a moment."""
        at, near = round(media_s * AUDIO_RATE_HZ) - self.begin, round(NEAR_S * AUDIO_RATE_HZ)
        part = self.pcm[max(0, at - near) : max(0, at + near)]
        return bool(len(part)) and int(np.abs(part.astype(np.int32)).max()) > SILENT_LEVEL


class Spoken:
    """One session's, on its event loop: read the sound timeline through it. Sound that an interruption cut off is in
    no stretch that is asked for afterwards, for it is in the timeline no more."""

    def __init__(self, sound: SoundTimeline) -> None:
        self._sound = sound
        self._ticks: deque[tuple[int, Pcm]] = deque(maxlen=round(KEPT_S / AUDIO_TICK_S))

    def read(self, tick: int) -> Pcm:
        """The timeline's `read`, remembered."""
        pcm = self._sound.read(tick)
        self._ticks.append((tick, pcm))
        return pcm

    def around(self, media_s: float, hears: Hears) -> Stretch:
        """The sound that is wanted for a moment; silence where nothing was played, or nothing is known yet."""
        begin, end = hears.span(media_s)
        out = self._sound.waiting(begin, end)
        for tick, pcm in self._ticks:
            first = tick * AUDIO_TICK_SAMPLES
            lo, hi = max(begin, first), min(end, first + AUDIO_TICK_SAMPLES)
            if lo < hi:
                out[lo - begin : hi - begin] = pcm[lo - first : hi - first]
        return Stretch(begin, out)


@dataclass(slots=True)
class MouthTurn:
    """Whose mouth a session's frames show, the drawn one or the net's, and when the net is asked. One session's.

    Ask `share` before a frame's mouth is made; where it is not 0, tell `made` or `missed` after it."""

    trust: Breaker = field(default_factory=lambda: Breaker(failures=1, rest_s=REST_S))
    _shown: int = 0
    """Of `FADE_FRAMES`, how much the last frame had of the net."""
    _next: int = 0

    def share(self, now_s: float, left_s: float, predicted_s: float, interval_s: float, *, sounds: bool) -> float:
        """How much of the net's mouth the frame is to show, 0 to 1; at 0 the net is not asked. `predicted_s` is what a
        mouth is believed to take, `left_s` what there is for it."""
        self._next = min(FADE_FRAMES, self._shown + 1) if sounds else self._shown - 1
        if self._next <= 0 or self.trust.wait_s(now_s):
            self._shown = 0
            return 0.0
        if predicted_s > PROBED_INTERVALS * interval_s or predicted_s > left_s and self._shown:
            self.missed(now_s)
            return 0.0
        return self._next / FADE_FRAMES

    def made(self) -> None:
        """The mouth was ready in time and is shown."""
        self._shown = self._next
        if self._shown == FADE_FRAMES:
            self.trust.succeeded()

    def missed(self, now_s: float) -> None:
        """It was not: the drawn mouth is shown for a while."""
        self.trust.failed(now_s)
        self._shown = 0

    def leave(self) -> None:
        """Frames have no time for it now; the drawn mouth is shown."""
        self._shown = 0
