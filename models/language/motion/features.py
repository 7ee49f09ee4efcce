"""What the text encoder sees of a description: hashed words, pairs of words and pieces of words; for Chinese
characters, pairs and triples of characters."""

import re
import unicodedata
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.script_clean import HAN

BUCKETS: Final = 1 << 14
MAX_CHARS: Final = 300
PIECES: Final = (3, 4, 5)
"""Lengths of the pieces of an English word, with a mark at both ends (Bojanowski et al., 2017, section 3.2)."""
_TOKEN: Final = re.compile(rf"{HAN.pattern}+|[a-z]+|[0-9]+")
_EMPTY_WORDS: Final = frozenset(
    "a an the her his she he it its is are to of and or for with by at in on that this as be i you me my".split()
)
_EMPTY_HAN: Final = frozenset("的了着地得在是一个我你他她们这那和与")


@dataclass(frozen=True, slots=True)
class Features:
    """A description as places in the embedding table and the weights there, `(grams,)` each, and the keys of the words
    that say something."""

    places: NDArray[np.int64]
    weights: NDArray[np.float32]
    words: tuple[int, ...]


def features(text: str) -> Features:
    """Read a description; of a text without letters, digits or Chinese characters all parts are empty."""
    grams: Counter[str] = Counter()
    words: list[int] = []
    before = "^"
    for token in _TOKEN.findall(unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower()):
        if HAN.match(token):
            for size in (1, 2, 3):
                grams.update(f"z{token[i : i + size]}" for i in range(len(token) - size + 1))
            words += (_key(token[i : i + 2]) for i in range(max(1, len(token) - 1)) if _says(token[i : i + 2]))
            before = "^"
            continue
        grams.update((f"w{token}", f"b{before} {token}"))
        grams.update(dict.fromkeys(_pieces(f"<{token}>"), 1))
        if token not in _EMPTY_WORDS:
            words.append(_key(token))
        before = token
    places = np.array([zlib.crc32(gram.encode()) % BUCKETS for gram in grams], np.int64)
    weights = np.array([_weight(gram) for gram in grams], np.float32)
    return Features(places, weights / max(1e-6, float(np.linalg.norm(weights))), tuple(words))


def _pieces(marked: str) -> list[str]:
    return [f"p{marked[i : i + n]}" for n in PIECES for i in range(len(marked) - n + 1)]


def _says(pair: str) -> bool:
    return not _EMPTY_HAN.issuperset(pair)


def _key(word: str) -> int:
    return zlib.crc32(word.encode())


def _weight(gram: str) -> float:
    """A whole word says more than one of its many pieces; one that carries no meaning says little."""
    kind, rest = gram[0], gram[1:]
    if kind == "p":
        return 0.35
    if kind == "w":
        return 0.3 if rest in _EMPTY_WORDS else 1.5
    if kind == "z":
        return 0.2 if _EMPTY_HAN.issuperset(rest) else 1.0
    return 0.5
