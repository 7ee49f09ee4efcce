"""Whisper's vocabulary, as far as recognising needs it: special tokens by name, and token ids to text."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from realtime.core.errors import ConfigError

TOKENIZER_FILE: Final = "tokenizer.json"


class Vocabulary:
    """Read from a `tokenizer.json`; the pieces are bytes in GPT-2's printable alphabet (`_alphabet`)."""

    def __init__(self, pieces: dict[int, str], special: dict[str, int]) -> None:
        self._pieces = pieces
        self._special = special
        self._bytes = {character: value for value, character in _alphabet().items()}

    @classmethod
    def read(cls, directory: Path) -> "Vocabulary":
        """The vocabulary beside a model. Raises `ConfigError`."""
        path = directory / TOKENIZER_FILE
        try:
            content = json.loads(path.read_text("utf-8"))
            special = {str(one["content"]): int(one["id"]) for one in content["added_tokens"]}
            pieces = {int(index): str(piece) for piece, index in content["model"]["vocab"].items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"the recogniser's vocabulary {path} cannot be read: {error!r}") from None
        return cls({index: piece for index, piece in pieces.items() if piece not in special}, special)

    def special(self, name: str) -> int:
        """The id of a special token such as `startoftranscript`. Raises `ConfigError`."""
        found = self._special.get(f"<|{name}|>")
        if found is None:
            raise ConfigError(f"the recogniser's vocabulary has no token <|{name}|>")
        return found

    def knows(self, name: str) -> bool:
        """Whether there is such a special token, for example a language."""
        return f"<|{name}|>" in self._special

    def text(self, ids: Sequence[int]) -> str:
        """The text of these tokens; special ones say nothing."""
        raw = bytes(self._bytes[character] for index in ids for character in self._pieces.get(index, ""))
        return raw.decode("utf-8", "replace").strip()


def _alphabet() -> dict[int, str]:
    """GPT-2's bytes as characters: printable ones stand for themselves, the others follow from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [value for value in range(0x100) if value not in printable]
    return {value: chr(value) for value in printable} | {value: chr(0x100 + i) for i, value in enumerate(others)}
