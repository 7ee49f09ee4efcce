"""Reads the fields of a message: a value of the right type, or an error that names the field and what is allowed.

Every reader takes the object and the field's name in it; `field` is its full name for the error. Without a default the
field must be given. All raise `InvalidField`, those with a limit of length also `TooLarge`."""

from collections.abc import Mapping
from typing import Any

from realtime.core.errors import InvalidField, TooLarge
from realtime.core.facs import Emotion
from realtime.core.script_clean import strip_controls
from realtime.core.script_tags import EMOTION_NAMES, emotion_named


def known(data: Mapping[str, Any], *names: str) -> None:
    """Refuse fields of other names than these in `data.d`."""
    for name in data:
        if name not in names:
            raise InvalidField(f"there is no field {name[:64]!r}", field=f"data.d.{name[:64]}", limit=", ".join(names))


def object_in(data: Mapping[str, Any], name: str, field: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object."""
    value = data.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, dict):
        raise InvalidField(f"{name} is not an object", field=field, limit="an object")
    return value


def string_in(data: Mapping[str, Any], name: str, field: str, limit: int, default: str | None = None) -> str:
    """A string that is not blank, of up to `limit` characters."""
    value = data.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not value.strip():
        raise InvalidField(f"{name} is not a text", field=field, limit=f"1..{limit} characters")
    if len(value) > limit:
        raise TooLarge(f"{name} is too long", field=field, limit=f"{limit} characters")
    return value


def text_in(data: Mapping[str, Any], name: str, field: str, limit: int) -> str:
    """A text to be read by people: without control characters, not blank, of up to `limit` characters."""
    text = strip_controls(string_in(data, name, field, limit)).strip()
    if not text:
        raise InvalidField(f"{name} holds no characters that can be read", field=field, limit=f"1..{limit} characters")
    return text


def bool_in(data: Mapping[str, Any], name: str, field: str, default: bool) -> bool:
    """True or false."""
    value = data.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidField(f"{name} is not true or false", field=field, limit="true or false")
    return value


def number_in(
    data: Mapping[str, Any], name: str, field: str, low: float, high: float, default: float | None = None
) -> float:
    """A number in a range."""
    value = data.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidField(f"{name} is not a number in range", field=field, limit=f"{low:g}..{high:g}")
    return float(value)


def emotion_in(data: Mapping[str, Any]) -> Emotion | None:
    """The field `emotion` of `data.d`, None if it is not given."""
    value = data.get("emotion")
    if value is None:
        return None
    emotion = emotion_named(value) if isinstance(value, str) else None
    if emotion is None:
        raise InvalidField("there is no such emotion", field="data.d.emotion", limit=", ".join(EMOTION_NAMES))
    return emotion


def gaze_in(data: Mapping[str, Any]) -> tuple[float, float] | None:
    """The field `gaze` of `data.d`, (x, y) in -1..1 each, None if it is not given."""
    if data.get("gaze") is None:
        return None
    gaze = object_in(data, "gaze", "data.d.gaze")
    return number_in(gaze, "x", "data.d.gaze.x", -1.0, 1.0), number_in(gaze, "y", "data.d.gaze.y", -1.0, 1.0)
