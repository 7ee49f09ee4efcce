"""Turns written text into speakable text: markdown, emoji and control characters go, words and punctuation stay."""

import re
import unicodedata
from typing import Final

HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA: Final = re.compile(r"[\u3041-\u30ff\uff66-\uff9f]")
_LATIN_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_EMOJI: Final = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff\u25aa-\u25fe\u20e3\ufe0e\ufe0f]"
    "\u200d?"
)
_FENCE: Final = re.compile(r"^[ ]*(?:```|~~~).*$", re.MULTILINE)
_RULE: Final = re.compile(r"^[ ]*(?:[-*_][ ]*){3,}$", re.MULTILINE)
_LINK: Final = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)")
_URL: Final = re.compile(r"https?://(?:www\.)?([^\s/?#\"'<>()，。]+)[^\s\"'<>()，。]*", re.IGNORECASE)
_ITEM: Final = re.compile(r"^\s*(?:#{1,6}\s+|[-*+•·]\s+|>\s?)+")
_NUMBERED: Final = re.compile(r"^\s*(\d{1,3})[.)]\s+(?=\S)")
_STRONG: Final = re.compile(r"\*\*+|__+(?=\S)|(?<=\S)__+|`+|~~")
_SLANTED: Final = re.compile(r"(?<![A-Za-z0-9*\\])[*_](?=\S)|(?<=[^\s\\])[*_](?![A-Za-z0-9*])")
_ESCAPE: Final = re.compile(r"\\([\\`*_{}<>()#+.!|~-])")
_SPACE: Final = re.compile(r"[^\S\n]+")
_LEADING: Final = re.compile(r"^[\s.,!?;:…，。！？；：、)\]}»”’」』）】]+(?=\S)")

_DROPPED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT: Final = frozenset("\n\u200c\u200d")
_ENDINGS: Final = tuple(".!?…:;,。！？；：，、\"')]”’」』）】")


def count_han(text: str) -> int:
    """How many Chinese characters there are."""
    return len(HAN.findall(text))


def guess_language(text: str, default: str) -> str:
    """`zh` where Chinese characters dominate (three stand for about two Latin words), otherwise the default."""
    han = count_han(text)
    if han == 0 or _KANA.search(text):
        return default
    return "zh" if 2 * han >= 3 * len(_LATIN_WORD.findall(text)) else default


def has_speech(text: str) -> bool:
    """Whether there is anything in it that a voice could pronounce."""
    return any(character.isalnum() for character in text)


def strip_controls(text: str) -> str:
    """Unicode NFC without control, format, unassigned and unpaired surrogate characters; line ends become `\\n`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _DROPPED_CATEGORIES)
    return unicodedata.normalize("NFC", text)


def strip_markup(text: str) -> str:
    """Text without markdown, emoji and control characters. Inline tags and `\\[` survive; lines end as sentences where
    a heading, a list item or a blank line ended them."""
    text = strip_controls(text)
    text = _RULE.sub("", _FENCE.sub("", text))
    text = _URL.sub(r"\1", _LINK.sub(r"\1", text))
    text = _EMOJI.sub("", text)
    lines = [_line(line) for line in text.split("\n")]
    text = " ".join(_join(lines))
    text = _SLANTED.sub("", _STRONG.sub("", text))
    return _SPACE.sub(" ", _ESCAPE.sub(r"\1", text)).strip()


def strip_stray(text: str) -> str:
    """Text without punctuation left over at its beginning, and with `\\[` as a plain bracket."""
    return _LEADING.sub("", text.replace("\\[", "[").replace("\\]", "]").strip())


def _line(line: str) -> tuple[str, bool]:
    """A line without its list or heading mark, and whether it stands for itself."""
    bare = _ITEM.sub("", line, count=1)
    numbered = _NUMBERED.sub(r"\1, ", bare, count=1)
    return numbered.strip(), bare != line or numbered != bare


def _join(lines: list[tuple[str, bool]]) -> list[str]:
    out: list[str] = []
    for index, (line, alone) in enumerate(lines):
        if not line:
            continue
        follows = lines[index + 1] if index + 1 < len(lines) else None
        if follows is not None and (alone or follows[1] or not follows[0]) and not line.endswith(_ENDINGS):
            line += "。" if guess_language(line, "") == "zh" else "."
        out.append(line)
    return out
