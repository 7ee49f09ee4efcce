"""Reads the SSML subset: speak, break, bookmark, mark, emphasis, prosody, p, s, lang, sub (W3C SSML 1.1)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, NoReturn, cast
from xml.parsers import expat

from realtime.core.errors import InvalidField, Malformed
from realtime.core.script_beats import MAX_FACTOR, MAX_PAUSE_S, MIN_FACTOR, Beat, Emphasis, Mark, Pause, Say
from realtime.core.script_tags import TAG, beat_named

MAX_DEPTH: Final = 16
MAX_NAME_CHARS: Final = 64
PARAGRAPH_PAUSE_S: Final = 0.35

_LOOKS: Final = re.compile(r"\s*<(?:speak[\s/>]|\?xml|!DOCTYPE)")
_BREAK_S: Final[Mapping[str, float]] = {
    "none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2,
}  # fmt: skip
_RATES: Final[Mapping[str, float]] = {
    "x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6,
}  # fmt: skip
_PITCHES: Final[Mapping[str, float]] = {
    "x-low": 0.7, "low": 0.85, "medium": 1.0, "default": 1.0, "high": 1.15, "x-high": 1.35,
}  # fmt: skip
_EMPHASES: Final = ("none", "reduced", "moderate", "strong")
_TIME: Final = re.compile(r"\+?(\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})(ms|s)")
_NUMBER: Final = re.compile(r"([-+]?)(\d{1,4}(?:\.\d{0,6})?)(%|st)?")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_ELEMENTS: Final = ("speak", "break", "bookmark", "mark", "emphasis", "prosody", "p", "s", "lang", "sub")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that is spoken one way; `style` holds all but the text. It may contain inline tags."""

    text: str
    style: Say


Item = Piece | Beat | None
"""None stands for the end of a sentence or paragraph."""


def looks_like_ssml(text: str) -> bool:
    """Whether the text begins with a `<speak>` element."""
    return _LOOKS.match(text) is not None


def read_ssml(text: str, gestures: Collection[str]) -> list[Item]:
    """The pieces and beats of an SSML document in order. Raises `Malformed` with line and column where it is not
    well-formed XML or declares a document type, `InvalidField` where an element or value cannot be used."""
    return _Reader(gestures).read(text)


