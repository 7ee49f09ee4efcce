"""The illustrated hosts that come with Anima, and those that a user has put into a directory."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from models.avatar.preset_file import load_preset
from models.avatar.spec import AvatarSpec
from realtime.core.errors import ConfigError

DEFAULT: Final = "mei"
_HERE: Final = Path(__file__).parent / "presets"


@lru_cache(maxsize=1)
def presets() -> Mapping[str, AvatarSpec]:
    """The hosts of this version by name, the default first."""
    found = {spec.name: spec for spec in map(load_preset, sorted(_HERE.glob("*.yaml")))}
    return {DEFAULT: found.pop(DEFAULT), **found}


def all_presets(directory: Path | None) -> Mapping[str, AvatarSpec]:
    """The hosts of this version, then those of `directory/*.yaml`. Raises `ConfigError` for a broken or doubled one."""
    found = dict(presets())
    for path in sorted(directory.glob("*.yaml")) if directory and directory.is_dir() else ():
        spec = load_preset(path)
        if spec.name in found:
            raise ConfigError(f"{path}: name: there is another avatar {spec.name!r} already")
        found[spec.name] = spec
    return found
