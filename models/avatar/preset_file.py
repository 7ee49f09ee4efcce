"""Reads an illustrated host from a YAML file; every field is checked, errors name file, field and what is allowed."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from models.avatar.palette import PALETTES
from models.avatar.spec import AvatarSpec
from realtime.core.errors import ConfigError

MAX_BYTES: Final = 64 * 1024
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_MAX_TEXT: Final = 200


def load_preset(path: Path) -> AvatarSpec:
    """The host that a file describes; the file's name is the host's. Raises `ConfigError`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"the avatar's file {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must be a mapping of fields to values")
    if "name" not in data:
        data = {"name": path.stem, **data}
    try:
        return parse_preset(data)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_preset(data: Mapping[str, Any]) -> AvatarSpec:
    """The host that these fields describe. Raises `ConfigError` naming the field and what is allowed."""
    given = dict(data)
    name = given.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(f"name: {name!r} must be 1 to 32 of a-z, 0-9, - and _, beginning with a letter")
    plain = AvatarSpec()
    palettes: dict[str, Any] = {}
    for part in PALETTES:
        if part in given:
            palettes[part] = _palette(part, given.pop(part), getattr(plain, part))
    given.setdefault("title", name.capitalize())
    given.setdefault("description", "")
    given.setdefault("wears", {})
    spec = _filled(replace(plain, wears=type(plain.wears)()), given, "")
    described: AvatarSpec = replace(spec, **palettes)
    return described


def _palette(part: str, value: Any, plain: Any) -> Any:
    """A colour gives a whole set; a mapping gives single colours, over the set of its `base` if it has one."""
    if isinstance(value, str):
        return PALETTES[part](_color(value, part))
    if not isinstance(value, dict):
        raise ConfigError(f"{part}: {value!r} must be a colour such as '#c68863', or a mapping of colours")
    colors = dict(value)
    if part != "cloth" and "base" in colors:
        plain = PALETTES[part](_color(colors.pop("base"), f"{part}.base"))
    elif "base" in colors:
        plain = PALETTES[part](_color(colors["base"], f"{part}.base"))
    return _filled(plain, colors, f"{part}.")


def _filled(plain: Any, given: Mapping[str, Any], prefix: str) -> Any:
    known = {one.name: one for one in fields(plain)}
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise ConfigError(f"{prefix}{unknown[0]}: no such field; there are {', '.join(known)}")
    values = {name: _value(known[name], getattr(plain, name), value, prefix) for name, value in given.items()}
    return replace(plain, **values)


def _value(one: "Field[Any]", plain: Any, value: Any, prefix: str) -> Any:
    at = prefix + one.name
    if is_dataclass(plain):
        if not isinstance(value, dict):
            raise ConfigError(f"{at}: {value!r} must be a mapping")
        return _filled(plain, value, f"{at}.")
    if "range" in one.metadata:
        return _number(value, one.metadata["range"], at)
    if "options" in one.metadata:
        if value not in one.metadata["options"]:
            raise ConfigError(f"{at}: {value!r} must be one of {', '.join(one.metadata['options'])}")
        return value
    if isinstance(plain, bool):
        if not isinstance(value, bool):
            raise ConfigError(f"{at}: {value!r} must be true or false")
        return value
    if isinstance(plain, int):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
            raise ConfigError(f"{at}: {value!r} must be a whole number from 0 to {2**31 - 1}")
        return value
    if one.default is not MISSING and isinstance(one.default, str) and one.default.startswith("#"):
        return _color(value, at)
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise ConfigError(f"{at}: {value!r} must be text of at most {_MAX_TEXT} characters")
    return value


def _number(value: Any, limits: tuple[float, float], at: str) -> float:
    low, high = limits
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{at}: {value!r} must be a number from {low:g} to {high:g}")
    return float(value)


def _color(value: Any, at: str) -> str:
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        raise ConfigError(f"{at}: {value!r} must be a colour such as '#c68863' (quoted: # begins a comment in YAML)")
    return value.lower()
