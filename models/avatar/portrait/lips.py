"""Where the lips lie when they are closed and at rest: the neutral that speech starts from."""

from dataclasses import dataclass

import numpy as np

from models.avatar.portrait.numerics import Floats
from models.avatar.portrait.topology import (
    CHIN,
    LEFT_CORNER,
    LIP_BOTTOM,
    LIP_TOP,
    LOWER_INNER,
    LOWER_INSIDE,
    LOWER_MIDDLE,
    LOWER_OUTER,
    NOSE_BASE,
    RIGHT_CORNER,
    UPPER_INNER,
    UPPER_INSIDE,
    UPPER_MIDDLE,
    UPPER_OUTER,
)

_OPEN_UNITS, _SMILE_UNITS = 0.10, 0.09
"""A gap, or a lift of the corners, of this many face units counts as fully open, or fully smiling."""
_CLOSED_GAP, _LEVEL_LIFT = 0.012, 0.05
"""Closed lips at rest measure up to this."""


@dataclass(frozen=True, slots=True, eq=False)
class RestingLips:
    """Lip points at rest in face units, and how far the photo was from it."""

    points: dict[int, Floats]
    amount: float
    """0: the photo is neutral already, 1: everything had to move."""
    smile: float
    """0..1, how much of a smile the photo shows."""


def resting_lips(face: Floats) -> RestingLips:
    """Closed lips for a face (478, 3) in face units, in the proportions that its nose and chin suggest."""
    half = (face[LEFT_CORNER, 0] - face[RIGHT_CORNER, 0]) / 2
    middle = (face[LEFT_CORNER, 0] + face[RIGHT_CORNER, 0]) / 2
    gap = face[LIP_BOTTOM, 1] - face[LIP_TOP, 1]
    corners = (face[RIGHT_CORNER, 1] + face[LEFT_CORNER, 1]) / 2
    lift = (face[LIP_TOP, 1] + face[LIP_BOTTOM, 1]) / 2 - corners
    smile = float(np.clip((lift - _LEVEL_LIFT) / _SMILE_UNITS, 0, 1))
    amount = max(float(np.clip((gap - _CLOSED_GAP) / _OPEN_UNITS, 0, 1)), smile)
    nose = face[NOSE_BASE, 1]
    line = nose + 0.335 * (face[CHIN, 1] - nose)
    upper = max(float(np.mean(face[[82, 312], 1] - face[[37, 267], 1])), 0.105)
    lower = max(float(face[17, 1] - face[LIP_BOTTOM, 1]), 0.15)
    width = min(half, 0.425)
    kept = 0.22 * max(lift, 0.0)  # a quarter of the smile stays: without it, a cheerful face turns sour

    def seam(t: Floats) -> Floats:
        side = np.abs(t)
        wave = 0.005 * np.exp(-((t / 0.16) ** 2)) - 0.006 * np.exp(-(((side - 0.45) / 0.2) ** 2)) + 0.016 * side**3
        return np.asarray(line + wave - kept * (side**1.6 - 0.25))

    def above(t: Floats) -> Floats:
        return np.asarray(upper * (1 - np.abs(t) ** 2.4) ** 0.75 * (1 - 0.13 * np.exp(-((t / 0.14) ** 2))))

    def below(t: Floats) -> Floats:
        return np.asarray(lower * (1 - np.abs(t) ** 2.6) ** 0.8)

    target: dict[int, Floats] = {}
    rows = (
        (UPPER_OUTER, -1.0), (UPPER_MIDDLE, -0.66), (UPPER_INSIDE, -0.33), (UPPER_INNER, 0.0),
        (LOWER_OUTER, 1.0), (LOWER_MIDDLE, 0.66), (LOWER_INSIDE, 0.33), (LOWER_INNER, 0.0),
    )  # fmt: skip
    for ids, share in rows:
        for i in ids:
            t = np.clip((face[i, 0] - middle) / half, -1, 1)
            thick = -above(-t) if share < 0 else below(t)
            target[i] = np.array([middle + t * width, seam(t) + abs(share) * thick])
    for inset, pair in ((0.0, (61, 291)), (0.010, (76, 306)), (0.020, (62, 292)), (0.030, (78, 308))):
        for i, side in zip(pair, (-1.0, 1.0), strict=True):
            target[i] = np.array([middle + side * (width - inset), float(seam(np.array(side)))])
    mixed = {i: face[i, :2] * (1 - amount) + at * amount for i, at in target.items()}
    return RestingLips(mixed, amount, smile)
