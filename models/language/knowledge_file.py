"""What a host knows: question-and-answer entries and passages, read from a YAML file.

unknown: {en: [I do not know that one.], zh: [这个我不知道。]}
entries:
  - id: hours                  # unique; named as the answer's source unless `source` is given
    language: en
    ask: [When are you open?, What are the opening hours?]
    keywords: [hours, open]    # optional
    answer: "[nod] We open at nine. ..."    # or a list, used in turn; inline tags allowed
    source: the shop           # optional
passages:
  - {id: story, language: en, text: ..., keywords: [...], source: ...}
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from realtime.core.errors import ConfigError

DEFAULT_KNOWLEDGE: Final = Path(__file__).parent / "knowledge" / "default.yaml"
MAX_FILE_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be asked, and what is answered, in turn."""

    id: str
    language: str
    ask: tuple[str, ...]
    answers: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    source: str = ""
    vague: bool = False
    """Whether an entry that also fits the question before is the better answer: "How much is it?"."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Running text whose sentences can serve as answers."""

    id: str
    language: str
    text: str
    keywords: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that a host can answer from. `unknown` holds, by language, what it says when it has no answer."""

    entries: tuple[Entry, ...]
    passages: tuple[Passage, ...]
    unknown: Mapping[str, tuple[str, ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that something can be answered in, sorted."""
        return tuple(sorted({e.language for e in self.entries} | {p.language for p in self.passages}))


def load_knowledge(path: Path | None = None) -> Knowledge:
    """Read a knowledge file, the bundled one by default. Raises `ConfigError` that names file, place and field."""
    path = DEFAULT_KNOWLEDGE if path is None else path
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        return parse_knowledge(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from error


def parse_knowledge(text: str, name: str = "knowledge") -> Knowledge:
    """Knowledge from YAML text; `name` is what errors call it."""
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    root = _Fields(data, name, ("unknown", "entries", "passages"))
    entries = tuple(_entry(fields) for fields in root.items("entries", _ENTRY_FIELDS))
    passages = tuple(_passage(fields) for fields in root.items("passages", _PASSAGE_FIELDS))
    if not entries and not passages:
        raise ConfigError(f"{name}: neither entries nor passages")
    ids = Counter([(e.id, e.language) for e in entries] + [(p.id, p.language) for p in passages])
    for (id, language), count in ids.items():
        if count > 1:
            raise ConfigError(f"{name}: id {id!r} comes {count} times in language {language!r}")
    unknown = _Fields(root.data.get("unknown") or {}, f"{name}: unknown")
    return Knowledge(entries, passages, {str(language): unknown.texts(language) for language in unknown.data})


_ENTRY_FIELDS: Final = ("id", "language", "ask", "keywords", "answer", "source", "vague")
_PASSAGE_FIELDS: Final = ("id", "language", "text", "keywords", "source")


def _entry(fields: "_Fields") -> Entry:
    id = fields.text("id")
    return Entry(
        id=id,
        language=fields.text("language"),
        ask=fields.texts("ask"),
        answers=fields.texts("answer"),
        keywords=fields.texts("keywords", required=False),
        source=fields.text("source", default=id),
        vague=fields.flag("vague"),
    )


def _passage(fields: "_Fields") -> Passage:
    id = fields.text("id")
    return Passage(
        id=id,
        language=fields.text("language"),
        text=fields.text("text"),
        keywords=fields.texts("keywords", required=False),
        source=fields.text("source", default=id),
    )


class _Fields:
    """A mapping of the file and where it stands, for errors."""

    def __init__(self, data: object, where: str, known: tuple[str, ...] = ()) -> None:
        if not isinstance(data, dict):
            raise ConfigError(f"{where}: not a mapping")
        self.data: dict[Any, Any] = data
        self._where = where
        for name in data:
            if known and name not in known:
                raise ConfigError(f"{where}: there is no field {name!r}; known are {', '.join(known)}")

    def items(self, name: str, known: tuple[str, ...]) -> list["_Fields"]:
        """A list of mappings; empty if it is missing."""
        value = self.data.get(name) or []
        if not isinstance(value, list):
            raise ConfigError(f"{self._where}: {name} is not a list")
        return [_Fields(item, f"{self._where}: {name}[{i}]", known) for i, item in enumerate(value)]

    def flag(self, name: str) -> bool:
        """True or false; false if it is missing."""
        value = self.data.get(name, False)
        if not isinstance(value, bool):
            raise ConfigError(f"{self._where}: {name} is not true or false")
        return value

    def text(self, name: str, default: str = "") -> str:
        """A text that is not empty, unless there is a default."""
        value = self.data.get(name, default)
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{self._where}: {name} is not a text")
        return value.strip()

    def texts(self, name: str, *, required: bool = True) -> tuple[str, ...]:
        """A text or a list of texts."""
        value = self.data.get(name)
        if value is None and not required:
            return ()
        values = value if isinstance(value, list) else [value]
        texts = tuple(item.strip() for item in values if isinstance(item, str) and item.strip())
        if not texts or len(texts) < len(values):
            raise ConfigError(f"{self._where}: {name} is not a text or a list of texts")
        return texts
