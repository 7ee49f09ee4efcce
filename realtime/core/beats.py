"""Beats of the brows: speakers lift them with the words they stress, a little before the vowel."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from realtime.core.primitives import minimum_jerk
from realtime.core.values import Phoneme

GAP_S: Final = 1.4
"""Least time between two beats; brows that mark every stress look nervous."""
RISE_S: Final = 0.16
HOLD_S: Final = 0.12
FALL_S: Final = 0.36
LENGTH_S: Final = RISE_S + HOLD_S + FALL_S
PEAK: Final = 0.42
_KEPT_S: Final = 1.0


class BeatTrack:
    """When the brows go up, from the stresses of what is said. The apex falls on the stressed vowel's beginning
    (brow raises align with pitch accents: Cavé et al. 1996)."""

    def __init__(self) -> None:
        self._apexes_s: list[float] = []

    def extend(self, phonemes: Sequence[Phoneme], at_media_s: float) -> None:
        """Add the primary stresses of some speech that begins at a media time."""
        for phoneme in phonemes:
            apex_s = at_media_s + phoneme.start_s
            if phoneme.stress == 2 and (not self._apexes_s or apex_s - self._apexes_s[-1] >= GAP_S):
                self._apexes_s.append(apex_s)

    def cut(self, now_s: float) -> None:
        """Forget the beats that have not begun."""
        self._apexes_s = [apex_s for apex_s in self._apexes_s if apex_s - RISE_S <= now_s]

    def lift(self, media_s: float) -> float:
        """How far the brows are lifted, 0..PEAK. Sampled with rising time."""
        del self._apexes_s[: bisect_left(self._apexes_s, media_s - _KEPT_S)]
        for apex_s in self._apexes_s:
            since_s = media_s - (apex_s - RISE_S)
            if 0.0 < since_s < LENGTH_S:
                fall = minimum_jerk((since_s - RISE_S - HOLD_S) / FALL_S)
                return PEAK * minimum_jerk(since_s / RISE_S) * (1.0 - fall)
        return 0.0
