"""Gives a language model's earlier answer again where a question means the same, within one role and language.

Kept are answers to first questions only: later ones depend on what was said before. An answer is kept once it ended as
its model ended it, passed the safety rules, and neither it nor its question holds personal data. What is given again
goes through the session's own safety filter like any other answer."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.language.motion.index import VectorIndex
from models.language.reuse.meaning import DIMENSIONS, Meaning, meaning, telling_difference
from realtime.core.cache import ByteLru
from realtime.core.safety_masking import mask_personal
from realtime.core.script import guess_language
from realtime.ports import Answerer, AnswerPart, Clock, Turn

SIMILARITY: Final = 0.88
"""The least similarity of two questions that may share an answer; the guard must agree too."""
CANDIDATES: Final = 8
_OVERHEAD_BYTES: Final = 512 + 4 * DIMENSIONS
"""What an entry takes beside its texts: its vector, its key and the containers around them."""


@dataclass(slots=True)
class ReuseCounters:
    """What the cache did: answers given again; questions nothing was near to; questions that something was near to, but
    a word told them apart; answers that were not kept."""

    hits: int = 0
    misses: int = 0
    refused: int = 0
    unkept: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    parts: tuple[AnswerPart, ...]
    until_s: float


class _Scope:
    """The questions of one role and language. Rows of answers that were dropped are left out when half are such."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self.questions: list[Meaning] = []
        self.index = VectorIndex(DIMENSIONS, engine)

    def add(self, question: Meaning) -> None:
        self.questions.append(question)
        self.index.add([""], question.vector()[None])

    def prune(self, held: Callable[[Meaning], bool]) -> None:
        live = [question for question in dict.fromkeys(self.questions) if held(question)]
        if len(live) * 2 >= len(self.questions):
            return
        self.questions = live
        self.index = VectorIndex(DIMENSIONS, self._engine)
        if live:
            self.index.add([""] * len(live), np.stack([question.vector() for question in live]))


class AnswerStore:
    """The answers of one process. Not for several threads."""

    def __init__(
        self, budget_bytes: int, ttl_s: float, clock: Clock, passes: Callable[[str, str], bool], engine: str = "numpy"
    ) -> None:
        """`passes` tells of a text and its language whether the safety rules let it be spoken as it is."""
        self._ttl_s = ttl_s
        self._clock = clock
        self._passes = passes
        self._engine = engine
        self._kept: ByteLru[tuple[str, Meaning], _Kept] = ByteLru(budget_bytes)
        self._scopes: dict[str, _Scope] = {}
        self.counters = ReuseCounters()

    @property
    def size_bytes(self) -> int:
        """Bytes held now."""
        return self._kept.size_bytes

    def find(self, scope: str, question: Meaning) -> tuple[AnswerPart, ...] | None:
        """The answer to a question that means the same; counts."""
        found = self._scopes.get(scope)
        told_apart = False
        for row, similarity in found.index.search(question.vector(), CANDIDATES) if found is not None else ():
            if found is None or similarity < SIMILARITY:
                break
            other = found.questions[row]
            if (scope, other) not in self._kept:
                continue
            if telling_difference(question, other):
                told_apart = True
                continue
            kept = self._kept.get((scope, other))
            if kept is not None and kept.until_s > self._clock():
                self.counters.hits += 1
                return kept.parts
        self.counters.misses += not told_apart
        self.counters.refused += told_apart
        return None

    def keep(self, scope: str, text: str, language: str, question: Meaning, parts: Sequence[AnswerPart]) -> None:
        """Keep an answer that ended cleanly, if it may be given again."""
        answer = " ".join(part.text for part in parts)
        personal = mask_personal(text, language).kinds or mask_personal(answer, language).kinds
        if not parts or personal or not question.vector().any() or not self._passes(answer, language):
            self.counters.unkept += 1
            return
        size_bytes = _OVERHEAD_BYTES + sum(len(part.text.encode()) for part in parts) + len(text.encode())
        key = (scope, question)
        known = key in self._kept
        self._kept.put(key, _Kept(tuple(parts), self._clock() + self._ttl_s), size_bytes)
        rows = self._scopes.setdefault(scope, _Scope(self._engine))
        if not known:
            rows.add(question)
            rows.prune(lambda one: (scope, one) in self._kept)


class ReusingAnswerer:
    """The port `Answerer` before another one that a language model stands behind. `role` is all that an answer depends
    on beside the question: who answers, what it knows, and how it is drawn."""

    def __init__(self, answerer: Answerer, store: AnswerStore, role: str, model: str) -> None:
        self._answerer = answerer
        self._store = store
        self._role = role
        self._model = model

    async def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        """An earlier answer at once, else the answerer's own."""
        if history:
            async with aclosing(_stream(self._answerer.answer(text, history, language))) as parts:
                async for part in parts:
                    yield part
            return
        tag = guess_language(text, language)
        scope = hashlib.sha256(f"{self._model}\0{tag}\0{self._role}".encode()).hexdigest()
        question = meaning(text)
        kept = self._store.find(scope, question)
        if kept is not None:
            for part in kept:
                yield part
            return
        said: list[AnswerPart] = []
        async with aclosing(_stream(self._answerer.answer(text, history, language))) as parts:
            async for part in parts:
                said.append(part)
                yield part
        # an apology, or what was said in the model's place, has another source
        clean = bool(said) and all(part.source == self._model for part in said)
        self._store.keep(scope, text, tag, question, said if clean else ())

    async def aclose(self) -> None:
        """Release the answerer behind it."""
        await self._answerer.aclose()


async def _stream(parts: AsyncIterator[AnswerPart]) -> AsyncGenerator[AnswerPart, None]:
    """An answer that can be closed, whatever it is made of."""
    try:
        async for part in parts:
            yield part
    finally:
        close = getattr(parts, "aclose", None)
        if close is not None:
            await close()
