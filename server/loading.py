"""Where settings come from: file, environment and flags become one `Config`, and are described again."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from realtime.core.errors import ConfigError
from server.config import PREFIX, Config
from server.settings import Layer, docstrings_of, known, masked, resolve, setting_fields, table_of


def load(
    flags: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Config:
    """The settings: file, then environment, then flags, the later winning. `environ` defaults to the process's.

    The file is `file`, or what ANIMA_CONFIG names. Raises `ConfigError` naming the setting and its source."""
    environ = os.environ if environ is None else environ
    flags = flags or {}
    known(Config, flags, "flag")
    if file is None and environ.get(f"{PREFIX}CONFIG"):
        file = Path(environ[f"{PREFIX}CONFIG"]).expanduser()
    variables = {item.name: environ[variable(item.name)] for item in setting_fields(Config) if _is_set(item, environ)}
    values, sources = resolve(
        Config,
        (
            _file_layer(file),
            Layer(variables, {name: f"environment {variable(name)}" for name in variables}),
            Layer(flags, {name: f"flag {flag(name)}" for name in flags}),
        ),
    )
    _borrow_key(values, sources, environ)
    return Config(**values, sources=sources)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def flag(name: str) -> str:
    """The command-line flag of a setting."""
    return "--" + name.replace("_", "-")


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """ANIMA_ variables that set nothing: worth a warning, since a typing mistake would go unseen."""
    environ = os.environ if environ is None else environ
    allowed = {variable(item.name) for item in setting_fields(Config)} | {f"{PREFIX}CONFIG", f"{PREFIX}TOKEN"}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in allowed)


def docstrings() -> dict[str, str]:
    """Each setting's docstring."""
    return docstrings_of(Config)


def markdown_table() -> str:
    """The table of docs/configuration.md: `python -m server.loading` prints it."""
    return table_of(Config)


def describe(config: Config) -> list[tuple[str, Any, str]]:
    """`(name, value, source)` of every setting, secrets covered."""
    return [
        (item.name, masked(getattr(config, item.name), item.metadata["secret"]), config.source(item.name))
        for item in setting_fields(config)
    ]


def _is_set(item: Any, environ: Mapping[str, str]) -> bool:
    return variable(item.name) in environ


def _file_layer(file: Path | None) -> Layer:
    if file is None:
        return Layer({}, {})
    import yaml

    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration file {file} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        # the error's own text quotes the file, which may hold keys
        line = error.problem_mark.line + 1 if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark else "?"
        raise ConfigError(f"the configuration file {file} is no valid YAML (line {line})") from None
    values = {} if content is None else content
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise ConfigError(f"the configuration file {file} holds settings as `name: value`")
    known(Config, values, f"file {file}")
    return Layer(values, dict.fromkeys(values, f"file {file}"))


def _borrow_key(values: dict[str, Any], sources: dict[str, str], environ: Mapping[str, str]) -> None:
    """Take the LLM's key from the variable that `llm_api_key_env` names, unless the key itself is set."""
    name = values.get("llm_api_key_env")
    if not name or values.get("llm_api_key"):
        return
    if not environ.get(name):
        raise ConfigError(f"llm_api_key_env = {name!r} ({sources['llm_api_key_env']}): no such environment variable")
    values["llm_api_key"] = environ[name]
    sources["llm_api_key"] = f"environment {name}"


if __name__ == "__main__":
    print(markdown_table())