class _Reader:
    """Walks the document once; expat expands nothing but the five predefined entities and character references,
    because a document type, and with it every entity declaration, is refused."""

    def __init__(self, gestures: Collection[str]) -> None:
        self._gestures = gestures
        self._items: list[Item] = []
        self._open: list[tuple[str, Say]] = []
        self._hidden = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse

    def read(self, text: str) -> list[Item]:
        try:
            self._parser.Parse(text.strip(), True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise Malformed(
                f"SSML is not well-formed at line {error.lineno}, column {error.offset + 1}: {reason}", field="text"
            ) from None
        except UnicodeEncodeError:
            raise Malformed("SSML contains an unpaired surrogate", field="text") from None
        return self._items

    def _refuse(self, *_: object) -> NoReturn:
        raise Malformed(f"SSML with a document type is not accepted, at {self._where()}", field="text")

    def _where(self) -> str:
        return f"line {self._parser.CurrentLineNumber}, column {self._parser.CurrentColumnNumber + 1}"

    def _fail(self, message: str, limit: str) -> NoReturn:
        raise InvalidField(f"{message}, at {self._where()}", field="text", limit=limit)

    def _text(self, data: str) -> None:
        if not self._hidden:
            self._items.append(Piece(data, self._open[-1][1]))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._fail("SSML is nested too deeply", f"{MAX_DEPTH} levels")
        if name not in _ELEMENTS or (name == "speak") != (not self._open):
            self._fail(f"SSML element <{name}> is not understood here", ", ".join(_ELEMENTS))
        style = self._open[-1][1] if self._open else Say("")
        self._open.append((name, self._styled(name, style, attributes)))
        if name == "break":
            self._items.append(Pause(self._break_s(attributes)))
        elif name in ("mark", "bookmark"):
            self._items.append(self._mark(attributes))
        elif name in ("p", "s"):
            self._end_sentence(paragraph=name == "p")
        elif name == "sub":
            self._items.append(Piece(attributes.get("alias", ""), style))
            self._hidden += 1

    def _end(self, name: str) -> None:
        self._open.pop()
        if name in ("p", "s"):
            self._end_sentence(paragraph=False)
        elif name == "sub":
            self._hidden -= 1

    def _end_sentence(self, *, paragraph: bool) -> None:
        said = any(isinstance(item, Piece) and item.text.strip() for item in self._items)
        self._items.append(None)
        if paragraph and said:
            self._items.append(Pause(PARAGRAPH_PAUSE_S))

    def _styled(self, name: str, style: Say, attributes: dict[str, str]) -> Say:
        if name in ("speak", "lang") and (language := attributes.get("xml:lang")) is not None:
            if not _LANGUAGE.fullmatch(language):
                self._fail(f"xml:lang={language!r} is not a language", "a BCP 47 tag such as en-US")
            return replace(style, language=language.split("-")[0].lower())
        if name == "emphasis":
            level = attributes.get("level", "moderate")
            if level not in _EMPHASES:
                self._fail(f"emphasis level={level!r} is not understood", ", ".join(_EMPHASES))
            return replace(style, emphasis=cast(Emphasis, level))
        if name == "prosody":
            rate = self._factor("rate", attributes.get("rate", "medium"), _RATES)
            pitch = self._factor("pitch", attributes.get("pitch", "medium"), _PITCHES)
            return replace(style, rate=_clip(style.rate * rate), pitch=_clip(style.pitch * pitch))
        return style

    def _factor(self, what: str, value: str, names: Mapping[str, float]) -> float:
        """A factor from a name, `120%`, `+20%`, `1.2` or semitones such as `-2st` (SSML 1.1, 3.2.4)."""
        value = value.strip()
        if value in names:
            return names[value]
        match = _NUMBER.fullmatch(value)
        if match is None:
            self._fail(f"prosody {what}={value!r} is not understood", f"{', '.join(names)}, a percentage or a factor")
        sign, digits, unit = match.groups()
        number = float(sign + digits)
        if unit == "st":
            return float(2.0 ** (max(-24.0, min(24.0, number)) / 12.0))
        if unit == "%":
            return _clip(1.0 + number / 100.0 if sign or what == "pitch" else number / 100.0)
        return _clip(number)

    def _break_s(self, attributes: dict[str, str]) -> float:
        if (time := attributes.get("time")) is None:
            strength = attributes.get("strength", "medium")
            if strength not in _BREAK_S:
                self._fail(f"break strength={strength!r} is not understood", ", ".join(_BREAK_S))
            return _BREAK_S[strength]
        match = _TIME.fullmatch(time.strip())
        length_s = float(match.group(1)) * (0.001 if match.group(2) == "ms" else 1.0) if match else -1.0
        if not 0.0 <= length_s <= MAX_PAUSE_S:
            self._fail(f"break time={time!r} is not a length in range", f"0..{MAX_PAUSE_S:g} s, such as 300ms or 0.3s")
        return length_s

    def _mark(self, attributes: dict[str, str]) -> Beat:
        name = (attributes.get("mark") or attributes.get("name") or "").strip()
        if not 0 < len(name) <= MAX_NAME_CHARS:
            self._fail("a mark needs a name", f"1..{MAX_NAME_CHARS} characters")
        match = TAG.fullmatch(f"[{name}]")
        if match is None or match["name"] is None:
            return Mark(name)
        return beat_named(match["name"], match["value"], self._gestures, strict=True) or Mark(name)


def _clip(factor: float) -> float:
    return min(max(factor, MIN_FACTOR), MAX_FACTOR)
