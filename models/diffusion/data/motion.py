"""Random movement of a face: sounds, emotion, gaze, blinks and head, frame by frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.diffusion.spec import VISEMES
from realtime.core.expressions import combine, expression
from realtime.core.facs import ACTION_UNITS, REST, Controls, Emotion
from realtime.core.phones import Viseme
from realtime.core.visemes import SHAPES

_MOST_TURN_DEG: Final = {"yaw": 13.0, "pitch": 8.0, "roll": 6.0}
_FREE: Final = (
    *ACTION_UNITS, "lip_tuck", "lip_round", "teeth", "tongue_up",
)  # fmt: skip
FRAMES_PER_SOUND: Final = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What a face does in one frame."""

    controls: Controls
    visemes: Mapping[str, float]
    emotions: Mapping[Emotion, float]


def moments(rng: np.random.Generator, count: int, *, smiles: float = 0.0) -> list[Moment]:
    """Consecutive frames at 25 a second. One clip in five is at random controls that no sound or emotion asks for, and
    a share of `smiles` of all clips smiles with parted lips."""
    emotion, strength = Emotion(int(rng.integers(len(Emotion)))), float(rng.uniform(0, 1) ** 1.3)
    turn = {name: float(rng.normal(0, most / 2)) for name, most in _MOST_TURN_DEG.items()}
    drift = {name: float(rng.normal(0, 0.25)) for name in turn}
    free = rng.random() < 0.2
    start, end = (_random_face(rng) for _ in range(2))
    if smiles and rng.random() < smiles:
        free, start, end = True, _smile(rng), _smile(rng)
    silent = rng.random() < 0.12
    sounds = rng.integers(len(VISEMES), size=count + 3)
    phase, blink_at = float(rng.uniform(0, 1)), float(rng.uniform(-8, count + 16))
    gaze_from, gaze_to = rng.uniform(-1, 1, 2) * 0.8, rng.uniform(-1, 1, 2) * 0.8
    found = []
    for frame in range(count):
        at = frame / FRAMES_PER_SOUND + phase
        index, share = int(at), at - int(at)
        share = share * share * (3 - 2 * share)
        weights: dict[str, float] = {}
        for place, weight in ((index, 1 - share), (index + 1, share)):
            name = VISEMES[int(sounds[place])]
            weights[name] = weights.get(name, 0.0) + weight
        if free:
            mix = frame / max(1, count - 1)
            face, weights = Controls((start.vector * (1 - mix) + end.vector * mix).astype(np.float32)), {}
        elif silent:
            face, weights = expression(emotion, strength), {}
        else:
            face = combine(expression(emotion, strength), _mouth(weights))
        gaze = gaze_from if frame < count / 2 else gaze_to
        shut = _blink(frame - blink_at)
        face = face.with_(
            gaze_x=float(gaze[0]), gaze_y=float(gaze[1]),
            blink_l=max(face["blink_l"], shut), blink_r=max(face["blink_r"], shut),
            **{name: value + drift[name] * frame for name, value in turn.items()},
        )  # fmt: skip
        found.append(Moment(face.clipped(), weights, {} if free else {emotion: strength}))
    return found


def _mouth(weights: Mapping[str, float]) -> Controls:
    values: dict[str, float] = {}
    for name, weight in weights.items():
        viseme: Viseme = name  # type: ignore[assignment]  # `VISEMES` lists the literal's values; a test compares them
        for control, target in SHAPES[viseme].targets.items():
            values[control] = values.get(control, 0.0) + weight * target
    return REST.with_(**values)


def _random_face(rng: np.random.Generator) -> Controls:
    chosen = {name: float(rng.beta(1.0, 1.6)) for name in _FREE if rng.random() < 0.3}
    half = float(rng.uniform(0, 1)) if rng.random() < 0.4 else 0.0
    signed = {name: float(rng.uniform(-0.7, 0.7)) if rng.random() < 0.3 else 0.0 for name in ("smirk", "brow_asym")}
    tip = float(rng.uniform(0.3, 1)) if rng.random() < 0.1 else 0.0
    return REST.with_(**chosen, **signed, blink_l=half, blink_r=half, tongue_out=tip)


def _smile(rng: np.random.Generator) -> Controls:
    bared = {name: float(rng.uniform(low, 1)) for name, low in (("AU12", 0.4), ("AU25", 0.2), ("AU6", 0.0))}
    some = {name: float(rng.uniform(0, most)) for name, most in (("teeth", 1.0), ("AU26", 0.3), ("AU10", 0.4))}
    return REST.with_(**bared, **{name: value for name, value in some.items() if rng.random() < 0.5})


def _blink(frames_since: float) -> float:
    """Closed within three frames, open again within five."""
    if frames_since < 0:
        return 0.0
    return float(np.clip(min(frames_since / 2.5, (7.5 - frames_since) / 4.5), 0.0, 1.0))
