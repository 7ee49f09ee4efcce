"""AMF0, the part of it that an RTMP publisher speaks (Adobe, Action Message Format AMF 0)."""

import struct
from collections.abc import Mapping
from typing import Final

Value = float | bool | str | None | Mapping[str, "Value"]
_NUMBER: Final = 0
_BOOLEAN: Final = 1
_STRING: Final = 2
_OBJECT: Final = 3
_NULL: Final = 5
_UNDEFINED: Final = 6
_ECMA_ARRAY: Final = 8
_END: Final = 9
_STRICT_ARRAY: Final = 10
_DEPTH_MAX: Final = 8


def write(*values: Value) -> bytes:
    """Values one after the other."""
    return b"".join(_written(value) for value in values)


def read(data: bytes) -> list[Value]:
    """All values. Raises `ValueError` for what is cut off or of an unknown type."""
    values: list[Value] = []
    at = 0
    try:
        while at < len(data):
            value, at = _read(data, at, 0)
            values.append(value)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError("broken AMF0") from error
    return values


def _written(value: Value) -> bytes:
    match value:
        case None:
            return bytes([_NULL])
        case bool():
            return bytes([_BOOLEAN, value])
        case int() | float():
            return struct.pack(">Bd", _NUMBER, value)
        case str():
            return bytes([_STRING]) + _text(value)
        case _:
            members = b"".join(_text(name) + _written(member) for name, member in value.items())
            return bytes([_OBJECT]) + members + bytes([0, 0, _END])


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _read(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth > _DEPTH_MAX:
        raise ValueError("AMF0 nested too deeply")
    kind, at = data[at], at + 1
    if kind == _NUMBER:
        return struct.unpack_from(">d", data, at)[0], at + 8
    if kind == _BOOLEAN:
        return bool(data[at]), at + 1
    if kind == _STRING:
        return _read_text(data, at)
    if kind in (_NULL, _UNDEFINED):
        return None, at
    if kind == _STRICT_ARRAY:
        count, at = int.from_bytes(data[at : at + 4], "big"), at + 4
        for _ in range(count):
            _, at = _read(data, at, depth + 1)
        return None, at
    if kind not in (_OBJECT, _ECMA_ARRAY):
        raise ValueError(f"AMF0 type {kind}")
    at += 4 if kind == _ECMA_ARRAY else 0
    members: dict[str, Value] = {}
    while True:
        name, at = _read_text(data, at)
        if not name and data[at] == _END:
            return members, at + 1
        members[name], at = _read(data, at, depth + 1)


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    size = struct.unpack_from(">H", data, at)[0]
    if at + 2 + size > len(data):
        raise ValueError("broken AMF0")
    return data[at + 2 : at + 2 + size].decode(), at + 2 + size
