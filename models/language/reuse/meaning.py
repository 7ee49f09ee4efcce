"""What a question comes down to: its concepts and the words that tell it from others, and whether two mean the same.

Safe by construction: every word counts as telling unless it is listed as filler or as part of a wording of a concept. A
colour, number, size, negation, name or product that differs is therefore never overlooked, even one nobody listed; the
price is that paraphrases in words nobody listed are not recognised."""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from models.language.ranking import terms
from realtime.core.script_clean import HAN

DIMENSIONS: Final = 256
MAX_CHARS: Final = 400
_MARK: Final = "\N{SECTION SIGN}"
"""Begins a concept in a text that is being read."""
_TOKEN: Final = re.compile(
    rf"{_MARK}\w+|{HAN.pattern}|(?:(?!{HAN.pattern})[^\W_])+(?:['.-](?:(?!{HAN.pattern})[^\W_])+)*"
)
_ASKS_FOR: Final = f"{_MARK}define"
_QUESTION_WORDS: Final = frozenset(("what", "which"))


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question read. `concepts` in no order; `telling` are the other words, in their order."""

    concepts: frozenset[str]
    telling: tuple[str, ...]

    def vector(self) -> NDArray[np.float32]:
        """As a unit vector, float32 (256,): signed hashes (Weinberger et al., 2009) of concepts, words and pairs of
        words; zeros for no words."""
        vector = np.zeros(DIMENSIONS, np.float32)
        pairs = (f"{a} {b}" for a, b in zip(self.telling, self.telling[1:], strict=False))
        for part, weight in (*_weighted(self.concepts, 1.5), *_weighted(self.telling, 1.0), *_weighted(pairs, 0.4)):
            key = zlib.crc32(part.encode())
            vector[key % DIMENSIONS] += weight if key >> 31 else -weight
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector


def meaning(text: str) -> Meaning:
    """Read a question in English or Chinese."""
    read = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower().replace("’", "'")
    read = re.sub(r"\b(what|who|how|where|when|that|it|there)'s\b", r"\1 is", read)
    for pattern, replacement in _rules():
        read = pattern.sub(replacement, read)
    concepts: list[str] = []
    telling: list[str] = []
    for token in _TOKEN.findall(read):
        if token.startswith(_MARK):
            concepts.append(token)
        else:
            token = _same().get(token, token)
            telling.append("-".join(terms(token)) if token.isascii() else token)
    if concepts:
        telling = [word for word in telling if word not in _QUESTION_WORDS]
    if len(set(concepts)) > 1:
        # "what is" asks for whatever else is asked for
        concepts = [concept for concept in concepts if concept != _ASKS_FOR]
    return Meaning(frozenset(concepts), tuple(telling))


def telling_difference(one: Meaning, other: Meaning) -> tuple[str, ...]:
    """The words that tell two questions apart, empty for none: those of one side only, or, where both have the same in
    another order, all of them ("from A to B" is not "from B to A")."""
    apart = {*one.telling, *one.concepts} ^ {*other.telling, *other.concepts}
    if not apart and one.telling != other.telling:
        return tuple(sorted({*one.telling, *other.telling}))
    return tuple(sorted(apart))


def _weighted(parts: Iterable[str], weight: float) -> list[tuple[str, float]]:
    return [(part, weight) for part in parts]


@cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "concepts.yaml").read_text("utf-8"))
    return found


@cache
def _same() -> Mapping[str, str]:
    return {**_data()["same"]["en"]}


@cache
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Replacements in their order: Chinese synonyms; concepts, the longest wording first; then what adds nothing."""
    data = _data()
    rules = [(re.compile(re.escape(said.lower())), str(kept).lower()) for said, kept in data["same"]["zh"].items()]
    wordings = [(said, f" {_MARK}{name} ") for name, of in data["concepts"].items() for said in (*of["en"], *of["zh"])]
    filler = [(said, " ") for said in (*data["filler"]["en"], *data["filler"]["zh"])]
    for group in (wordings, filler):
        for said, put in sorted(group, key=lambda pair: -len(pair[0])):
            bounded = rf"(?<![\w{_MARK}'-]){re.escape(said)}(?![\w'-])" if said.isascii() else re.escape(said)
            rules.append((re.compile(bounded), put))
    return tuple(rules)
