"""What the body does: one loop at a time, cross-faded, with gestures on top."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from realtime.core.clips import primitive
from realtime.core.facs import CONTROL_INDEX, REST
from realtime.core.primitives import Primitive, loop_controls, minimum_jerk

Activity = Literal["idle", "listening", "thinking", "speaking"]
LOOP_OF: Final[dict[Activity, str]] = {"idle": "idle", "listening": "listen", "thinking": "think", "speaking": "talk"}

CROSSFADE_S: Final = 0.5
SETTLE_S: Final = 0.25
"""Time in which a gesture that moves the head takes the body over from its loop, and gives it back."""

_SIZED: Final = np.array(
    [CONTROL_INDEX[name] for name in ("yaw", "pitch", "roll", "lean", "shoulders", "arm_swing")], dtype=np.intp
)
"""What grows with the size of movements; a raised arm stays raised."""
_BODY: Final = np.array(
    [CONTROL_INDEX[name] for name in ("yaw", "pitch", "roll", "lean", "shoulders", "breath")], dtype=np.intp
)


@dataclass(frozen=True, slots=True)
class _Running:
    primitive: Primitive
    start_s: float

    @property
    def end_s(self) -> float:
        return self.start_s + self.primitive.duration_s


@dataclass(slots=True)
class _Held:
    """A clip that stands still from `hold_at_s` until it is released."""

    primitive: Primitive
    start_s: float
    release_s: float

    @property
    def end_s(self) -> float:
        return max(self.release_s, self.start_s + self.primitive.hold_at_s) + self.rest_s

    @property
    def rest_s(self) -> float:
        """Seconds of the clip after the hold."""
        return self.primitive.duration_s - self.primitive.hold_at_s

    def offsets(self, media_s: float) -> NDArray[np.float32]:
        """Offsets from rest; zero before its start and after its end."""
        up_s = min(media_s - self.start_s, self.primitive.hold_at_s)
        down_s = max(0.0, media_s - self.end_s + self.rest_s)
        return self.primitive.offsets(up_s + down_s)


class Body:
    """Samples the offsets from rest that loops and gestures add up to. Sampled with rising media time."""

    def __init__(self) -> None:
        self.activity: Activity = "idle"
        self._since_s = -CROSSFADE_S
        self._from = np.zeros_like(REST.vector)
        self._gesture: _Running | None = None
        self._held: _Held | None = None

    def turn_to(self, activity: Activity, at_s: float) -> None:
        """Change what the body does, from the pose it is in."""
        if activity != self.activity:
            self._from = self._loop_offsets(at_s)
            self.activity = activity
            self._since_s = at_s

    def begin(self, name: str, at_s: float) -> bool:
        """Start a gesture; False while another one runs or the hand is still being freed for it (the caller may try
        again). A gesture that needs the hand has put down first what this holds; what is held already stays."""
        if self._gesture is not None and at_s < self._gesture.end_s:
            return False
        clip, held = primitive(name), self._held
        if held is not None and at_s < held.end_s and clip.needs_free_hand:
            if held.primitive is clip and at_s < held.release_s:
                held.release_s = at_s + clip.hold_for_s
                return True
            held.release_s = min(held.release_s, at_s)
            return clip.puts_down
        if clip.holds:
            self._held = _Held(clip, at_s, at_s + clip.hold_at_s + clip.hold_for_s)
            return True
        self._gesture = _Running(clip, at_s)
        return True

    def holding(self, media_s: float) -> str:
        """What the hand holds at a media time; empty if nothing."""
        held = self._held
        return held.primitive.holds if held and held.start_s <= media_s < held.end_s else ""

    def gesture(self, media_s: float) -> str | None:
        """Name of the gesture that runs at a media time."""
        running = self._gesture
        return running.primitive.name if running and running.start_s <= media_s < running.end_s else None

    def offsets(self, media_s: float, size: float = 1.0) -> NDArray[np.float32]:
        """Offsets from rest, float32 (CONTROL_COUNT,); `size` is a factor of how large movements are."""
        out = self._at_size_one(media_s)
        out[_SIZED] *= np.float32(size)
        return out

    def _at_size_one(self, media_s: float) -> NDArray[np.float32]:
        out = self._loop_offsets(media_s)
        if self._held is not None:
            out += self._held.offsets(media_s)
        running = self._gesture
        if running is None or media_s >= running.end_s + SETTLE_S:
            return out
        if running.primitive.moves_body:
            into = minimum_jerk((media_s - running.start_s) / SETTLE_S)
            out_of = minimum_jerk((media_s - running.end_s) / SETTLE_S)
            out[_BODY] *= 1.0 - into + out_of
        if media_s < running.end_s:
            out += running.primitive.offsets(media_s - running.start_s)
        return out

    def _loop_offsets(self, media_s: float) -> NDArray[np.float32]:
        loop = loop_controls(primitive(LOOP_OF[self.activity]), media_s).vector - REST.vector
        if media_s >= self._since_s + CROSSFADE_S:
            return loop
        fade = minimum_jerk((media_s - self._since_s) / CROSSFADE_S)
        mixed: NDArray[np.float32] = (self._from + (loop - self._from) * np.float32(fade)).astype(np.float32)
        return mixed
