"""How the body bears an emotion: posture, size of movements, how often the eyes blink and where they rest.

Postures after Wallbott (*Bodily expression of emotion*, 1998, table 4: sadness lets the shoulders fall, joy and anger
lift and widen, fear and disgust draw back) and de Meijer (1989). Eyes meet in anger and joy and turn away in fear and
sadness (Adams & Kleck 2003); attention holds blinks back and arousal brings them (Stern, Walrath & Goldstein 1984)."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.eyes import Gaze
from realtime.core.facs import CONTROL_COUNT, CONTROL_INDEX, Emotion

LEVELS: Final = 2
"""A body takes an emotion on in so many steps: base frames are cached by posture, so postures are few."""
STICK: Final = 0.15
"""How far beyond the middle between two levels the emotion has to be before the level changes."""
SETTLE_S: Final = 1.1
"""10 to 90 % of a change of posture: the body is slower than the face."""
MEETING_S: Final = (1.8, 4.6)
"""How long eyes meet before one looks away, if one does: 3.3 s are found pleasant (Binetti et al. 2016)."""

_RISE: Final = 3.36
"""10-to-90-% rise time of a critically damped spring, times omega."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """What one emotion does to the body at full intensity."""

    posture: Mapping[str, float] = field(default_factory=dict)
    """Offsets of pose controls."""
    size: float = 1.0
    """Factor of the movements of loops and gestures."""
    blinks: float = 1.0
    """Factor of the blink rate."""
    averts: float = 0.0
    """Chance that a meeting of the eyes ends in a look away."""
    away: tuple[float, float] = (0.0, 0.0)
    """Where the eyes go then: sideways (either side) and down, -1..1."""
    dwell_s: float = 0.8
    """How long they stay there."""


BEARINGS: Final[Mapping[Emotion, Bearing]] = {
    Emotion.ANGRY: Bearing({"pitch": 2.5, "lean": 0.5, "shoulders": 0.3}, size=1.25, blinks=1.2),
    Emotion.DISGUST: Bearing(
        {"pitch": -1.5, "yaw": -3.0, "lean": -0.4}, size=0.8, blinks=1.2, averts=0.5, away=(0.55, 0.1), dwell_s=0.7
    ),
    Emotion.FEAR: Bearing(
        {"pitch": -1.0, "lean": -0.6, "shoulders": 0.6}, size=0.6, blinks=1.6, averts=0.7, away=(0.6, 0.0), dwell_s=0.4
    ),
    Emotion.HAPPY: Bearing({"pitch": -1.5, "roll": 1.5, "lean": 0.3, "shoulders": 0.2}, size=1.25),
    Emotion.SAD: Bearing(
        {"pitch": 4.5, "roll": -2.0, "lean": -0.2, "shoulders": -0.7}, size=0.5, blinks=0.8,
        averts=0.8, away=(0.3, 0.55), dwell_s=1.5,
    ),
    Emotion.SURPRISE: Bearing({"pitch": -2.5, "lean": -0.4, "shoulders": 0.4}, blinks=0.5),
    Emotion.NEUTRAL: Bearing(),
}  # fmt: skip


def _postures() -> NDArray[np.float32]:
    rows = np.zeros((len(Emotion), CONTROL_COUNT), np.float32)
    for emotion, bearing in BEARINGS.items():
        for name, value in bearing.posture.items():
            rows[emotion, CONTROL_INDEX[name]] = value
    return rows


_POSTURES: Final = _postures()
"""Posture offsets of each emotion, float32 (7, CONTROL_COUNT)."""
_FACTORS: Final = np.array([(BEARINGS[emotion].size - 1.0, BEARINGS[emotion].blinks - 1.0) for emotion in Emotion])
"""What each emotion adds to the factors of movements and blinks, (7, 2)."""


@dataclass(frozen=True, slots=True, eq=False)
class Borne:
    """What the body does about an emotion at one moment."""

    posture: NDArray[np.float32]
    """Offsets of the pose controls, float32 (CONTROL_COUNT,)."""
    size: float
    blinks: float


class BearingTrack:
    """Lets the body take on what the face feels, later and in few steady levels. Read at rising media times."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"bearing {seed}")
        self._levels = [0] * len(Emotion)
        self._amounts = np.zeros(len(Emotion))
        self._speeds = np.zeros(len(Emotion))
        self._settled: Borne | None = None
        """What is borne while nothing changes."""
        self._since_s = 0.0
        self._gaze = Gaze()
        self._meet_until_s = self._random.uniform(*MEETING_S)

    def at(self, weights: Sequence[float], media_s: float) -> Borne:
        """What the body does at a media time, for the seven weights of the face's emotion in FER order."""
        levels = [_level(w, old) for w, old in zip(weights, self._levels, strict=True)]
        if self._settled is not None and levels == self._levels:
            self._since_s = max(self._since_s, media_s)
            self._avert(media_s)
            return self._settled
        self._levels = levels
        targets = np.array(levels, np.float64) / LEVELS
        targets[Emotion.NEUTRAL] = 0.0
        self._settle(targets, media_s)
        self._avert(media_s)
        size, blinks = (1.0 + self._amounts @ _FACTORS).tolist()
        borne = Borne(np.asarray(self._amounts @ _POSTURES, np.float32), size, blinks)
        still = not self._speeds.any() and np.array_equal(self._amounts, targets)
        self._settled = borne if still else None
        return borne

    def gaze(self, x: float, y: float, media_s: float) -> tuple[float, float]:
        """The gaze that results when (x, y) is where the eyes would be without an emotion."""
        return self._gaze.mix(x, y, media_s)

    def _settle(self, targets: NDArray[np.float64], media_s: float) -> None:
        """Critically damped springs in closed form, as in `realtime.core.emotion`."""
        elapsed_s = max(0.0, media_s - self._since_s)
        omega = _RISE / SETTLE_S
        off = self._amounts - targets
        push = self._speeds + omega * off
        fade = math.exp(-omega * elapsed_s)
        self._amounts = targets + (off + push * elapsed_s) * fade
        self._speeds = (self._speeds - omega * push * elapsed_s) * fade
        near = (np.abs(self._amounts - targets) < 1e-3) & (np.abs(self._speeds) < 1e-3)
        self._amounts[near], self._speeds[near] = targets[near], 0.0
        self._since_s = max(self._since_s, media_s)

    def _avert(self, media_s: float) -> None:
        """When a meeting of the eyes is over, perhaps look away. Chances are drawn at fixed times, so that the course
        depends on the seed and the emotion alone."""
        while media_s >= self._meet_until_s:
            emotion = Emotion(int(np.argmax(self._amounts)))
            bearing, amount = BEARINGS[emotion], float(self._amounts[emotion])
            chance, side, vary = self._random.random(), self._random.choice((-1.0, 1.0)), self._random.uniform(0.8, 1.2)
            away_s = 0.0
            if chance < bearing.averts * amount:
                away_s = bearing.dwell_s * vary
                x, y = bearing.away
                self._gaze.look(side * x * vary, y * vary, self._meet_until_s, away_s)
            self._meet_until_s += away_s + self._random.uniform(*MEETING_S)


def _level(weight: float, old: int) -> int:
    """The step an emotion is borne in; it changes only when the weight is clearly nearer to another one."""
    here = weight * LEVELS
    return old if abs(here - old) < 0.5 + STICK * LEVELS else round(here)
