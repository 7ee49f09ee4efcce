"""Paints the hair of a host by the name of its style."""

from collections.abc import Mapping
from typing import Final

from models.avatar import hair_curls
from models.avatar.hair import Box, cut_sprites
from models.avatar.hair_cuts import BOB, BUN, LOB, SHORT, SWEPT
from models.avatar.hair_style import LONG, Cut
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.paint import blank
from models.avatar.spec import AvatarSpec

CLOSE_STYLES: Final = frozenset({"short", "swept", "bun", "buzz", "bald"})
"""Hair that lies on the skull; the others hang free beside the face."""
HAIR_BOX: Final = (-146.0, -180.0, 146.0, 226.0)
_CUTS: Final[Mapping[str, Cut]] = {"long": LONG, "bob": BOB, "short": SHORT, "swept": SWEPT, "bun": BUN, "lob": LOB}


def hair_sprites(spec: AvatarSpec, box: Box = HAIR_BOX) -> tuple[Sprite, Sprite]:
    """The hair behind the head, and the hair on it."""
    if spec.hair_style == "curly":
        return hair_curls.curls(box, spec.hair, spec.seed)
    if spec.hair_style == "buzz":
        return hair_curls.cropped(box, spec.hair, spec.seed)
    if spec.hair_style == "bald":
        bare = blank(*(round(side * TEXTURE_DENSITY) for side in (box[2] - box[0], box[3] - box[1])))
        return Sprite(bare, box[0], box[1]), Sprite(bare, box[0], box[1])
    return cut_sprites(_CUTS[spec.hair_style], box, spec.hair)
