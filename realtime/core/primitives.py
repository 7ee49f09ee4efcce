"""Motion primitives: named clips of controls over time, loops for what the body does and one-shots for gestures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from realtime.core.facs import CONTROL_COUNT, CONTROL_INDEX, REST, Controls
from realtime.core.units import FRAME_S

BREATH_PERIOD_S: Final = 4.0
"""15 breaths a minute, an adult at rest. Every loop's duration is a multiple of it, so loops share base frames."""

_SAME_TIME_S: Final = 1e-6

Track = tuple[tuple[float, float], ...]
"""Key frames `(time in seconds, value)`; between two keys the value moves along a minimum-jerk curve."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A clip. One-shots start and end at zero on every track, so they leave the body where they found it."""

    name: str
    kind: Literal["loop", "gesture"]
    duration_s: float
    tracks: Mapping[str, Track]
    description: str
    moves_body: bool = True
    """Whether it turns the head or leans: such a gesture brings the body to rest first, so its base frames are few."""
    holds: str = ""
    """What the hand keeps after the clip has reached `hold_at_s`: nothing for most."""
    hold_at_s: float = 0.0
    """Where in the clip time stands still while the thing is held; from there the clip goes on when it is put down."""
    hold_for_s: float = 0.0
    """The longest it is held."""
    puts_down: bool = False
    """Whether this ends what is held."""
    frames: dict[int, Controls] = field(init=False, repr=False, compare=False, default_factory=dict)
    """A loop's controls by frame, once they have been asked for: all sessions come by the same ones."""
    _curves: tuple[tuple[int, NDArray[np.float64], NDArray[np.float64]], ...] = field(
        init=False, repr=False, compare=False, default=()
    )

    def __post_init__(self) -> None:
        curves = []
        for name, track in self.tracks.items():
            times = np.array([t for t, _ in track])
            values = np.array([v for _, v in track])
            if times[0] != 0.0 or times[-1] != self.duration_s or np.any(np.diff(times) <= 0):
                raise ValueError(f"{self.name}.{name}: keys run from 0 to {self.duration_s} s in rising order")
            if values[0] != values[-1] or (self.kind == "gesture" and values[0] != 0.0):
                raise ValueError(f"{self.name}.{name}: a loop ends where it began, a gesture begins and ends at zero")
            curves.append((CONTROL_INDEX[name], times, values))
        if self.holds and not 0.0 < self.hold_at_s < self.duration_s:
            raise ValueError(f"{self.name}: holds within its {self.duration_s} s, not at {self.hold_at_s} s")
        object.__setattr__(self, "_curves", tuple(curves))

    @property
    def needs_free_hand(self) -> bool:
        """Whether it cannot be made while the hand holds something."""
        return self.puts_down or "arm_raise" in self.tracks

    def offsets(self, at_s: float) -> NDArray[np.float32]:
        """Offsets from rest at a time into the clip, float32 (CONTROL_COUNT,). Loops wrap, gestures hold their ends."""
        at_s = at_s % self.duration_s if self.kind == "loop" else min(max(at_s, 0.0), self.duration_s)
        out = np.zeros(CONTROL_COUNT, np.float32)
        for index, times, values in self._curves:
            i = min(int(np.searchsorted(times, at_s, "right")) - 1, len(times) - 2)
            u = (at_s - times[i]) / (times[i + 1] - times[i])
            out[index] = values[i] + (values[i + 1] - values[i]) * minimum_jerk(u)
        return out


def minimum_jerk(u: float) -> float:
    """Position along a minimum-jerk movement at relative time 0..1 (Flash & Hogan 1985, eq. 4)."""
    u = min(max(u, 0.0), 1.0)
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))


def breath(media_s: float) -> float:
    """Chest phase 0..1 at a media time; 0.5 at media time 0."""
    return 0.5 + 0.5 * float(np.sin(2.0 * np.pi * media_s / BREATH_PERIOD_S))


def loop_controls(primitive: Primitive, media_s: float) -> Controls:
    """A loop's controls with the breath on it, phase-locked to media time: the same frames come round and round."""
    at_s = media_s % primitive.duration_s
    frame = round(at_s / FRAME_S)
    if abs(at_s - frame * FRAME_S) > _SAME_TIME_S:
        return _loop_sample(primitive, at_s)
    known = primitive.frames.get(frame)
    if known is None:
        known = primitive.frames[frame] = _loop_sample(primitive, frame * FRAME_S)
    return known


def _loop_sample(primitive: Primitive, at_s: float) -> Controls:
    vector = REST.vector + primitive.offsets(at_s)
    vector[CONTROL_INDEX["breath"]] = breath(at_s)
    return Controls(vector)


def clip_controls(primitive: Primitive) -> Iterator[Controls]:
    """What a clip passes through at 25 frames a second: the poses whose base frames are worth caching."""
    for frame in range(round(primitive.duration_s / FRAME_S)):
        at_s = frame * FRAME_S
        if primitive.kind == "loop":
            yield loop_controls(primitive, at_s)
        else:
            yield Controls(REST.vector + primitive.offsets(at_s))
