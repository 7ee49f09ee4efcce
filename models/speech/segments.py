"""Cuts a text into parts that one voice can speak, with every character offset kept.

Characters that cannot be spoken become spaces one for one, so offsets into the cleaned text are offsets into the
original.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from models.speech import mandarin

MAX_PART: Final = 280
"""A part longer than this is cut at a sentence end, clause end or space; a job in the synthesiser stays short."""
_LONGEST_WORD: Final = 60
_SENTENCE_END: Final = frozenset(".!?;。！？；…")
_CLAUSE_END: Final = frozenset(",:，：、)）")
_HAN_RANGES: Final = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
_KEPT_SYMBOLS: Final = frozenset("+-=%&@#$€£¥°*/<>")
_NEVER: Final = frozenset("[]")
"""Double brackets would be read as phonemes."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of an utterance for one language."""

    text: str
    """What the synthesiser is given."""
    origins: tuple[int, ...]
    """For each character of `text`, the offset in the utterance's text of the character it stands for."""
    language: str
    pause: bool
    """Whether the pause that its punctuation asks for is spoken at its end."""

    def origin(self, position: int) -> int:
        """Offset in the utterance's text for a position in `text`, kept inside it."""
        return self.origins[min(max(position, 0), len(self.origins) - 1)]


def is_han(char: str) -> bool:
    """Whether this is a Chinese character."""
    code = ord(char)
    return any(low <= code <= high for low, high in _HAN_RANGES)


def clean(text: str) -> str:
    """Same length; control characters, emoji, other symbols and lone surrogates replaced by spaces."""
    return "".join(char if _speakable(char) else " " for char in text)


def _speakable(char: str) -> bool:
    if char in _KEPT_SYMBOLS:
        return True
    if char in _NEVER:
        return False
    category = unicodedata.category(char)
    if category[0] in "LNM":
        return not 0xFE00 <= ord(char) <= 0xFE0F  # variation selectors go with emoji
    return category[0] in "PZ" or category == "Sc"


def has_speech(text: str) -> bool:
    """Whether anything in a cleaned text makes a sound."""
    return any(char.isalnum() or char in _KEPT_SYMBOLS for char in text)


def split(text: str, language: str) -> tuple[Part, ...]:
    """The parts of a text in order. `language` is one of the catalogue's; Chinese characters go to Mandarin and
    Latin words to English whichever it is, numbers and punctuation go with their surroundings."""
    cleaned = _break_long_words(clean(text))
    latin = language if language.startswith("en") else "en"
    bounds: list[tuple[int, int, str]] = []
    for begin, end, spoken in _runs(cleaned, language, latin):
        bounds.extend((a, b, spoken) for a, b in _cut(cleaned, begin, end))
    parts = []
    for begin, end, spoken in bounds:
        piece = cleaned[begin:end]
        if has_speech(piece):
            closed = end == len(cleaned) or piece.rstrip()[-1:] in _SENTENCE_END | _CLAUSE_END
            sent, origins = mandarin.spoken(piece) if spoken == "zh" else (piece, tuple(range(len(piece))))
            parts.append(Part(sent, tuple(begin + origin for origin in origins), spoken, closed))
    return tuple(parts)


def _break_long_words(text: str) -> str:
    """An endless word without a space is spoken piecewise: every 60th of its characters gives way to a space."""
    characters, length = list(text), 0
    for index, char in enumerate(characters):
        length = 0 if char.isspace() or is_han(char) else length + 1
        if length > _LONGEST_WORD:
            characters[index], length = " ", 0
    return "".join(characters)


def _runs(text: str, language: str, latin: str) -> list[tuple[int, int, str]]:
    """Maximal runs of one language as (begin, end, language)."""
    numbers = "zh" if language == "zh" or any(is_han(char) for char in text) else latin
    marks: list[tuple[int, str]] = []
    for index, char in enumerate(text):
        if is_han(char):
            marks.append((index, "zh"))
        elif char.isalpha():
            marks.append((index, latin))
        elif char.isdigit() and not (marks and _glued(text, marks[-1][0], index)):
            marks.append((index, numbers))
    runs: list[tuple[int, int, str]] = []
    for index, spoken in marks:
        if runs and runs[-1][2] == spoken:
            continue
        begin = index if runs else 0
        if runs:
            runs[-1] = (runs[-1][0], begin, runs[-1][2])
        runs.append((begin, len(text), spoken))
    return runs or [(0, len(text), language)]


def _glued(text: str, letter: int, digit: int) -> bool:
    """Whether a digit hangs on a Latin letter, as in GPT4 or H.264."""
    between = text[letter + 1 : digit]
    return not is_han(text[letter]) and text[letter].isalpha() and all(c.isdigit() or c in ".-" for c in between)


def _cut(text: str, begin: int, end: int) -> list[tuple[int, int]]:
    """Bounds of pieces of at most MAX_PART characters."""
    pieces = []
    while end - begin > MAX_PART:
        at = _cut_point(text, begin, begin + MAX_PART)
        pieces.append((begin, at))
        begin = at
    pieces.append((begin, end))
    return pieces


def _cut_point(text: str, begin: int, limit: int) -> int:
    earliest = begin + MAX_PART // 4
    for stops in (_SENTENCE_END, _CLAUSE_END):
        for index in range(limit - 1, earliest, -1):
            if text[index - 1] in stops and (text[index].isspace() or ord(text[index - 1]) > 0x2000):
                return index
    for index in range(limit - 1, earliest, -1):
        if text[index].isspace():
            return index
    return limit
