"""A person by number: about sixty parameters of shape and skin, drawn from streams that the two splits never share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.diffusion.data.sample import Split

SPLIT_CODE: Final[Mapping[Split, int]] = {Split.TRAIN: 23, Split.HELD_OUT: 131}
"""First word of every seed sequence: identities, lights and textures of the splits come from disjoint streams."""

SHAPES: Final = (
    "head_width",
    "head_height",
    "face_length",
    "upper_face",
    "forehead_slope",
    "forehead_bulge",
    "brow_ridge",
    "temple",
    "jaw_width",
    "jaw_angle",
    "chin_width",
    "chin_height",
    "chin_forward",
    "chin_cleft",
    "jowl",
    "weight",
    "cheekbone_width",
    "cheekbone_forward",
    "cheek_full",
    "cheek_hollow",
    "fold_depth",
    "nose_length",
    "nose_width",
    "bridge_height",
    "bridge_width",
    "nose_hump",
    "tip_up",
    "tip_size",
    "tip_forward",
    "wings",
    "mouth_width",
    "upper_full",
    "lower_full",
    "lips_forward",
    "bow",
    "corners",
    "philtrum",
    "muzzle",
    "eye_height",
    "eye_width",
    "eye_spacing",
    "eye_tilt",
    "eye_depth",
    "hood",
    "bags",
    "brow_height",
    "brow_arch",
    "ear_size",
    "ear_out",
    "neck_width",
    "asymmetry_mouth",
    "asymmetry_nose",
)
"""Shape parameters in standard deviations."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What makes one person. Colours are linear RGB reflectances."""

    number: int
    split: Split
    shape: Mapping[str, float]
    male: float
    age: float
    """0 young adult .. 1 old."""
    skin: NDArray[np.float64]
    redness: float
    freckles: float
    roughness: float
    lips: NDArray[np.float64]
    make_up: float
    iris: NDArray[np.float64]
    pupil: float
    hair: NDArray[np.float64]
    hair_length: float
    """0 none, below 0.5 short, above long."""
    hair_line: float
    fringe: float
    brow_density: float
    stubble: float
    beard: float
    glasses: int
    """0 none, 1 thin round, 2 broad."""
    teeth_tone: float
    teeth_gap: float
    shirt: NDArray[np.float64]
    perspective: float

    def stream(self, purpose: int) -> np.random.Generator:
        """Random numbers of this person for one purpose."""
        return np.random.default_rng([SPLIT_CODE[self.split], self.number, purpose])


_MELANIN: Final = np.array([0.74, 0.93, 1.05])
_BLOOD: Final = np.array([0.06, 0.42, 0.36])
_SKIN_BASE: Final = np.array([0.20, 0.34, 0.50])
"""Absorption (linear RGB) of melanin, blood and the rest of skin, which add up in the log domain: Tsumura et al.,
"Image-based skin color and texture analysis/synthesis" (2003); fitted by eye to the range of photographed skin."""
_HAIRS: Final = np.array(
    [
        (0.012, 0.009, 0.008),
        (0.03, 0.018, 0.012),
        (0.07, 0.038, 0.02),
        (0.16, 0.085, 0.04),
        (0.36, 0.22, 0.10),
        (0.20, 0.06, 0.02),
        (0.30, 0.29, 0.28),
        (0.62, 0.60, 0.57),
    ]
)
_IRISES: Final = np.array(
    [
        (0.085, 0.038, 0.016),
        (0.045, 0.022, 0.012),
        (0.16, 0.27, 0.36),
        (0.16, 0.20, 0.09),
        (0.24, 0.28, 0.30),
        (0.17, 0.10, 0.035),
    ]
)


def skin_colour(melanin: float, blood: float) -> NDArray[np.float64]:
    """Reflectance of skin, linear RGB."""
    return np.asarray(np.exp(-_SKIN_BASE - melanin * _MELANIN - blood * _BLOOD))


