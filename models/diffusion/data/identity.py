"""Random illustrated hosts: face, colours, hair, glasses, beard and skin texture by number."""

from dataclasses import fields, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar import palette
from models.avatar.layers import Layers, paint_layers
from models.avatar.mesh import Sprite
from models.avatar.rig import Rig
from models.avatar.spec import (
    BACKDROPS,
    BEARDS,
    EARRINGS,
    GLASSES,
    HAIR_STYLES,
    OUTFITS,
    Accessories,
    AvatarSpec,
    FaceShape,
)
from models.diffusion.data.sample import Split

SPLIT_CODE: Final = {Split.TRAIN: 11, Split.HELD_OUT: 97}
"""First word of every seed sequence: identities, lights and textures of the two splits come from disjoint streams."""

_SKINS: Final = ("#f6d0b8", "#f4c6ab", "#e2ab86", "#d09a72", "#b97f57", "#96623f", "#74482d", "#54331f")
_HAIRS: Final = ("#1c1413", "#452a26", "#6b4530", "#9a6a3c", "#c8a061", "#8e3b22", "#777070", "#d8d2c8")
_LIPS: Final = ("#c9645f", "#b5544f", "#a5483f", "#8c4038", "#d4807a", "#c0405a", "#7a3a34")
_IRISES: Final = ("#8d5a34", "#5a3a22", "#4f7fa8", "#6b8f5e", "#7c7f86", "#3c6e5e")
_CLOTHS: Final = ("#1f6170", "#7a2f3c", "#33415e", "#d8cfc0", "#3f5a3a", "#5a4a70", "#202428")


def identity_spec(number: int, split: Split) -> AvatarSpec:
    """The host of this number."""
    rng = np.random.default_rng([SPLIT_CODE[split], number, 1])
    shape = {f.name: _inside(rng, *f.metadata["range"]) for f in fields(FaceShape)}
    wears = Accessories(
        glasses=_one(rng, GLASSES) if rng.random() < 0.35 else "none",
        glasses_color=_shifted(rng, "#2c2226"),
        earrings=_one(rng, EARRINGS),
        beard=_one(rng, BEARDS) if rng.random() < 0.35 else "none",
    )
    return replace(
        AvatarSpec(),
        name=f"{split.value.replace('_', '-')}-{number}",
        seed=int(rng.integers(2**31)),
        hair_style=_one(rng, HAIR_STYLES),
        outfit=_one(rng, OUTFITS),
        backdrop=_one(rng, BACKDROPS),
        skin=palette.skin(_shifted(rng, _one(rng, _SKINS))),
        hair=palette.hair(_shifted(rng, _one(rng, _HAIRS))),
        lips=palette.lips(_shifted(rng, _one(rng, _LIPS))),
        iris=palette.iris(_shifted(rng, _one(rng, _IRISES))),
        cloth=palette.cloth(_shifted(rng, _one(rng, _CLOTHS))),
        shape=FaceShape(**shape),
        wears=wears,
    )


def identity_rig(number: int, split: Split) -> Rig:
    """The host's rig, painted, with pores, freckles and moles on its skin; takes more than a second."""
    spec = identity_spec(number, split)
    layers = paint_layers(spec)
    rng = np.random.default_rng([SPLIT_CODE[split], number, 2])
    return Rig(spec, Layers({**layers.sprites, "face": _textured(layers["face"], rng)}))


def _textured(face: Sprite, rng: np.random.Generator) -> Sprite:
    height, width = face.pixels.shape[:2]
    grain = np.zeros((height, width), np.float32)
    for sigma_px, most in ((0.8, 0.035), (2.5, 0.03), (8.0, 0.03)):
        noise = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), sigma_px)
        grain += noise / float(noise.std()) * float(rng.uniform(0, most))
    spots = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(0, 60)) if rng.random() < 0.4 else int(rng.integers(0, 4))):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(spots, at, int(rng.integers(1, 4)), (float(rng.uniform(0.1, 0.45)),), -1, cv2.LINE_AA)
    gain = (1.0 + grain)[..., None] * (1.0 - spots[..., None] * np.array([0.6, 0.9, 1.0], np.float32))
    pixels = face.pixels.copy()
    # the pixels are premultiplied: no colour may exceed its opacity
    pixels[..., :3] = np.minimum(np.clip(pixels[..., :3] * gain, 0, 255), pixels[..., 3:]).astype(np.uint8)
    return Sprite(pixels, face.x, face.y, face.density)


def _one(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _inside(rng: np.random.Generator, low: float, high: float) -> float:
    return float(low + (high - low) * rng.beta(2.0, 2.0))


def _shifted(rng: np.random.Generator, code: str) -> str:
    value: NDArray[np.float64] = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float64)
    value = np.clip(value * rng.uniform(0.9, 1.1) + rng.uniform(-10, 10, 3), 8, 250)
    return "#" + "".join(f"{round(v):02x}" for v in value)
