"""The RTVI envelope `{label, id, type, data}`: reading one within limits, writing one."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from realtime.core.errors import InvalidField, Malformed, TooLarge

PROTOCOL_VERSION: Final = "2.1.0"
LABEL: Final = "rtvi-ai"
MAX_MESSAGE_BYTES: Final = 65_536
"""What RTVI transports promise to carry; also the data channel's usual limit."""
MAX_DEPTH: Final = 8
MAX_ID_CHARS: Final = 128
MAX_TYPE_CHARS: Final = 64


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of either direction."""

    type: str
    data: Mapping[str, Any]
    id: str = ""

    def text(self) -> str:
        """As JSON text. Pure ASCII, so that whatever characters it holds can be sent; figures that are not finite,
        which JSON does not know, become null."""
        body = {"label": LABEL, "id": self.id, "type": self.type, "data": self.data}
        try:
            return json.dumps(body, separators=(",", ":"), allow_nan=False, default=_plain)
        except ValueError:
            return json.dumps(_finite_only(body), separators=(",", ":"), allow_nan=False)


def read_object(text: str) -> dict[str, Any]:
    """A JSON object within the limits of size and nesting. Raises `TooLarge` or `Malformed`."""
    if len(text) > MAX_MESSAGE_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_MESSAGE_BYTES:
        raise TooLarge("the message is too large", field="message", limit=f"{MAX_MESSAGE_BYTES} bytes")
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise Malformed(
            f"the message is not JSON: {error.msg} at line {error.lineno}, column {error.colno}", field="message"
        ) from None
    except ValueError:
        # the interpreter's limit on the digits of an integer
        raise Malformed("the message holds a number that is too long", field="message") from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(value, dict):
        raise Malformed("the message is not a JSON object", field="message")
    _check_depth(value)
    return value


def read_envelope(text: str) -> Envelope:
    """An RTVI envelope. A missing id counts as empty, missing data as `{}`. Raises a `RequestError`."""
    return as_envelope(read_object(text))


def as_envelope(value: Mapping[str, Any]) -> Envelope:
    """The envelope in an object that was read already."""
    if value.get("label") != LABEL:
        raise InvalidField("the message carries another label", field="label", limit=LABEL)
    kind = value.get("type")
    if not isinstance(kind, str) or not 0 < len(kind) <= MAX_TYPE_CHARS:
        raise InvalidField("the message has no type", field="type", limit=f"a string of 1..{MAX_TYPE_CHARS} characters")
    data = value.get("data")
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise InvalidField("data is not an object", field="data", limit="an object")
    return Envelope(kind, data, _id(value.get("id")))


def id_of(text: str) -> str:
    """The id of a message that could not be used, for the error response; empty if it has none."""
    try:
        return _id(read_object(text).get("id"))
    except (Malformed, TooLarge, InvalidField):
        return ""


def _plain(value: object) -> object:
    """A numpy scalar, an enum or a mapping as something JSON knows."""
    if isinstance(value, Mapping):
        return dict(value)
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)


def _finite_only(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _finite_only(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite_only(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else _finite_only(_plain(value))


def _id(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 2**63 else ""
    if not isinstance(value, str) or len(value) > MAX_ID_CHARS:
        raise InvalidField("the id cannot be used", field="id", limit=f"a string of at most {MAX_ID_CHARS} characters")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON", field="message")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Malformed("the message holds a number that is too large", field="message")
    return number


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return
    if any(isinstance(leaf, dict | list) for leaf in level):
        raise _too_deep()


def _too_deep() -> Malformed:
    return Malformed("the message is nested too deeply", field="message", limit=f"{MAX_DEPTH} levels")
