"""Which text answers a query: BM25 over words and Chinese character pairs, on a scale that is the same for all queries.

Written out here because it is small: `bm25s` costs 0.5 s and 150 MB at import (SciPy, Numba) and `jieba` 0.5 s and
65 MB for its dictionary, to rank some hundred sentences. Overlapping character pairs are the usual way to index
Chinese without a dictionary (Nie, Gao, Zhang & Zhou, *On the Use of Words and N-grams for Chinese Information
Retrieval*, 2000).
"""

import difflib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.script_clean import HAN

K1: Final = 1.2
B: Final = 0.5
"""BM25's saturation and length weights (Robertson & Zaragoza, 2009); the texts are short, so length says little."""
STOP_WEIGHT: Final = 0.15
"""Weight of a word that carries no topic, relative to the rarest."""
SPELLING: Final = 0.84
"""Similarity from which an unknown word counts as a misspelt known one."""
MIN_SPELLED_CHARS: Final = 5

UNKNOWN_WORD: Final = 0.6
UNKNOWN_PAIR: Final = 0.3
"""Weight of what no text holds, relative to a term that one text holds. It must count, or every question that shares
one word with a text would fit; pairs count less, because half of them straddle two words."""

_TOKEN: Final = re.compile(rf"{HAN.pattern}+|(?:(?!{HAN.pattern})[^\W_])+(?:'[^\W_]+)?")
_STOP_WORDS: Final = frozenset(
    """a an the is are am was were be been do does did can could would should will shall may might i you he she it
    we they me my your our their its this that these those of to in on at for from with by and or but so if
    then than as what which who how when where why there here please tell say let know have has had get got
    just also some any much many really very about up out i'm i'd i'll you're it's what's let's don't not no
    ok okay well like want need thing too now today going doing exactly actually maybe bit im whats""".split()
)
_STOP_HAN: Final = frozenset(
    "的了吗呢吧啊呀哦嗯是我你您他她它们这那有在和与就都也要会能可以请问什么怎样么一个给想到说不今天谁哪里儿"
)
_SHORTHAND: Final = {"u": "you", "ur": "your", "r": "are", "pls": "please", "thx": "thanks", "ty": "thanks", "n": "and"}


def terms(text: str) -> list[str]:
    """The index terms of a text: stemmed words; for Chinese every character and every pair of neighbours."""
    out: list[str] = []
    for token in _TOKEN.findall(unicodedata.normalize("NFKC", text).replace("’", "'").lower()):
        if HAN.match(token):
            out += token
            out += (token[i : i + 2] for i in range(len(token) - 1))
        else:
            token = _SHORTHAND.get(token, token)
            out.append(token if token in _STOP_WORDS else _stem(token))
    return out


class Ranking:
    """BM25 scores of a fixed set of texts.

    `wholeness` 0..1 is how much a text loses of which only a part was asked for: a question that shares one word with
    a listed question is less likely to mean the same than one that shares all of them. For running text it is 0."""

    def __init__(self, documents: Sequence[str], wholeness: float = 0.0) -> None:
        bags = [Counter(terms(document)) for document in documents]
        lengths = [sum(bag.values()) for bag in bags]
        mean = sum(lengths) / max(1, len(lengths)) or 1.0
        self._size = len(bags)
        self._lengths = np.array([length / mean for length in lengths])
        postings: dict[str, list[tuple[int, int]]] = {}
        for index, bag in enumerate(bags):
            for term, count in bag.items():
                postings.setdefault(term, []).append((index, count))
        self._postings = {term: self._posting(found) for term, found in postings.items()}
        self._wholeness = wholeness
        weights = {term: self._weight(term) for term in self._postings}
        self._whole = np.array([sum(weights[term] for term in bag) or 1.0 for bag in bags])
        stops = {term for term in self._postings if _is_stop(term)}
        self._has_topic = np.array([not stops.issuperset(bag) for bag in bags], bool)
        self._words = [term for term in self._postings if len(term) >= MIN_SPELLED_CHARS and not HAN.match(term)]

    def scores(self, query: str) -> NDArray[np.float64]:
        """Each text's score, float64 (texts,): its BM25 sum divided by the weight of the whole query, so that about 1
        means that it holds everything that was asked. A text that shares no topic with a query that has one, or has one
        where the query has none, scores 0."""
        scores = np.zeros(self._size)
        covered = np.zeros(self._size)
        on_topic = np.zeros(self._size, bool)
        total = 0.0
        has_topic = False
        for term in dict.fromkeys(terms(query)):
            term = self._known(term)
            weight, topic = self._weight(term), not _is_stop(term)
            total += weight
            has_topic |= topic
            found = self._postings.get(term)
            if found is None:
                continue
            places, gains = found
            scores[places] += weight * gains
            covered[places] += weight
            if topic:
                on_topic[places] = True
        missing = 1.0 - np.minimum(1.0, covered / self._whole)
        fits = (on_topic if has_topic else ~self._has_topic) & (total > 0.0)
        return np.where(fits, scores / (total or 1.0) * (1.0 - self._wholeness * missing), 0.0)

    def topics(self, text: str) -> frozenset[str]:
        """The terms of a text that carry a topic, spelt as they are known here."""
        return frozenset(self._known(term) for term in terms(text) if not _is_stop(term))

    def _posting(self, found: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The texts a term stands in, and BM25's gain there before the term's weight."""
        places = np.array([index for index, _ in found], np.int64)
        counts = np.array([count for _, count in found], np.float64)
        norms = K1 * (1.0 - B + B * self._lengths[places])
        return places, counts * (K1 + 1.0) / (counts + norms)

    def _weight(self, term: str) -> float:
        """Inverse document frequency, kept low for terms without a topic and for those that no text holds."""
        posting = self._postings.get(term)
        found = 0 if posting is None else len(posting[0])
        rarest = math.log(1.0 + (self._size - 0.5) / 1.5)
        if _is_stop(term):
            return STOP_WEIGHT * rarest
        pair = HAN.match(term) is not None
        if not found:
            return rarest * (UNKNOWN_PAIR if pair else UNKNOWN_WORD) * (0.5 if pair and len(term) == 1 else 1.0)
        idf = math.log(1.0 + (self._size - found + 0.5) / (found + 0.5))
        return idf * (0.5 if pair and len(term) == 1 else 1.0)

    def _known(self, term: str) -> str:
        if term in self._postings or len(term) < MIN_SPELLED_CHARS or term in _STOP_WORDS or HAN.match(term):
            return term
        alike = [word for word in self._words if abs(len(word) - len(term)) <= 1]
        near = difflib.get_close_matches(term, alike, n=1, cutoff=SPELLING)
        return near[0] if near else term


def best(scores: NDArray[np.float64]) -> tuple[int, float]:
    """Index and value of the highest score, the first of equals; `(-1, 0.0)` if there is none above 0."""
    place = int(scores.argmax()) if len(scores) else -1
    return (place, float(scores[place])) if place >= 0 and scores[place] > 0.0 else (-1, 0.0)


def _is_stop(term: str) -> bool:
    return term in _STOP_WORDS or _STOP_HAN.issuperset(term)


def _stem(word: str) -> str:
    """The word without plural, possessive and the commonest verb endings."""
    word = word.removesuffix("'s").replace("'", "")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            word = word.removesuffix(ending)
            return word[:-1] if word[-1] == word[-2] and word[-1] not in "ls" else word
    return word.removesuffix("e") if len(word) > 4 else word
