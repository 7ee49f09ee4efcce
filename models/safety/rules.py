"""Reads rule packs: YAML files of regular expressions with what to do. Mistakes name file, rule and field."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import yaml

from realtime.core.errors import ConfigError
from realtime.core.safety import ACTIONS, Action, Direction, Rule, RulePack

BUNDLED: Final = Path(__file__).parent / "packs"
MAX_PACK_BYTES: Final = 1024 * 1024
MAX_PATTERN_CHARS: Final = 4_000
_PACK_FIELDS: Final = ("name", "version", "mask_personal", "allowed", "rules")
_RULE_FIELDS: Final = ("id", "pattern", "action", "directions", "scenes", "languages", "loose", "says")


def load_packs(names: Sequence[str], directory: Path | None = None, language: str = "en") -> tuple[RulePack, ...]:
    """The packs of these names, from the directory if it has them, else the bundled ones; `common` is always among
    them, first. `language` picks the words a rule says."""
    wanted = ["common", *(name for name in names if name != "common")]
    return tuple(load_pack(_path(name, directory), language) for name in wanted)


def load_pack(path: Path, language: str = "en") -> RulePack:
    """One pack. Raises `ConfigError`."""
    try:
        if path.stat().st_size > MAX_PACK_BYTES:
            raise ConfigError(f"{path.name}: larger than {MAX_PACK_BYTES} bytes")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path.name}: not YAML in UTF-8: {' '.join(str(error).split())[:200]}") from error
    if not isinstance(data, dict) or not isinstance(data.get("rules"), list):
        raise ConfigError(f"{path.name}: a pack has a name, a version and a list of rules")
    _known(data, _PACK_FIELDS, path.name)
    rules = tuple(_rule(rule, f"{path.name}: rules[{i}]", language) for i, rule in enumerate(data["rules"]))
    allowed = _texts(data, "allowed", path.name)
    return RulePack(str(data.get("name", path.stem)), str(data.get("version", "")), rules,
                    data.get("mask_personal", False) is True, allowed)  # fmt: skip


def bundled() -> list[str]:
    """The names of the packs that come with Anima."""
    return sorted(path.stem for path in BUNDLED.glob("*.yaml"))


def _path(name: str, directory: Path | None) -> Path:
    if not re.fullmatch(r"[\w-]{1,64}", name):
        raise ConfigError(f"a rule pack's name has letters, digits, - and _ only, got {name[:80]!r}")
    for folder in (directory, BUNDLED):
        if folder is not None and (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise ConfigError(f"there is no rule pack {name!r}; there are {', '.join(bundled())}")


def _rule(data: Any, where: str, language: str) -> Rule:
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: not a mapping")
    _known(data, _RULE_FIELDS, where)
    action, directions = data.get("action"), data.get("directions")
    if not isinstance(data.get("id"), str):
        raise ConfigError(f"{where}.id: missing")
    if action not in ACTIONS:
        raise ConfigError(f"{where}.action: one of {', '.join(ACTIONS)}")
    if not isinstance(directions, list) or not directions or not set(directions) <= {"in", "out"}:
        raise ConfigError(f"{where}.directions: a list of in, out")
    return Rule(
        data["id"],
        _pattern(data.get("pattern"), where),
        cast(Action, action),
        cast(tuple[Direction, ...], tuple(directions)),
        _texts(data, "scenes", where),
        _texts(data, "languages", where),
        _says(data.get("says", ""), where, language),
        data.get("loose") is True,
    )


def _pattern(value: Any, where: str) -> re.Pattern[str]:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_PATTERN_CHARS:
        raise ConfigError(f"{where}.pattern: a text of 1..{MAX_PATTERN_CHARS} characters")
    try:
        pattern = re.compile(value, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"{where}.pattern: {error}") from error
    if pattern.search(""):
        raise ConfigError(f"{where}.pattern: it matches nothing at all, so it would match everything")
    return pattern


def _says(value: Any, where: str, language: str) -> str:
    if isinstance(value, Mapping):
        value = value.get(language) or value.get("en") or next(iter(value.values()), "")
    if not isinstance(value, str):
        raise ConfigError(f"{where}.says: a text, or a text by language")
    return value


def _texts(data: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = data.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{where}.{name}: a list of texts")
    return tuple(value)


def _known(data: Mapping[Any, Any], names: Sequence[str], where: str) -> None:
    for name in data:
        if name not in names:
            raise ConfigError(f"{where}: there is no field {name!r}; known are {', '.join(names)}")
