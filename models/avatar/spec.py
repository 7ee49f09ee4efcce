"""What tells one illustrated host from another: names, colours, and the seed of the hair."""

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from json import dumps
from typing import Final

RIG_VERSION: Final = 1
"""Rises with every change of the rig that changes pixels: packs of an older rig are baked anew."""


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
    """Blazer and blouse."""

    deep: str = "#0d2f3a"
    dark: str = "#154653"
    base: str = "#1f6170"
    light: str = "#3a8591"
    edge: str = "#8ec4c6"
    blouse: str = "#fbf6f0"
    blouse_shade: str = "#c7b6b4"


@dataclass(frozen=True, slots=True)
class AvatarSpec:
    """One illustrated host."""

    name: str = "mei"
    title: str = "Mei, presenter"
    licence: str = "Apache-2.0"
    seed: int = 7
    skin: SkinColors = field(default_factory=SkinColors)
    hair: HairColors = field(default_factory=HairColors)
    lips: LipColors = field(default_factory=LipColors)
    iris: IrisColors = field(default_factory=IrisColors)
    cloth: ClothColors = field(default_factory=ClothColors)

    def digest(self) -> str:
        """Sixteen hex digits that change with the spec and with the rig."""
        return sha256(dumps([RIG_VERSION, asdict(self)], sort_keys=True).encode()).hexdigest()[:16]


MEI: Final = AvatarSpec()
