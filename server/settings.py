"""Layers of settings resolved into one: how a raw value becomes a typed one, and what is said when it cannot."""

import ast
import difflib
import inspect
import ipaddress
import json
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from realtime.core.errors import ConfigError

MASK = "********"


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server as browsers take it (W3C WebRTC, RTCIceServer)."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        """The browser's dictionary form; empty credentials are left out."""
        plain: dict[str, Any] = {"urls": list(self.urls)}
        if self.username:
            plain |= {"username": self.username, "credential": self.credential}
        return plain


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of raw values; `origin` maps a setting's name to the words that name where its value came from."""

    values: Mapping[str, Any]
    origin: Mapping[str, str]


def setting(
    default: Any = MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    secret: bool = False,
) -> Any:
    """A dataclass field with its allowed range; a secret one never shows in a repr or in printed settings."""
    metadata = {"low": low, "high": high, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


def resolve(cls: type[Any], layers: Iterable[Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    """Typed values and their sources, later layers winning. Raises `ConfigError` for what has the wrong type."""
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        for name, raw in layer.values.items():
            source = layer.origin[name]
            try:
                values[name] = coerce(raw, hints[name])
            except (TypeError, ValueError) as error:
                # no error of `coerce` quotes the value
                shown = MASK if _is_secret(cls, name) else repr(raw)
                raise ConfigError(f"{name} = {shown} ({source}): {error}") from None
            sources[name] = source
    return values, sources


def known(cls: type[Any], names: Iterable[str], source: str) -> None:
    """Raise `ConfigError` for a name that is no setting, with the nearest one that is."""
    existing = [f.name for f in fields(cls) if "secret" in f.metadata]
    for name in names:
        if name not in existing:
            near = difflib.get_close_matches(name, existing, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{name!r} ({source}) is no setting{hint}")


def check(settings: Any, sources: Mapping[str, str]) -> None:
    """Raise `ConfigError` for a value outside its field's range or choice."""
    hints = get_type_hints(type(settings))
    for item in setting_fields(settings):
        value = getattr(settings, item.name)
        allowed = describe_allowed(item, hints[item.name])
        if not _inside(value, item, hints[item.name]):
            source = sources.get(item.name, "given in code")
            raise ConfigError(f"{item.name} = {value!r} ({source}) is out of range: allowed is {allowed}")


def setting_fields(cls: Any) -> list[Field[Any]]:
    """The dataclass's fields that are settings."""
    return [f for f in fields(cls) if "secret" in f.metadata]


def describe_allowed(item: Field[Any], hint: Any) -> str:
    """A field's type and range in words."""
    if get_origin(hint) is Literal:
        return " or ".join(repr(choice) for choice in get_args(hint))
    low, high = item.metadata["low"], item.metadata["high"]
    kind = type_name(hint)
    if low is not None and high is not None:
        return f"{kind}, {low} to {high}"
    return f"{kind}, at least {low}" if low is not None else kind


def type_name(hint: Any) -> str:
    """How documentation calls a field's type."""
    names: dict[Any, str] = {
        str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path",
        tuple[str, ...]: "list of texts", tuple[IceServer, ...]: "list of ICE servers",
    }  # fmt: skip
    return names.get(_without_none(hint), str(hint))


def docstrings_of(cls: type[Any]) -> dict[str, str]:
    """Each setting's docstring, read from the source of the class."""
    body = ast.parse(inspect.getsource(cls)).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and is_text:
            found[before.target.id] = str(ast.literal_eval(after.value))  # type: ignore[attr-defined]  # narrowed above
    return found


def table_of(cls: type[Any]) -> str:
    """All settings as a table in Markdown."""
    texts, hints = docstrings_of(cls), get_type_hints(cls)
    rows = ["| setting | default | allowed | meaning |", "|---|---|---|---|"]
    for item in setting_fields(cls):
        default = masked(item.default, item.metadata["secret"])
        shown = "" if default in (None, "", []) else f"`{default}`"
        allowed = describe_allowed(item, hints[item.name])
        rows.append(f"| `{item.name}` | {shown} | {allowed} | {texts[item.name]} |")
    return "\n".join(rows)


def masked(value: Any, secret: bool) -> Any:
    """A value as it may be shown: plain JSON, secrets covered."""
    if isinstance(value, IceServer):
        return value.as_json() | ({"credential": MASK} if value.credential else {})
    if isinstance(value, tuple):
        return [masked(one, secret) for one in value]
    if secret:
        return MASK if value else value
    return str(value) if isinstance(value, Path) else value


def coerce(raw: Any, hint: Any) -> Any:
    """A raw value (text from the environment or a flag, or YAML's types) as the field's type."""
    target = _without_none(hint)
    if target is not hint and raw in (None, ""):
        return None
    if target == tuple[str, ...]:
        return tuple(_text(one) for one in _items(raw))
    if target == tuple[IceServer, ...]:
        return tuple(_ice_server(one) for one in _items(raw))
    if get_origin(target) is Literal:
        return raw
    if target is bool:
        return _boolean(raw)
    if target in (int, float):
        return _number(raw, target)
    return Path(_text(raw)).expanduser() if target is Path else _text(raw)


def port_range(text: str) -> range:
    """`50000-50199` as a range; empty text is an empty one. Raises `ValueError`."""
    if not text:
        return range(0)
    first, dash, last = text.partition("-")
    if not first.isdecimal() or not (last if dash else first).isdecimal():
        raise ValueError("expected one port, or two with a hyphen between them")
    low, high = int(first), int(last) if dash else int(first)
    if not 1024 <= low <= high <= 65535:
        raise ValueError("the ports lie between 1024 and 65535, the lower one first")
    return range(low, high + 1)


def is_ipv4(text: str) -> bool:
    """Whether this is an IPv4 address."""
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError(f"expected text, got {type(raw).__name__}")
    return raw


def _number(raw: Any, target: type[Any]) -> Any:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise TypeError(f"expected a number, got {type(raw).__name__}")
    try:
        number = target(raw)
    except ValueError:
        raise ValueError(f"expected a {'whole ' if target is int else ''}number") from None
    if isinstance(raw, float) and number != raw:
        raise ValueError("expected a whole number")
    return number


def _boolean(raw: Any) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in words:
        return words[raw.lower()]
    raise ValueError("expected true or false")


def _items(raw: Any) -> Sequence[Any]:
    """A list as YAML gives it, or text: a JSON list, or parts between commas."""
    if isinstance(raw, str) and raw.lstrip().startswith("["):
        raw = json.loads(raw)
    if isinstance(raw, str):
        return [part.strip() for part in raw.split(",") if part.strip()]
    if not isinstance(raw, (list, tuple)):
        raise TypeError(f"expected a list, got {type(raw).__name__}")
    return raw


def _ice_server(raw: Any) -> IceServer:
    if isinstance(raw, str):
        raw = {"urls": raw}
    if not isinstance(raw, dict) or not set(raw) <= {"urls", "username", "credential"} or not raw.get("urls"):
        raise ValueError("an ICE server is an address or has 'urls', and may have 'username' and 'credential'")
    urls = raw["urls"]
    addresses = tuple(_text(one) for one in (urls if isinstance(urls, list) else [urls]))
    for address in addresses:
        if address.partition(":")[0] not in ("stun", "stuns", "turn", "turns"):
            raise ValueError("an ICE server's address begins with stun:, stuns:, turn: or turns:")
    return IceServer(addresses, _text(raw.get("username", "")), _text(raw.get("credential", "")))


def _inside(value: Any, item: Field[Any], hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return True
    low, high = item.metadata["low"], item.metadata["high"]
    # written so that NaN is outside of every range
    return (low is None or value >= low) and (high is None or value <= high) and value == value


def _is_secret(cls: type[Any], name: str) -> bool:
    return any(f.name == name and (f.metadata.get("secret") or f.name == "ice_servers") for f in fields(cls))