def person(number: int, split: Split) -> Person:
    """The person of this number."""
    rng = np.random.default_rng([SPLIT_CODE[split], number, 1])
    male = float(rng.random() < 0.5)
    shape = {name: float(np.clip(rng.normal(), -2.2, 2.2)) for name in SHAPES}
    way = 0.8 * (2 * male - 1)
    for name, pull in (
        ("brow_ridge", 1.0),
        ("jaw_width", 0.8),
        ("jaw_angle", 0.8),
        ("chin_width", 0.7),
        ("neck_width", 1.2),
        ("upper_full", -0.7),
        ("lower_full", -0.5),
        ("eye_height", -0.5),
        ("nose_width", 0.5),
        ("brow_height", -0.7),
        ("face_length", 0.4),
        ("cheek_full", -0.3),
    ):
        shape[name] += pull * way
    age = float(rng.beta(1.2, 1.8))
    shape["jowl"] += 1.6 * age
    shape["fold_depth"] += 1.5 * age
    shape["bags"] += 1.3 * age
    shape["hood"] += 0.8 * age
    shape["upper_full"] -= 0.8 * age
    melanin = float(
        rng.choice([rng.uniform(0.10, 0.45), rng.uniform(0.4, 1.1), rng.uniform(0.9, 2.3)], p=[0.45, 0.3, 0.25])
    )
    skin = skin_colour(melanin, float(rng.uniform(0.35, 0.75)))
    dark = rng.choice(2) if melanin > 0.7 else rng.choice(6)
    hair = _HAIRS[int(dark)] if rng.random() > age * 0.8 else _HAIRS[int(rng.integers(6, 8))]
    lip = np.exp(-_SKIN_BASE * 0.9 - (0.55 * melanin + 0.12) * _MELANIN - rng.uniform(1.8, 2.9) * _BLOOD)
    make_up = float(rng.uniform(0.2, 1.0)) if not male and rng.random() < 0.5 else 0.0
    paint = np.array([(0.45, 0.05, 0.07), (0.50, 0.14, 0.15), (0.33, 0.03, 0.07), (0.55, 0.20, 0.17)])[
        int(rng.integers(4))
    ]
    stubbled = male > 0 and rng.random() < 0.65
    return Person(
        number=number,
        split=split,
        shape=shape,
        male=male,
        age=age,
        skin=skin,
        redness=float(rng.uniform(0.25, 1.1)),
        freckles=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.3 else 0.0,
        roughness=float(rng.uniform(0.5, 1.3)),
        lips=lip * (1 - 0.6 * make_up) + paint * 0.6 * make_up,
        make_up=make_up,
        iris=_IRISES[int(rng.integers(2) if melanin > 0.7 else rng.integers(6))] * rng.uniform(0.8, 1.3),
        pupil=float(rng.uniform(0.30, 0.48)),
        hair=hair * rng.uniform(0.8, 1.2, 1),
        hair_length=float(rng.uniform(0.05, 0.45) if male and rng.random() < 0.85 else rng.uniform(0.35, 1.0)),
        hair_line=float(rng.normal(0, 0.06) - 0.10 * male * age),
        fringe=float(rng.uniform(0, 1)) * float(rng.random() < 0.3),
        brow_density=float(rng.uniform(0.45, 1.0)),
        stubble=float(rng.uniform(0.1, 0.8)) if stubbled else 0.0,
        beard=float(rng.uniform(0.5, 1.0)) if stubbled and rng.random() < 0.3 else 0.0,
        glasses=int(rng.integers(1, 3)) if rng.random() < 0.22 else 0,
        teeth_tone=float(rng.uniform(0.35, 1.0)),
        teeth_gap=float(rng.uniform(0.3, 1.0)),
        shirt=rng.uniform(0.02, 0.7) * rng.uniform(0.4, 1.0, 3),
        perspective=float(rng.uniform(0.0, 0.05)),
    )
