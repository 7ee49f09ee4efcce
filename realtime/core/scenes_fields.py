"""Reads the fields of content that people wrote: every mistake is named with its place and its limit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from realtime.core.errors import InvalidField
from realtime.core.script_clean import strip_controls

T = TypeVar("T")
MAX_TEXT_CHARS: Final = 600
MAX_ITEMS: Final = 64


class Fields:
    """A mapping and where it stands. Unknown names are refused: a misspelt field would be silently without effect."""

    def __init__(self, data: object, path: str, known: Sequence[str]) -> None:
        if not isinstance(data, Mapping):
            raise InvalidField(f"{path or 'the content'} is not an object", field=path or "content", limit="an object")
        self._data: Mapping[Any, Any] = data
        self._path = path
        for name in data:
            if name not in known:
                raise InvalidField(
                    f"there is no field {str(name)[:64]!r}", field=self.at(str(name)[:64]), limit=", ".join(known)
                )

    def at(self, name: str) -> str:
        """A field's full name."""
        return f"{self._path}.{name}" if self._path else name

    def has(self, name: str) -> bool:
        """Whether the field is given."""
        return self._data.get(name) is not None

    def raw(self, name: str) -> Any:
        """The field as it stands."""
        return self._data.get(name)

    def text(self, name: str, default: str | None = None, limit: int = MAX_TEXT_CHARS) -> str:
        """A text; without a default it must be given and not be empty."""
        value = self._data.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            raise InvalidField(f"{self.at(name)} is missing", field=self.at(name), limit=f"1..{limit} characters")
        return _text(value, self.at(name), limit)

    def texts(
        self, name: str, *, least: int = 0, most: int = MAX_ITEMS, limit: int = MAX_TEXT_CHARS
    ) -> tuple[str, ...]:
        """A list of texts, or one text."""
        value = self._data.get(name)
        if isinstance(value, str):
            value = [value]
        return tuple(_text(v, p, limit) for v, p in self._list(name, value, least, most))

    def items(
        self, name: str, read: Callable[[Any, str], T], *, least: int = 0, most: int = MAX_ITEMS
    ) -> tuple[T, ...]:
        """A list, each item read by `read(value, path)`."""
        return tuple(read(v, p) for v, p in self._list(name, self._data.get(name), least, most))

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """A number in a range."""
        value = self._data.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidField(
                f"{self.at(name)} is not a number in range", field=self.at(name), limit=f"{low:g}..{high:g}"
            )
        return float(value)

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        """One of some words."""
        value = self.text(name, default, 64)
        if value not in allowed:
            raise InvalidField(
                f"{self.at(name)} is {value!r}, which does not exist", field=self.at(name), limit=", ".join(allowed)
            )
        return value

    def pairs(self, name: str) -> dict[str, str]:
        """An object of texts."""
        value = self._data.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or len(value) > MAX_ITEMS:
            limit = f"an object of at most {MAX_ITEMS} texts"
            raise InvalidField(f"{self.at(name)} is not an object of texts", field=self.at(name), limit=limit)
        return {str(key): _text(v, f"{self.at(name)}.{key}", MAX_TEXT_CHARS) for key, v in value.items()}

    def _list(self, name: str, value: Any, least: int, most: int) -> list[tuple[Any, str]]:
        value = [] if value is None else value
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            problem = f"{self.at(name)} is missing" if value == [] else f"{self.at(name)} is not a list of this length"
            raise InvalidField(problem, field=self.at(name), limit=f"a list of {least}..{most}")
        return [(item, f"{self.at(name)}[{i}]") for i, item in enumerate(value)]


def _text(value: Any, path: str, limit: int) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidField(f"{path} is not a text", field=path, limit=f"1..{limit} characters")
    text = " ".join(strip_controls(str(value)).split())
    if not text or len(text) > limit:
        problem = "is empty" if not text else "is too long"
        raise InvalidField(f"{path} {problem}", field=path, limit=f"1..{limit} characters")
    return text
