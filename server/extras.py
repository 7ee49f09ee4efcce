"""Settings that take packages of an optional extra."""

import importlib.util
from collections.abc import Sequence

from realtime.core.errors import ConfigError
from realtime.core.extras import how_to_install
from server.config import Config


def require_packages(config: Config, setting: str, needed: Sequence[str], extra: str) -> None:
    """Raises `ConfigError` that names the setting, its source, and the packages that are not installed, if any."""
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        source = config.source(setting)
        raise ConfigError(f"{setting} ({source}) needs {', '.join(missing)}: {how_to_install(extra)}")
