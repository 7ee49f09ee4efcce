"""The seven emotions as action units, and how speech goes on top of them.

Recipes after EMFACS (Friesen & Ekman 1983), tuned by eye on the illustrated host. They move face and gaze only:
head and shoulders belong to the motion primitives, whose base frames are cached.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.facs import CONTROL_COUNT, CONTROL_INDEX, REST, Controls, Emotion

RECIPES: Final[Mapping[Emotion, Mapping[str, float]]] = {
    Emotion.ANGRY: {"AU4": 0.95, "AU5": 0.35, "AU7": 0.65, "AU23": 0.70, "AU24": 0.40, "AU17": 0.35, "AU15": 0.25},
    Emotion.DISGUST: {
        "AU9": 0.85, "AU10": 0.70, "AU4": 0.40, "AU7": 0.50, "AU6": 0.20, "AU15": 0.45, "AU17": 0.40,
        "smirk": -0.15,
    },
    Emotion.FEAR: {
        "AU1": 0.95, "AU2": 0.55, "AU4": 0.45, "AU5": 0.90, "AU7": 0.15, "AU20": 0.75, "AU25": 0.65, "AU26": 0.22,
    },
    Emotion.HAPPY: {"AU6": 0.70, "AU12": 0.88, "AU25": 0.80, "AU26": 0.14, "AU1": 0.12, "AU2": 0.15},
    Emotion.SAD: {
        "AU1": 1.0, "AU4": 0.45, "AU15": 0.80, "AU17": 0.50, "AU7": 0.15, "gaze_y": 0.30,
        "blink_l": 0.14, "blink_r": 0.14,
    },
    Emotion.SURPRISE: {"AU1": 0.95, "AU2": 1.0, "AU5": 0.80, "AU25": 0.60, "AU26": 0.50, "lip_round": 0.35},
    Emotion.NEUTRAL: {},
}  # fmt: skip
"""Controls at full intensity, as offsets from rest."""

PRESENCE: Final[Mapping[str, float]] = {
    "AU25": 2.5, "AU26": 4.0, "AU24": 2.0, "lip_tuck": 2.0, "lip_round": 2.5, "AU18": 2.5, "teeth": 2.5, "AU20": 2.0,
}  # fmt: skip
"""How soon each control of the mouth counts as speech: presence is 1 when any reaches the inverse of its factor."""

YIELDING: Final = ("AU25", "AU26", "AU16", "AU24", "AU23", "lip_tuck", "lip_round", "teeth", "tongue_up", "tongue_out")
"""Opening and closing: speech alone decides while it is present, so P, B and M always close."""
COLOURING: Final = ("AU10", "AU15", "AU17", "AU18", "AU22", "AU14")
"""Felt lips that stay visible in part while speaking."""
_COLOURING_KEPT: Final = 0.45
_WIDENING: Final = ("AU12", "AU20")


def _row(*amounts: Mapping[str, float]) -> NDArray[np.float32]:
    row = np.zeros(CONTROL_COUNT, np.float32)
    for amount in amounts:
        for name, value in amount.items():
            row[CONTROL_INDEX[name]] = value
    return row


_SOON: Final = _row(PRESENCE)
_YIELDS: Final = _row(
    dict.fromkeys(YIELDING, 1.0), dict.fromkeys(COLOURING, 1.0 - _COLOURING_KEPT), dict.fromkeys(_WIDENING, 0.15)
)
"""How much of what is felt gives way to present speech, by control, shape (CONTROL_COUNT,)."""
_ROUNDS: Final = _row(dict.fromkeys(_WIDENING, 0.55))
"""How much of it gives way to rounded lips."""
_SPOKEN: Final = _row(dict.fromkeys((*YIELDING, *COLOURING, *_WIDENING), 1.0))
_SHARED: Final = _row(dict.fromkeys((*COLOURING, *_WIDENING), 1.0))
"""Where speech and feeling pull one muscle: at least the stronger of both, never more than 1."""


def expression(emotion: Emotion, intensity: float) -> Controls:
    """An emotion at an intensity of 0..1, over the face at rest."""
    amount = min(1.0, max(0.0, intensity))
    vector = REST.vector.copy()
    for name, value in RECIPES[emotion].items():
        vector[CONTROL_INDEX[name]] += amount * value
    return Controls(vector)


def presence(mouth: Controls) -> float:
    """How much the mouth is speech's to move, 0..1."""
    return min(1.0, float((_SOON * mouth.vector).max()))


def combine(face: Controls, mouth: Controls) -> Controls:
    """Speech over a felt face. `mouth` is zero except for what speech sets; every control it does not concern is kept.

    Lips that speak part and meet as the sounds ask; the smile stays, but yields to rounding; a frown, a raised lip or a
    pushed chin stays in part."""
    share = presence(mouth)
    rounding = min(1.0, max(mouth["lip_round"], mouth["AU18"]))
    felt = face.vector * (1.0 - (_YIELDS * np.float32(share) + _ROUNDS * np.float32(rounding)))
    spoken = mouth.vector * _SPOKEN
    return Controls(felt + spoken - _SHARED * felt * spoken)
