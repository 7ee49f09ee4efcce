"""A brand's style: palette, light, movement and formats, read strictly; what of it the page, cards and captions use."""

import re
from dataclasses import dataclass
from typing import Any, Final

from realtime.core.errors import InvalidField
from realtime.core.scenes_fields import Fields
from realtime.core.units import FRAME_RATE_HZ

LIGHTING: Final = ("neutral", "warm", "cool", "dramatic")
CAMERA: Final = ("static", "push_in", "drift")
TRANSITIONS: Final = ("none", "fade", "slide", "zoom")
TEXT_ANIMATIONS: Final = ("none", "fade", "rise", "typewriter")
ASPECTS: Final = ("1:1", "9:16", "4:3")
"""What the square picture can be cropped to without cutting the face: a crop to 16:9 leaves out the chin."""
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Brand:
    """One brand's style. Colours are `#rrggbb`: background, card, accent, text, as far as given."""

    palette: tuple[str, ...] = ()
    lighting: str = "neutral"
    camera_movement: str = "static"
    transition_effect: str = "fade"
    text_animation: str = "fade"
    aspect_ratio: str = "1:1"
    frame_rate: int = FRAME_RATE_HZ

    def as_json(self) -> dict[str, Any]:
        """For the viewer's page, and for operators."""
        return {
            "palette": list(self.palette),
            "lighting": self.lighting,
            "camera_movement": self.camera_movement,
            "transition_effect": self.transition_effect,
            "text_animation": self.text_animation,
            "aspect_ratio": self.aspect_ratio,
            "frame_rate": self.frame_rate,
        }


def read_brand(data: object, path: str = "brand_style") -> Brand:
    """A brand from parsed YAML or JSON, with or without the outer `brand_style`."""
    if isinstance(data, dict) and set(data) == {"brand_style"}:
        data = data["brand_style"]
    fields = Fields(
        data,
        path,
        (
            "color_palette", "lighting", "camera_movement", "transition_effect", "text_animation", "aspect_ratio",
            "frame_rate",
        ),
    )  # fmt: skip
    palette = fields.texts("color_palette", most=4, limit=7)
    for index, colour in enumerate(palette):
        if not _COLOUR.fullmatch(colour):
            name = f"{fields.at('color_palette')}[{index}]"
            raise InvalidField(f"{colour!r} is no colour", field=name, limit="#rrggbb")
    return Brand(
        palette,
        fields.choice("lighting", LIGHTING, "neutral"),
        fields.choice("camera_movement", CAMERA, "static"),
        fields.choice("transition_effect", TRANSITIONS, "fade"),
        fields.choice("text_animation", TEXT_ANIMATIONS, "fade"),
        fields.choice("aspect_ratio", ASPECTS, "1:1"),
        _frame_rate(fields),
    )


def _frame_rate(fields: Fields) -> int:
    rate_hz = fields.number("frame_rate", 1, 240, FRAME_RATE_HZ)
    if rate_hz != FRAME_RATE_HZ:
        message = f"{rate_hz:g} frames a second are not made: hosts are drawn at {FRAME_RATE_HZ}; leave the field out"
        raise InvalidField(message, field=fields.at("frame_rate"), limit=str(FRAME_RATE_HZ))
    return FRAME_RATE_HZ
