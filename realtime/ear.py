"""One microphone on the hearing thread: encoded packets or PCM in, what became clear out."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from realtime.core.echo import EchoGuard
from realtime.core.listening import (
    HEARING_RATE_HZ,
    SILENT_DB,
    WINDOW_S,
    WINDOW_SAMPLES,
    Decimator,
    NoiseFloor,
    Window,
    Windows,
    level_db,
    pitch_hz,
)
from realtime.core.turns import ABOVE_FLOOR_DB, KEEP_SPEECH, TurnEvent, TurnTaker
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_S, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm
from realtime.ports import SpeechDetector

PlayedTick = tuple[int, Pcm]
"""Number of an audio tick and what was played in it."""

QUIET_DB: Final = -66.0
"""Below this nobody speaks, and the network is not asked: a muted microphone costs next to nothing."""
LEAD_S: Final = 0.3
"""Sound kept from before a turn's first voice: weak beginnings belong to the words."""
ONGOING_S: Final = 0.8
"""How often a turn that goes on is reported with its sound, for interim words."""
JUMP_S: Final = 0.25
"""Sound that is this far from when it should arrive starts a new time line."""
AHEAD_S: Final = 1.0
"""Sound that runs this far ahead of time comes from no microphone and is dropped."""
_SPLICED: Final = 2 * WINDOW_SAMPLES


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What became clear about a turn. Sound is int16 at 16 kHz and begins LEAD_S before the turn's first voice."""

    kind: Literal["started", "ongoing", "paused", "resumed", "ended", "dismissed"]
    at_s: float
    from_s: float
    until_s: float
    pcm: Pcm
    """The turn so far; empty except for `ongoing`, `paused` and `ended`."""
    windows: tuple[Window, ...] = ()
    """The whole turn's, with `ended`."""


_NOTHING: Final = np.zeros(0, np.int16)


class Played:
    """What the session has played lately, for telling its echo. Written by the egress's reader of sound."""

    def __init__(self, read: Callable[[int], Pcm]) -> None:
        self._read = read
        self._ticks: deque[PlayedTick] = deque(maxlen=round(2.0 / AUDIO_TICK_S))

    def read(self, tick: int) -> Pcm:
        """The sound timeline's `read`, remembered."""
        pcm = self._read(tick)
        self._ticks.append((tick, pcm))
        return pcm

    def since(self, tick: int) -> tuple[PlayedTick, ...]:
        """What was played after this tick."""
        return tuple(one for one in self._ticks if one[0] > tick)


class Ear:
    """All methods are called on the hearing thread, in order.

    `decode` turns a packet's payload into mono PCM at 48 kHz; an empty payload stands for a lost packet."""

    def __init__(self, detector: SpeechDetector, decode: Callable[[bytes], Pcm]) -> None:
        self._detector = detector
        self._decode = decode
        self._decimator, self._windows = Decimator(), Windows()
        self._played = Decimator()
        self._played_tick = -1
        self._guard = EchoGuard()
        self._floor = NoiseFloor()
        self._turns = TurnTaker()
        self._origin_s: float | None = None
        self._samples = 0
        self._before = _NOTHING
        self._lead: deque[Pcm] = deque(maxlen=round(LEAD_S / WINDOW_S) + 5)
        self._turn: list[Pcm] = []
        self._turn_windows: list[Window] = []
        self._reported_s = 0.0
        self.dropped = 0
        """Pieces of sound that ran ahead of time."""

    @property
    def speaking(self) -> bool:
        """Whether a turn is under way."""
        return self._turns.speaking

    @property
    def echo_lag_s(self) -> float | None:
        """How long the host's own sound takes to come back, once it was found."""
        return self._guard.lag_s

    def hear(self, piece: bytes | Pcm, arrived_s: float, played: Sequence[PlayedTick]) -> list[Heard]:
        """Take in a packet or PCM that arrived at this media time, and what was played since the last call."""
        pcm = self._decode(piece) if isinstance(piece, bytes) else piece
        for tick, sound in played:
            self._take_played(tick, sound)
        found = self._decimator.push(pcm)
        if not self._timed(len(pcm) / AUDIO_RATE_HZ, arrived_s):
            self.dropped += 1
            return []
        return [heard for window in self._windows.push(found) for heard in self._window(window)]

    def close(self, now_s: float) -> list[Heard]:
        """No more sound comes for now: a turn under way is over."""
        event = self._turns.close(now_s)
        self._origin_s = None
        self._detector.reset()
        return list(self._report(event)) if event is not None else []

    def _timed(self, length_s: float, arrived_s: float) -> bool:
        """Keep the time line of samples with the arrivals. False for sound that runs ahead of time."""
        end_s = arrived_s if self._origin_s is None else self._origin_s + self._samples / HEARING_RATE_HZ + length_s
        if end_s > arrived_s + AHEAD_S:
            return False
        if self._origin_s is None or abs(end_s - arrived_s) > JUMP_S:
            self._origin_s = arrived_s - length_s - self._samples / HEARING_RATE_HZ
        return True

    def _take_played(self, tick: int, sound: Pcm) -> None:
        if tick <= self._played_tick:
            return
        if tick != self._played_tick + 1:
            self._played = Decimator()
        self._played_tick = tick
        end_s = (tick + 1) * AUDIO_TICK_SAMPLES / AUDIO_RATE_HZ
        self._guard.played(self._played.push(sound), round(end_s * HEARING_RATE_HZ))

    def _window(self, sound: Pcm) -> Iterator[Heard]:
        assert self._origin_s is not None
        self._samples += len(sound)
        window = self._described(sound, self._origin_s + self._samples / HEARING_RATE_HZ)
        self._before = sound
        event = self._turns.feed(window)
        if self._turns.speaking and not self._turn:
            self._turn = list(self._lead)
        if self._turn:
            self._turn.append(sound)
            self._turn_windows.append(window)
        else:
            self._lead.append(sound)
        if event is not None:
            yield from self._report(event)
        elif self._turns.speaking and window.end_s - self._reported_s >= ONGOING_S:
            self._reported_s = window.end_s
            yield Heard("ongoing", window.end_s, window.end_s, window.end_s, np.concatenate(self._turn))

    def _described(self, sound: Pcm, end_s: float) -> Window:
        loud_db = level_db(sound)
        floor_db = self._floor.update(loud_db) if loud_db > SILENT_DB else self._floor.level_db
        above_db = loud_db - floor_db
        quiet = loud_db < QUIET_DB or above_db < ABOVE_FLOOR_DB
        unexplained = self._guard.hear(sound, round(end_s * HEARING_RATE_HZ), quiet=quiet)
        if loud_db < QUIET_DB:
            return Window(end_s, 0.0, loud_db, above_db)
        speech = self._detector(sound)
        pitch = None
        if speech >= KEEP_SPEECH:
            pitch = pitch_hz(np.concatenate([self._before, sound])[-_SPLICED:])
        if unexplained is None:
            return Window(end_s, speech, loud_db, above_db, 1.0, pitch)
        return Window(end_s, speech, loud_db, above_db, unexplained, pitch, not self._guard.sure)

    def _report(self, event: TurnEvent) -> Iterator[Heard]:
        self._reported_s = event.at_s
        over = event.kind in ("ended", "dismissed")
        pcm = np.concatenate(self._turn) if self._turn and event.kind in ("paused", "ended") else _NOTHING
        windows = tuple(self._turn_windows) if event.kind == "ended" else ()
        if over:
            self._lead.clear()
            self._turn, self._turn_windows = [], []
        yield Heard(event.kind, event.at_s, event.from_s, event.until_s, pcm, windows)
