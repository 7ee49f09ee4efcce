"""What a fast rig paints where its picture has nothing: flat hollow, flat teeth, plain lids; or nothing at all."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.diffusion.spec import FIELDS

Bytes = NDArray[np.uint8]
Color = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class CrudeStyle:
    """How one clip's rig fills what opens; None where it leaves the smear of the warp."""

    cavity: Color | None
    teeth: Color | None
    tongue: Color | None
    lids: float
    """Share of a plain lid's colour painted over a lid that closes."""


def random_style(rng: np.random.Generator) -> CrudeStyle:
    """From a bare warp to everything painted flat."""
    painted = rng.random() < 0.75
    grey, warm = float(rng.uniform(120, 235)), float(rng.uniform(0.8, 1.0))
    dark = rng.uniform((25, 4, 4), (80, 35, 35))
    return CrudeStyle(
        cavity=(float(dark[0]), float(dark[1]), float(dark[2])) if painted else None,
        teeth=(grey, grey * (0.5 + warm / 2), grey * warm) if painted and rng.random() < 0.8 else None,
        tongue=(float(rng.uniform(90, 200)), float(rng.uniform(40, 100)), float(rng.uniform(40, 100)))
        if painted and rng.random() < 0.6
        else None,
        lids=float(rng.uniform(0.5, 1.0)) if rng.random() < 0.4 else 0.0,
    )


def crude_insides(base: Bytes, fields: Bytes, style: CrudeStyle) -> Bytes:
    """The base (H, W, 3) with its openings filled. `fields` are the channels `spec.FIELDS`, (F, H, W)."""
    mask = {name: fields[i].astype(np.float32)[..., None] / 255 for i, name in enumerate(FIELDS)}
    out = base.astype(np.float32)
    for name, color in (
        ("opening", style.cavity), ("tongue", style.tongue), ("lower_teeth", style.teeth), ("upper_teeth", style.teeth),
    ):  # fmt: skip
        if color is not None:
            out += (np.array(color, np.float32) - out) * mask[name] * (0.85 if "lower" in name else 1.0)
    if style.lids > 0 and mask["lid"].any():
        weight = np.maximum(mask["lid"], 1e-4)
        plain = (out * weight).sum((0, 1)) / weight.sum((0, 1))
        soft = cv2.GaussianBlur(mask["lid"][..., 0], (0, 0), 1.0)[..., None]
        out += (plain - out) * soft * style.lids
    return np.clip(out, 0, 255).astype(np.uint8)
