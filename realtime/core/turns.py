"""When a viewer begins to speak, pauses and has finished: decisions on windows of sound, on their own times.

A turn ends with a silence. How long that has to be adapts: somebody who has paused within a turn and gone on is given
more time, up to a second. Human turn gaps have their mode near 200 ms (Stivers et al., *Universals and cultural
variation in turn-taking in conversation*, PNAS 2009), but pauses within turns are often longer: silence alone cannot
tell them apart, so the wait is a compromise, and answering is prepared during it.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

from realtime.core.listening import WINDOW_S, Window

SPEECH: Final = 0.5
"""Probability from which a window counts as speech, as the detector's authors use it."""
KEEP_SPEECH: Final = 0.35
"""Within a turn less is enough: word endings are weak."""
ABOVE_FLOOR_DB: Final = 6.0
UNEXPLAINED: Final = 0.6
"""Share of a window's energy that must be the viewer's own while the host can be heard."""
ONSET_WINDOWS: Final = 4
"""128 ms of voice make a beginning, and an interruption: a click or a cough's edge is shorter."""
ONSET_OF: Final = 5
"""Out of so many windows."""
DOUBTFUL_WINDOWS: Final = 26
DOUBTFUL_OF: Final = 28
"""0.8 s of voice are asked for while an echo may come back that is not known yet."""
PAUSE_S: Final = 0.2
"""A silence from which on the turn may be over: an answer is prepared."""
PATIENCE_S: Final = 0.6
PATIENCE_MAX_S: Final = 1.0
_PATIENCE_FACTOR: Final = 1.25
"""How much longer than this speaker's pauses the host waits."""
_PAUSES_KEPT: Final = 8
MIN_VOICED_S: Final = 0.2
"""Less voice than this is no turn."""
MAX_TURN_S: Final = 25.0
"""A longer turn is cut here and answered: recognisers take half a minute at most."""

Kind = Literal["started", "paused", "resumed", "ended", "dismissed"]


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """What has become clear: `started` (somebody speaks), `paused` (silence since `until_s`), `resumed`, `ended` (the
    turn was `from_s` to `until_s`), `dismissed` (it was no speech after all)."""

    kind: Kind
    at_s: float
    """When it was decided."""
    from_s: float
    """When the turn began."""
    until_s: float
    """End of the last voice in it."""


class TurnTaker:
    """One microphone's. Feed windows in order; each gives at most one event."""

    def __init__(self) -> None:
        self._recent: deque[bool] = deque(maxlen=DOUBTFUL_OF)
        self._from_s: float | None = None
        self._voice_s = 0.0
        self._voiced_s = 0.0
        self._paused = False
        self._pauses: deque[float] = deque(maxlen=_PAUSES_KEPT)

    @property
    def speaking(self) -> bool:
        """Whether a turn is under way."""
        return self._from_s is not None

    @property
    def patience_s(self) -> float:
        """The silence after which this speaker has finished."""
        if not self._pauses:
            return PATIENCE_S
        longest_s = sorted(self._pauses)[-max(1, len(self._pauses) // 4)]
        return min(PATIENCE_MAX_S, max(PATIENCE_S, _PATIENCE_FACTOR * longest_s))

    def feed(self, window: Window) -> TurnEvent | None:
        """Take the next window in."""
        if self._from_s is None:
            return self._wait(window)
        if self._is_voice(window, KEEP_SPEECH):
            return self._voice(window, self._from_s)
        silence_s = window.end_s - self._voice_s
        if silence_s >= self.patience_s:
            return self._end(window, self._from_s)
        if silence_s >= PAUSE_S and not self._paused:
            self._paused = True
            return TurnEvent("paused", window.end_s, self._from_s, self._voice_s)
        return None

    def close(self, at_s: float) -> TurnEvent | None:
        """The microphone is gone: what was said counts."""
        if self._from_s is None:
            return None
        return self._finish("ended" if self._voiced_s >= MIN_VOICED_S else "dismissed", at_s, self._from_s)

    def _is_voice(self, window: Window, least: float) -> bool:
        return (
            window.speech >= least and window.above_floor_db >= ABOVE_FLOOR_DB and window.unexplained >= UNEXPLAINED
        )

    def _wait(self, window: Window) -> TurnEvent | None:
        self._recent.append(self._is_voice(window, SPEECH))
        asked, of = (DOUBTFUL_WINDOWS, DOUBTFUL_OF) if window.doubtful else (ONSET_WINDOWS, ONSET_OF)
        looked_at = list(self._recent)[-of:]
        if not looked_at[-1] or sum(looked_at) < asked:
            return None
        self._from_s = window.end_s - (len(looked_at) - looked_at.index(True)) * WINDOW_S
        self._voice_s = window.end_s
        self._voiced_s = asked * WINDOW_S
        self._paused = False
        self._recent.clear()
        return TurnEvent("started", window.end_s, self._from_s, self._voice_s)

    def _voice(self, window: Window, from_s: float) -> TurnEvent | None:
        paused_s = window.end_s - WINDOW_S - self._voice_s
        self._voice_s = window.end_s
        self._voiced_s += WINDOW_S
        if window.end_s - from_s >= MAX_TURN_S:
            return self._finish("ended", window.end_s, from_s)
        if not self._paused:
            return None
        self._paused = False
        self._pauses.append(paused_s)
        return TurnEvent("resumed", window.end_s, from_s, self._voice_s)

    def _end(self, window: Window, from_s: float) -> TurnEvent:
        return self._finish("ended" if self._voiced_s >= MIN_VOICED_S else "dismissed", window.end_s, from_s)

    def _finish(self, kind: Kind, at_s: float, from_s: float) -> TurnEvent:
        self._from_s = None
        self._recent.clear()
        return TurnEvent(kind, at_s, from_s, self._voice_s)
