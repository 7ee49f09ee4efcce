"""Reads what is to be painted as JSON says it: one rule for the HTTP interface and for the data channel."""

from collections.abc import Mapping
from typing import Any, Final, cast

from realtime.core.errors import InvalidField
from realtime.core.painting import PLACES, STRENGTHS, PaintOrder, Place
from realtime.core.prompting import MAX_SEED, read_prompt
from realtime.core.scenes_fields import Fields
from realtime.core.script_clean import strip_controls

MAX_PROMPT_CHARS: Final = 600
MAX_STYLE_CHARS: Final = 64
MAX_STYLE_STRENGTH: Final = 2.0
_FIELDS: Final = ("region", "prompt", "negative_prompt", "strength", "seed")


def read_order(data: object, path: str) -> PaintOrder:
    """An order: `region` and `prompt` are required. A structured prompt brings its negative words and its seed, where
    the order has none of its own. Raises `InvalidField` that names the field, below `path`, and its limit."""
    fields = Fields(data, path, _FIELDS)
    region = cast(Place, fields.choice("region", PLACES))
    text, negative, seed = _prompt(fields)
    negative = _negative(fields) or negative
    strength = fields.number("strength", 0.0, 1.0, STRENGTHS[region])
    if strength == 0.0:
        raise InvalidField("nothing would be painted", field=fields.at("strength"), limit="above 0 up to 1")
    return PaintOrder(region, text, negative, strength, _seed(fields, seed))


def read_style(data: Mapping[str, Any], path: str) -> tuple[str | None, float]:
    """The fields `style` (None if it is not given, empty to take it off) and `style_strength` of a cue."""
    fields = Fields(data, path, tuple(data))
    strength = fields.number("style_strength", 0.0, MAX_STYLE_STRENGTH, 1.0)
    name = fields.raw("style")
    if name is not None and (not isinstance(name, str) or len(name) > MAX_STYLE_CHARS):
        limit = f"0..{MAX_STYLE_CHARS} characters"
        raise InvalidField("style is not the name of a style pack", field=fields.at("style"), limit=limit)
    return name, strength


def _prompt(fields: Fields) -> tuple[str, str, int]:
    """The words to paint by, the words to avoid and the seed that come with them."""
    prompt = fields.raw("prompt")
    if isinstance(prompt, Mapping):
        read = read_prompt(prompt, fields.at("prompt"))
        text, negative, seed = read.text, ", ".join(read.negative), read.parameters.seed
    else:
        text, negative, seed = _words(prompt, fields.at("prompt")), "", 0
    if not 0 < len(text) <= MAX_PROMPT_CHARS:
        limit = f"1..{MAX_PROMPT_CHARS} characters"
        raise InvalidField("the prompt is empty or too long", field=fields.at("prompt"), limit=limit)
    return text, negative, seed


def _negative(fields: Fields) -> str:
    if not fields.has("negative_prompt"):
        return ""
    text, field = _words(fields.raw("negative_prompt"), fields.at("negative_prompt")), fields.at("negative_prompt")
    if len(text) > MAX_PROMPT_CHARS:
        raise InvalidField("the negative prompt is too long", field=field, limit=f"0..{MAX_PROMPT_CHARS} characters")
    return text


def _words(value: object, field: str) -> str:
    if not isinstance(value, str):
        limit = f"1..{MAX_PROMPT_CHARS} characters"
        raise InvalidField(f"{field} is no text", field=field, limit=limit)
    return " ".join(strip_controls(value).split())


def _seed(fields: Fields, default: int) -> int:
    seed = fields.number("seed", 0, MAX_SEED, default)
    if seed != int(seed):
        raise InvalidField("the seed is not whole", field=fields.at("seed"), limit=f"whole, 0..{MAX_SEED}")
    return int(seed)
