"""The painted layers of an avatar: everything expensive that is drawn once, before any pose is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.avatar import backdrop, body, hand, skin
from models.avatar.card import card_sprite
from models.avatar.haircut import CLOSE_STYLES, HAIR_BOX, hair_sprites
from models.avatar.hand_shapes import SHAPES
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.sleeve import sleeve_sprite
from models.avatar.spec import AvatarSpec

NAMES: Final = ("backdrop", "hair_back", "body", "ear", "face", "hair_front", "sleeve", "card",
                *(f"hand_{name}" for name in SHAPES))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layers:
    """Sprites by name, at the pose at rest."""

    sprites: Mapping[str, Sprite]

    def __getitem__(self, name: str) -> Sprite:
        return self.sprites[name]


def paint_layers(spec: AvatarSpec) -> Layers:
    """Paint every layer; takes about a second."""
    back, front = hair_sprites(spec)
    x0, y0, x1, y1 = skin.BOX
    left, top = round((x0 - HAIR_BOX[0]) * TEXTURE_DENSITY), round((y0 - HAIR_BOX[1]) * TEXTURE_DENSITY)
    width, height = round((x1 - x0) * TEXTURE_DENSITY), round((y1 - y0) * TEXTURE_DENSITY)
    shadow = front.pixels[top : top + height, left : left + width, 3]
    return Layers(
        {
            "backdrop": Sprite(backdrop.backdrop(spec.backdrop, spec.room), 0.0, 0.0, 1.0),
            "hair_back": back,
            "body": body.body_sprite(spec),
            "ear": body.ear_sprite(spec.skin, spec.wears, spec.hair_style in CLOSE_STYLES),
            "face": skin.face_sprite(spec, shadow),
            "hair_front": front,
            "sleeve": sleeve_sprite(spec),
            "card": card_sprite(spec.cloth),
        }
        | {f"hand_{name}": hand.hand_sprite(spec.skin, name) for name in SHAPES}
    )


def save_layers(layers: Layers, path: Path) -> None:
    """Write the layers as one uncompressed npz file."""
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
    for name, sprite in layers.sprites.items():
        arrays[name] = sprite.pixels
        arrays[name + "_at"] = np.array([sprite.x, sprite.y, sprite.density])
    np.savez(path, **arrays)


def load_layers(path: Path) -> Layers:
    """Read what `save_layers` wrote. Raises `KeyError`, `ValueError` or `OSError` on a foreign file."""
    with np.load(path) as data:
        return Layers({n: Sprite(data[n], *(float(v) for v in data[n + "_at"])) for n in NAMES})
