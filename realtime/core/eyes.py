"""Blinks and saccades: the small life of the eyes, deterministic by seed."""

import random
from typing import Final

from realtime.core.primitives import minimum_jerk

BLINK_GAP_S: Final = (2.2, 5.6)
"""Uniform gap between blinks: about 15 a minute, an adult in conversation (Bentivoglio et al. 1997)."""
BLINK_CLOSE_S: Final = 0.08
BLINK_HOLD_S: Final = 0.04
BLINK_OPEN_S: Final = 0.16
BLINK_S: Final = BLINK_CLOSE_S + BLINK_HOLD_S + BLINK_OPEN_S
DOUBLE_BLINK_SHARE: Final = 0.12

SACCADE_S: Final = 0.06
"""Time of a saccade of about ten degrees (Bahill et al. 1975)."""


def blink_closure(since_s: float) -> float:
    """How far the lids are closed, 0..1, this long after a blink began. Closing is faster than opening."""
    if since_s <= 0.0 or since_s >= BLINK_S:
        return 0.0
    if since_s < BLINK_CLOSE_S:
        return minimum_jerk(since_s / BLINK_CLOSE_S)
    if since_s < BLINK_CLOSE_S + BLINK_HOLD_S:
        return 1.0
    return 1.0 - minimum_jerk((since_s - BLINK_CLOSE_S - BLINK_HOLD_S) / BLINK_OPEN_S)


class Blinks:
    """When the lids close. Sampled with rising time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._next_s = self._random.uniform(0.8, BLINK_GAP_S[1])

    def closure(self, media_s: float, rate: float = 1.0) -> float:
        """How far the lids are closed at a media time, 0..1; `rate` is a factor of how often they close from then."""
        while media_s >= self._next_s + BLINK_S:
            double = self._random.random() < DOUBLE_BLINK_SHARE
            self._next_s += BLINK_S + (0.12 if double else self._random.uniform(*BLINK_GAP_S) / rate)
        return blink_closure(media_s - self._next_s)

    def prompt(self, media_s: float) -> None:
        """Blink now, unless a blink is under way: people blink with large gaze shifts and when they begin to speak."""
        if media_s < self._next_s:
            self._next_s = media_s


class Gaze:
    """Where a cue or a thought has sent the eyes: quick there, held, quick back."""

    def __init__(self) -> None:
        self._from = (0.0, 0.0)
        self._to = (0.0, 0.0)
        self._since_s = 0.0
        self._until_s = 0.0
        self._weight_from = 0.0
        self._weight_to = 0.0

    def look(self, x: float, y: float, at_s: float, hold_s: float) -> None:
        """Send the eyes to (x, y), each -1..1, for a while; then they are free again."""
        self._from, self._weight_from = self._position(at_s), self.weight(at_s)
        self._to, self._weight_to = (x, y), 1.0
        self._since_s, self._until_s = at_s, at_s + hold_s

    def weight(self, media_s: float) -> float:
        """How much of the gaze is taken by the cue, 0..1."""
        rise = self._weight_from + (self._weight_to - self._weight_from) * self._progress(media_s)
        return rise * (1.0 - minimum_jerk((media_s - self._until_s) / SACCADE_S))

    def mix(self, x: float, y: float, media_s: float) -> tuple[float, float]:
        """The gaze that results when (x, y) is where the eyes would be without a cue."""
        weight = self.weight(media_s)
        to_x, to_y = self._position(media_s)
        return x + (to_x - x) * weight, y + (to_y - y) * weight

    def _progress(self, media_s: float) -> float:
        return minimum_jerk((media_s - self._since_s) / SACCADE_S)

    def _position(self, media_s: float) -> tuple[float, float]:
        u = self._progress(media_s)
        return (
            self._from[0] + (self._to[0] - self._from[0]) * u,
            self._from[1] + (self._to[1] - self._from[1]) * u,
        )
