"""Follow-through: hair, jewels and cloth lag behind the head and swing out, as damped springs.

Each thing hangs on an anchor that the pose moves. In the anchor's frame its offset u obeys
u'' = -omega² u - 2 zeta omega u' - a'', with a the anchor's place. Between two samples the anchor moves evenly, so a''
is an impulse at each sample, and in between u decays in closed form (the underdamped oscillator, e.g. Parent, *Computer
Animation*, 3rd ed., B.6): stable for any time step, and the same however often a head at rest is sampled."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.facs import CONTROL_COUNT, CONTROL_INDEX

FORGET_S: Final = 0.6
"""After a gap longer than this nothing swings: what happened in it is not known."""
MAX_SPEED: Final = 160.0
"""Anchors are not taken to be faster than this, in pixels per second: a jump of the pose is no blow."""
STILL_PX: Final = 0.25
"""Offsets below this are at rest."""


@dataclass(frozen=True, slots=True)
class Spring:
    """What one follow-through control is hung on."""

    frequency_hz: float
    damping: float
    """Share of the critical damping, below 1."""
    reach_px: float
    """Offset at which the control is 1; larger offsets approach it."""
    anchor: Mapping[str, float]
    """Pixels at 512 x 512 that the anchor moves per unit of each control of the pose."""


SPRINGS: Final[Mapping[str, Spring]] = {
    "hair_x": Spring(1.6, 0.24, 6.0, {"yaw": 1.9, "roll": 1.3}),
    "hair_tip": Spring(2.7, 0.20, 3.5, {"yaw": 1.9, "roll": 1.3}),
    "hair_y": Spring(2.4, 0.35, 3.0, {"pitch": 0.9, "lean": 5.0, "shoulders": -8.0}),
    "jewel_x": Spring(3.0, 0.12, 4.0, {"yaw": 2.2, "roll": 1.2}),
    "cloth_y": Spring(3.6, 0.30, 2.0, {"pitch": 0.3, "lean": 4.0, "shoulders": -12.0}),
}
"""By control. Long hair swings below 2 Hz, its tips faster; a pendant of 3 cm would at 3 Hz (T = 2 pi sqrt(l / g))."""

FOLLOWING: Final = np.array([CONTROL_INDEX[name] for name in SPRINGS], np.intp)
"""Where the follow-through stands in a control vector."""

_ANCHORS: Final = np.zeros((len(SPRINGS), CONTROL_COUNT), np.float32)
"""Pixels that each control moves each anchor by."""
for _row, _spring in zip(_ANCHORS, SPRINGS.values(), strict=True):
    for _name, _gain in _spring.anchor.items():
        _row[CONTROL_INDEX[_name]] = _gain
_LISTED: Final = tuple(SPRINGS.values())


def decayed(offset: float, speed: float, elapsed_s: float, spring: Spring) -> tuple[float, float]:
    """Offset and speed of a damped spring whose anchor rests, after a while; exact for any `elapsed_s` >= 0."""
    stays, gains, loses, keeps = _decay(spring.frequency_hz, spring.damping, elapsed_s)
    return stays * offset + gains * speed, loses * offset + keeps * speed


@lru_cache(maxsize=256)
def _decay(frequency_hz: float, damping: float, elapsed_s: float) -> tuple[float, float, float, float]:
    """The 2 x 2 matrix that takes offset and speed to those a while later, row by row. Frames follow each other evenly,
    so there are few of them."""
    omega = 2.0 * math.pi * frequency_hz
    sigma = damping * omega
    ringing = omega * math.sqrt(1.0 - damping**2)
    fade = math.exp(-sigma * elapsed_s)
    cos, sin = fade * math.cos(ringing * elapsed_s), fade * math.sin(ringing * elapsed_s)
    share = sigma / ringing
    return cos + share * sin, sin / ringing, -(sigma * share + ringing) * sin, cos - share * sin


class FollowThrough:
    """Reads the pose at rising media times and says how far what hangs on it is off. A pure function of what it has
    been given."""

    def __init__(self) -> None:
        self._at_s = -math.inf
        count = len(SPRINGS)
        self._anchors, self._speeds = [0.0] * count, [0.0] * count
        self._offsets, self._rates = [0.0] * count, [0.0] * count

    def step(self, vector: NDArray[np.float32], media_s: float) -> NDArray[np.float32]:
        """The follow-through controls at a media time, -1..1 in the order of `SPRINGS`, for a control vector at that
        time. A time that is not later than the last one changes nothing."""
        elapsed_s = media_s - self._at_s
        if elapsed_s > 0.0:
            self._at_s = media_s
            for i, (spring, place) in enumerate(zip(_LISTED, (_ANCHORS @ vector).tolist(), strict=True)):
                self._move(i, spring, place, elapsed_s)
        return np.array([_shown(u, s) for u, s in zip(self._offsets, _LISTED, strict=True)], np.float32)

    def _move(self, i: int, spring: Spring, place: float, elapsed_s: float) -> None:
        if elapsed_s > FORGET_S:
            self._offsets[i] = self._rates[i] = self._speeds[i] = 0.0
        else:
            speed = max(-MAX_SPEED, min(MAX_SPEED, (place - self._anchors[i]) / elapsed_s))
            blow = self._rates[i] - (speed - self._speeds[i])
            self._offsets[i], self._rates[i] = decayed(self._offsets[i], blow, elapsed_s, spring)
            self._speeds[i] = speed
        self._anchors[i] = place


def _shown(offset_px: float, spring: Spring) -> float:
    """Offsets as a control: nothing below `STILL_PX`, and never beyond the reach."""
    beyond_px = abs(offset_px) - STILL_PX
    if beyond_px <= 0.0:
        return 0.0
    return math.copysign(math.tanh(beyond_px / spring.reach_px), offset_px)
