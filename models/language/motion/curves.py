"""What the motion encoder sees of a primitive: its control curves, its hand, and what it holds."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.facs import CONTROL_COUNT, CONTROL_INDEX, HAND_SHAPES
from realtime.core.primitives import Primitive

SAMPLES: Final = 12
"""Instants of a clip, evenly spaced from its begin to its end."""
_SUMMARIES: Final = 3
_TRAITS: Final = 6
SIZE: Final = CONTROL_COUNT * (SAMPLES + _SUMMARIES) + len(HAND_SHAPES) + _TRAITS
_LONGEST_S: Final = 12.0


def motion_features(primitive: Primitive) -> NDArray[np.float32]:
    """A primitive as numbers, float32 (SIZE,), not standardised: every control at `SAMPLES` instants; each control's
    lowest and highest value and how far it travels; the hand's shape; length, kind, and what the hand holds."""
    times_s = np.linspace(0.0, primitive.duration_s, SAMPLES)
    if primitive.kind == "loop":
        times_s[-1] = np.nextafter(primitive.duration_s, 0.0)
    curves = np.stack([primitive.offsets(float(at_s)) for at_s in times_s], axis=1)  # (controls, instants)
    hand = curves[CONTROL_INDEX["hand"]].copy()
    curves[CONTROL_INDEX["hand"]] = 0.0
    travel = np.abs(np.diff(curves, axis=1)).sum(axis=1)
    shape = np.zeros(len(HAND_SHAPES), np.float32)
    if "arm_raise" in primitive.tracks:
        shape[min(len(HAND_SHAPES) - 1, max(0, round(float(hand.max()))))] = 1.0
    traits = (
        primitive.duration_s / _LONGEST_S, primitive.kind == "loop", primitive.moves_body, bool(primitive.holds),
        primitive.puts_down, "arm_raise" in primitive.tracks,
    )  # fmt: skip
    parts = (curves.ravel(), curves.min(axis=1), curves.max(axis=1), travel, shape, np.array(traits))
    return np.asarray(np.concatenate(parts), np.float32)
