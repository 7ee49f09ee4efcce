"""What stands behind the host, as a viewer asks for it: the avatar's own room, nothing, a colour, a picture, a blur."""

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["default", "transparent", "blur", "colour", "image"]

DEFAULT: Final = "default"
TRANSPARENT: Final = "transparent"
BLUR: Final = "blur"
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
SYNTAX: Final = "default, transparent, blur, #rrggbb, or the name of a picture"


@dataclass(frozen=True, slots=True)
class Backdrop:
    """One background. `value` is `#rrggbb` of a colour, the name of a picture, and empty otherwise."""

    kind: Kind = DEFAULT
    value: str = ""

    def __str__(self) -> str:
        return self.value or self.kind

    @property
    def packed(self) -> bool:
        """Whether the video carries a matte beneath the colours, in a picture of twice the height."""
        return self.kind == TRANSPARENT


def parse(text: str) -> Backdrop:
    """A background from its name. Raises `ValueError` for what cannot be one; whether a picture exists is not asked."""
    if text in (DEFAULT, TRANSPARENT, BLUR):
        return Backdrop(text)  # type: ignore[arg-type]  # the three kinds that are their own names
    if _COLOUR.fullmatch(text):
        return Backdrop("colour", text.lower())
    if _NAME.fullmatch(text):
        return Backdrop("image", text)
    raise ValueError(f"a background is {SYNTAX}")


def rgb_of(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as three bytes."""
    value = int(colour[1:], 16)
    return value >> 16, value >> 8 & 255, value & 255
