"""What tells one illustrated host from another: names, colours, the shape of the face, hair, outfit and accessories."""

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from json import dumps
from typing import Any, Final

from models.avatar.fingerprint import rig_fingerprint

HAIR_STYLES: Final = ("long", "lob", "bob", "short", "swept", "bun", "curly", "buzz", "bald")
OUTFITS: Final = ("blazer", "suit", "shirt", "hoodie", "dress", "cardigan")
BACKDROPS: Final = ("studio", "classroom", "shop", "loft", "evening")
GLASSES: Final = ("none", "round", "square")
EARRINGS: Final = ("none", "pearl", "hoop", "stud")
BEARDS: Final = ("none", "stubble", "short", "goatee")


def number(default: float, low: float, high: float) -> Any:
    """A field with a range, which files of presets are checked against."""
    return field(default=default, metadata={"range": (low, high)})


def choice(options: tuple[str, ...]) -> Any:
    """A field with a list of values, the first of which is the default."""
    return field(default=options[0], metadata={"options": options})


@dataclass(frozen=True, slots=True)
class SkinColors:
    """From shadow to light, and the accents."""

    deep: str = "#b9694f"
    shadow: str = "#dc9a7c"
    mid: str = "#f4c6ab"
    light: str = "#fddfcc"
    high: str = "#fff2e7"
    line: str = "#8a4a3a"
    blush: str = "#f0857c"


@dataclass(frozen=True, slots=True)
class HairColors:
    """From the gaps between the locks to the sheen."""

    gap: str = "#170f11"
    dark: str = "#2a1a1b"
    mid: str = "#452a26"
    warm: str = "#653d31"
    light: str = "#90604a"
    sheen: str = "#c99a78"
    rim: str = "#d9e4ff"


@dataclass(frozen=True, slots=True)
class LipColors:
    """Upper lip, lower lip, the line between and what lies behind."""

    upper: str = "#c9645f"
    lower: str = "#dd7d76"
    dark: str = "#8f3a3e"
    line: str = "#5e2226"
    gloss: str = "#fff1ec"
    cavity: str = "#2b0b10"
    tongue: str = "#d97a78"


@dataclass(frozen=True, slots=True)
class IrisColors:
    """Rim, ring, glow and pupil."""

    rim: str = "#23130f"
    outer: str = "#5a3420"
    inner: str = "#8d5a34"
    glow: str = "#e2a563"
    pupil: str = "#100807"


@dataclass(frozen=True, slots=True)
class ClothColors:
    """Outer garment, and what is worn below it."""

    deep: str = "#0d2f3a"
    dark: str = "#154653"
    base: str = "#1f6170"
    light: str = "#3a8591"
    edge: str = "#8ec4c6"
    blouse: str = "#fbf6f0"
    blouse_shade: str = "#c7b6b4"
    accent: str = "#a8323e"


@dataclass(frozen=True, slots=True)
class FaceShape:
    """How this face differs from the one the rig is drawn for. Factors are 1 and amounts 0 where it does not."""

    face_width: float = number(1.0, 0.92, 1.08)
    jaw_width: float = number(1.0, 0.85, 1.18)
    chin_length: float = number(0.0, -1.0, 1.0)
    cheek: float = number(0.0, -1.0, 1.0)
    eye_size: float = number(1.0, 0.80, 1.12)
    eye_spacing: float = number(0.0, -1.0, 1.0)
    eye_tilt: float = number(0.0, -1.0, 1.0)
    lashes: float = number(1.0, 0.0, 1.2)
    nose_width: float = number(1.0, 0.85, 1.40)
    nose_length: float = number(0.0, -1.0, 1.0)
    brow_weight: float = number(1.0, 0.6, 1.7)
    brow_height: float = number(0.0, -1.0, 1.0)
    brow_arch: float = number(1.0, 0.2, 1.3)
    lip_fullness: float = number(1.0, 0.6, 1.45)
    mouth_width: float = number(1.0, 0.92, 1.12)
    neck_width: float = number(1.0, 0.9, 1.3)
    age: float = number(0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Accessories:
    """What is worn on the head."""

    glasses: str = choice(GLASSES)
    glasses_color: str = "#2c2226"
    earrings: str = choice(EARRINGS)
    earring_color: str = "#f2e6e0"
    necklace: bool = False
    beard: str = choice(BEARDS)


@dataclass(frozen=True, slots=True)
class Room:
    """How this host's room differs from its backdrop as it is drawn."""

    mirrored: bool = False
    tint: str = "#ffffff"
    """Colour of the light in the room."""
    tint_strength: float = number(0.0, 0.0, 1.0)
    light: float = number(0.0, -1.0, 1.0)
    """Darker or brighter."""
    focus: float = number(0.0, 0.0, 1.0)
    """How much further out of focus."""
    zoom: float = number(1.0, 1.0, 1.6)
    """How much nearer."""


@dataclass(frozen=True, slots=True)
class AvatarSpec:
    """One illustrated host."""

    name: str = "mei"
    title: str = "Mei, presenter"
    description: str = "Long dark hair, teal blazer; a friendly presenter."
    licence: str = "Apache-2.0"
    seed: int = 7
    hair_style: str = choice(HAIR_STYLES)
    outfit: str = choice(OUTFITS)
    backdrop: str = choice(BACKDROPS)
    room: Room = field(default_factory=Room)
    skin: SkinColors = field(default_factory=SkinColors)
    hair: HairColors = field(default_factory=HairColors)
    lips: LipColors = field(default_factory=LipColors)
    iris: IrisColors = field(default_factory=IrisColors)
    cloth: ClothColors = field(default_factory=ClothColors)
    shape: FaceShape = field(default_factory=FaceShape)
    wears: Accessories = field(default_factory=lambda: Accessories(earrings="pearl", necklace=True))

    def digest(self) -> str:
        """Sixteen hex digits that change with the spec and with the rig."""
        return sha256(dumps([rig_fingerprint(), asdict(self)], sort_keys=True).encode()).hexdigest()[:16]


MEI: Final = AvatarSpec()
