"""Structured prompts: what is to be seen in seven parts, what must not be, and parameters with their ranges.

    prompt = read_prompt({"subject": "a violinist", "parameters": {"duration": 5}})
    prompt.text      # "a violinist"
    prompt.digest    # the same for the same prompt

`prompting_advice` names vague words, `prompting_look` says what a prompt changes here, `prompting_versions` keeps what
came out of it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from realtime.core.errors import InvalidField
from realtime.core.scenes_fields import Fields

PARTS: Final = ("subject", "style", "action", "environment", "camera", "colour", "audience")
STYLE_TEMPLATES: Final = ("cinematic", "cartoon", "realistic", "documentary")
LANGUAGES: Final = ("zh-CN", "en-US")
MIN_SIDE_PX: Final = 64
MAX_SIDE_PX: Final = 3840
MAX_SEED: Final = 2**32 - 1
_RESOLUTION: Final = re.compile(r"(\d{2,4})x(\d{2,4})")


@dataclass(frozen=True, slots=True)
class Parameters:
    """How it is made. `duration_s` 0.5..60, `frame_rate` 10..60, `temperature` 0..2, `top_p` above 0 up to 1; both
    sides of `resolution` are even, 64..3840."""

    duration_s: float = 5.0
    resolution: tuple[int, int] = (512, 512)
    frame_rate: int = 25
    style_template: str = "realistic"
    seed: int = 0
    temperature: float = 0.7
    top_p: float = 0.9
    enable_audio: bool = True
    language: str = "en-US"


@dataclass(frozen=True, slots=True)
class StructuredPrompt:
    """One prompt. Only the subject is required; `negative` names what must not appear."""

    parts: Mapping[str, str]
    negative: tuple[str, ...] = ()
    parameters: Parameters = field(default_factory=Parameters)

    @property
    def text(self) -> str:
        """The parts in order, as a model takes them."""
        return ", ".join(self.parts[name] for name in PARTS if name in self.parts)

    def as_json(self) -> dict[str, Any]:
        """As `read_prompt` reads it, with every parameter written out."""
        values = asdict(self.parameters)
        width_px, height_px = values.pop("resolution")
        values = {"duration": values.pop("duration_s"), "resolution": f"{width_px}x{height_px}"} | values
        return {**self.parts, "negative_prompt": list(self.negative), "parameters": values}

    @property
    def digest(self) -> str:
        """SHA-256 of prompt and parameters; equal prompts have equal digests."""
        whole = {"parts": dict(self.parts), "negative": self.negative, "parameters": asdict(self.parameters)}
        return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read_prompt(data: object, path: str = "") -> StructuredPrompt:
    """A prompt from parsed JSON. Raises `InvalidField` that names the field and its range."""
    fields = Fields(data, path, (*PARTS, "negative_prompt", "parameters"))
    parts = {name: fields.text(name, limit=300) for name in PARTS if name == "subject" or fields.has(name)}
    named = fields.at("parameters")
    parameters = _parameters(fields.raw("parameters"), named) if fields.has("parameters") else Parameters()
    return StructuredPrompt(parts, fields.texts("negative_prompt", most=32, limit=120), parameters)


def _parameters(data: object, path: str) -> Parameters:
    names = (
        "duration", "resolution", "frame_rate", "style_template", "seed", "temperature", "top_p", "enable_audio",
        "language",
    )  # fmt: skip
    fields = Fields(data, path, names)
    default = Parameters()
    return Parameters(
        fields.number("duration", 0.5, 60.0, default.duration_s),
        _resolution(fields),
        _whole(fields, "frame_rate", 10, 60, default.frame_rate),
        fields.choice("style_template", STYLE_TEMPLATES, default.style_template),
        _whole(fields, "seed", 0, MAX_SEED, default.seed),
        fields.number("temperature", 0.0, 2.0, default.temperature),
        fields.number("top_p", 0.001, 1.0, default.top_p),
        _flag(fields, "enable_audio", default.enable_audio),
        fields.choice("language", LANGUAGES, default.language),
    )


def _whole(fields: Fields, name: str, low: int, high: int, default: int) -> int:
    number = fields.number(name, low, high, default)
    if number != int(number):
        raise InvalidField(f"{fields.at(name)} is not whole", field=fields.at(name), limit=f"whole, {low}..{high}")
    return int(number)


def _flag(fields: Fields, name: str, default: bool) -> bool:
    value = fields.raw(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidField(f"{fields.at(name)} is not true or false", field=fields.at(name), limit="true or false")
    return value


def _resolution(fields: Fields) -> tuple[int, int]:
    text = fields.text("resolution", "512x512", 16)
    match = _RESOLUTION.fullmatch(text)
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    if any(not MIN_SIDE_PX <= side <= MAX_SIDE_PX or side % 2 for side in sides):
        limit = f"WIDTHxHEIGHT, even, {MIN_SIDE_PX}..{MAX_SIDE_PX}"
        raise InvalidField(f"{text!r} is no resolution", field=fields.at("resolution"), limit=limit)
    return sides
