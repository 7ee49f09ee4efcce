"""One frame's facial and bodily parameters: FACS action units, pose, gaze, articulation.

Action units follow Ekman, Friesen & Hager, *Facial Action Coding System* (2002). AU26 runs from closed (0) over
jaw drop to the jaw stretch of AU27 (1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

ACTION_UNITS: Final = (
    "AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU12", "AU14",
    "AU15", "AU16", "AU17", "AU18", "AU20", "AU22", "AU23", "AU24", "AU25", "AU26",
)  # fmt: skip
"""Each 0..1: inner brow, outer brow, brow lowerer, upper lid, cheek, lid tightener, nose wrinkle, upper lip,
smile, dimple, lip corner down, lower lip down, chin, pucker, stretch, funnel, tighten, press, part, jaw."""

CONTROL_NAMES: Final = (
    *ACTION_UNITS,
    "blink_l", "blink_r",          # 0 open .. 1 closed (AU43/45 per eye; l is the avatar's own left)
    "gaze_x", "gaze_y",            # -1..1, positive to the picture's right / down
    "yaw", "pitch", "roll",        # degrees; positive yaw turns to the picture's right, pitch down, roll clockwise
    "lip_tuck",                    # 0..1 lower lip under the upper teeth (F, V; AU32)
    "lip_round",                   # 0..1 rounding of the opening (O, U, SH)
    "teeth",                       # 0..1 how far the tooth rows show and meet (S, Z, I)
    "tongue_up", "tongue_out",     # 0..1 tip to the ridge (L, N, T, D); tip between the teeth (TH)
    "smirk",                       # -1..1 asymmetry of the mouth corners
    "brow_asym",                   # -1..1 one brow higher
    "breath",                      # 0..1 phase of the chest, 0.5 at rest
    "lean",                        # -1..1 towards (+) or away from the viewer
    "shoulders",                   # -1..1 dropped .. raised
    "arm_raise",                   # 0 at rest, out of the picture .. 1 hand at head height (the avatar's right)
    "arm_swing",                   # -1..1 forearm about the elbow
    "hand",                        # index into HAND_SHAPES; changes while the arm is out of the picture
    "arm_x",                       # -1..1 raised arm moved outwards .. towards the picture's middle
    "hair_x", "hair_tip", "hair_y",  # -1..1 hanging hair, and its tips further, swung to the picture's right / down
    "jewel_x",                     # -1..1 earrings and pendant swung to the picture's right
    "cloth_y",                     # -1..1 collar bounced up .. down
)  # fmt: skip
HAND_SHAPES: Final = (
    "open", "one", "two", "three", "thumb", "palms", "point_left", "point_right", "card", "chin",
)  # fmt: skip
"""What the raised hand does, by the index that the control `hand` carries; `palms` raises both arms."""
CONTROL_COUNT: Final = len(CONTROL_NAMES)
CONTROL_INDEX: Final[Mapping[str, int]] = {name: i for i, name in enumerate(CONTROL_NAMES)}

DEGREE_CONTROLS: Final = frozenset({"yaw", "pitch", "roll"})
SIGNED_CONTROLS: Final = frozenset(
    {
        "gaze_x", "gaze_y", "smirk", "brow_asym", "lean", "shoulders", "arm_swing", "arm_x",
        "hair_x", "hair_tip", "hair_y", "jewel_x", "cloth_y",
    }
)  # fmt: skip
MAX_DEG: Final = 20.0
"""Head turns beyond this are clipped: the rigs are drawn for ±20 degrees."""


def _limits() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    low = np.zeros(CONTROL_COUNT, np.float32)
    high = np.ones(CONTROL_COUNT, np.float32)
    for name in DEGREE_CONTROLS:
        low[CONTROL_INDEX[name]], high[CONTROL_INDEX[name]] = -MAX_DEG, MAX_DEG
    for name in SIGNED_CONTROLS:
        low[CONTROL_INDEX[name]] = -1.0
    high[CONTROL_INDEX["hand"]] = len(HAND_SHAPES) - 1
    return low, high


CONTROL_LOW, CONTROL_HIGH = _limits()


class Emotion(IntEnum):
    """FER-2013 label order."""

    ANGRY = 0
    DISGUST = 1
    FEAR = 2
    HAPPY = 3
    SAD = 4
    SURPRISE = 5
    NEUTRAL = 6


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """A control vector, float32 of shape (CONTROL_COUNT,), read-only. Read one value by name: `c["AU12"]`."""

    vector: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.vector.shape != (CONTROL_COUNT,):
            raise ValueError(f"controls have shape ({CONTROL_COUNT},), got {self.vector.shape}")
        self.vector.flags.writeable = False

    def __getitem__(self, name: str) -> float:
        return float(self.vector[CONTROL_INDEX[name]])

    def with_(self, **values: float) -> "Controls":
        """A copy with some controls set."""
        vector = self.vector.copy()
        for name, value in values.items():
            vector[CONTROL_INDEX[name]] = value
        return Controls(vector)

    def clipped(self) -> "Controls":
        """A copy inside every control's range."""
        return Controls(np.clip(self.vector, CONTROL_LOW, CONTROL_HIGH))

    def nonzero(self) -> dict[str, float]:
        """The controls that differ from zero, for logs and overlays."""
        return {n: round(float(v), 3) for n, v in zip(CONTROL_NAMES, self.vector, strict=True) if abs(v) > 1e-3}


def controls(**values: float) -> Controls:
    """Controls at rest (`breath` 0.5, all else 0) with some set: `controls(AU12=0.4, yaw=5.0)`."""
    vector = np.zeros(CONTROL_COUNT, np.float32)
    vector[CONTROL_INDEX["breath"]] = 0.5
    for name, value in values.items():
        vector[CONTROL_INDEX[name]] = value
    return Controls(vector)


REST: Final = controls()
