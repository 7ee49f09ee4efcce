"""Answers from a small knowledge file: no language model, no network, the same answer to the same question."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from models.language.knowledge_file import Knowledge
from models.language.mood import with_emotion
from models.language.ranking import Ranking, best, terms
from realtime.core.facs import Emotion
from realtime.core.script import guess_language, split_sentences
from realtime.ports import AnswerPart, Turn

ENTRY_THRESHOLD: Final = 0.36
"""Share of a question that an entry must cover; below it, "I don't know" is the better answer."""
PASSAGE_THRESHOLD: Final = 0.6
EXACT: Final = 2.0
"""Score of the very words that an entry lists."""
WHOLENESS: Final = 0.3
MAX_QUERY_CHARS: Final = 400
_GREETING: Final = re.compile(
    r"^\s*(?:(?:hello|hi|hey|good (?:morning|evening|afternoon))(?: there| again)?[\s,.!]+"
    r"|[你您]好[呀啊]?[，,。！!\s]+)(?=\w)",
    re.IGNORECASE,
)
"""A greeting before a question; what is asked counts."""
_REFERRING: Final = frozenset(
    "it its this that these those they them one ones he she 它 这 那 这个 那个 它们 这款 那款".split()
)


@dataclass(frozen=True, slots=True)
class _Found:
    """An answer candidate."""

    score: float
    id: str
    text: str
    source: str
    vague: bool = False


class _Shelf:
    """Everything in one language, indexed: each way to ask is a text of its own, so that a long entry gains nothing."""

    def __init__(self, knowledge: Knowledge, language: str) -> None:
        self._entries = [entry for entry in knowledge.entries if entry.language == language]
        texts: list[str] = []
        self._entry_of: list[int] = []
        for index, entry in enumerate(self._entries):
            for text in (*entry.ask, *entry.keywords):
                texts.append(text)
                self._entry_of.append(index)
        self._questions = Ranking(texts, WHOLENESS)
        self._topics = [self._questions.topics(text) for text in texts]
        self._same = {_plain(text): index for text, index in reversed(list(zip(texts, self._entry_of, strict=True)))}
        passages = [passage for passage in knowledge.passages if passage.language == language]
        self._sentences = [(s, p) for p in passages for s in split_sentences(p.text)]
        self._passages = Ranking([" ".join((s, *p.keywords)) for s, p in self._sentences])

    def find(self, question: str, turn: int) -> _Found | None:
        """The entry or the sentence of a passage that fits best, if one fits well enough."""
        known = self._same.get(_plain(question))
        if known is None:
            question = _GREETING.sub("", question, count=1)
            known = self._same.get(_plain(question))
        if known is not None:
            return self._entry(known, EXACT, turn)
        place, entry_score = best(self._questions.scores(question))
        sentence, passage_score = best(self._passages.scores(question))
        if entry_score >= max(ENTRY_THRESHOLD, passage_score):
            return self._entry(self._entry_of[place], entry_score, turn)
        if passage_score >= PASSAGE_THRESHOLD:
            text, passage = self._sentences[sentence]
            return _Found(passage_score, passage.id, text, passage.source)
        return None

    def find_both(self, before: str, question: str, turn: int) -> _Found | None:
        """The entry that fits a question together with the one before and shares a topic with each that has any."""
        wanted = [topics for text in (before, question) if (topics := self._questions.topics(text))]
        scores = self._questions.scores(f"{before} {question}")
        for index, topics in enumerate(self._topics):
            if any(topics.isdisjoint(some) for some in wanted):
                scores[index] = 0.0
        place, score = best(scores)
        return self._entry(self._entry_of[place], score, turn) if score >= ENTRY_THRESHOLD else None

    def _entry(self, index: int, score: float, turn: int) -> _Found:
        entry = self._entries[index]
        return _Found(score, entry.id, entry.answers[turn % len(entry.answers)], entry.source, entry.vague)


class KnowledgeAnswerer:
    """The port `Answerer` on a `Knowledge`."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._unknown = knowledge.unknown
        self._shelves = {language: _Shelf(knowledge, language) for language in knowledge.languages}

    async def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        """The answer sentence by sentence, from the entries of the language that was asked in."""
        language = self._language(text, language)
        turn = sum(t.role == "assistant" for t in history)
        found = self._find(text[:MAX_QUERY_CHARS], history, language, turn)
        answer, source = (found.text, found.source) if found else (self._no_answer(language, turn), None)
        emotion: Emotion | None = None
        for sentence in split_sentences(answer):
            clause, emotion = with_emotion(sentence, language, emotion)
            yield AnswerPart(clause, source)

    async def aclose(self) -> None:
        """Holds nothing that must be released."""

    def _find(self, text: str, history: Sequence[Turn], language: str, turn: int) -> _Found | None:
        """The best answer to the question; where it points back, to it and the one before, if something fits both."""
        shelf = self._shelves[language]
        found = shelf.find(text, turn)
        before = next((t.text for t in reversed(history) if t.role == "user"), "")
        sure = found is not None and found.score >= EXACT and not found.vague
        vague = found is not None and found.vague
        if not before or sure or (not vague and _REFERRING.isdisjoint(terms(text))):
            return found
        return shelf.find_both(before[:MAX_QUERY_CHARS], text, turn) or found

    def _language(self, text: str, language: str) -> str:
        """The shelf for a question: the language it is written in if there is one, else the session's, else any."""
        if language == "zh" and any(c.isascii() and c.isalpha() for c in text):
            language = guess_language(text, "en")
        else:
            language = guess_language(text, language)
        return language if language in self._shelves else next(iter(self._shelves))

    def _no_answer(self, language: str, turn: int) -> str:
        replies = self._unknown.get(language) or next(iter(self._unknown.values()), ("I don't know.",))
        return replies[turn % len(replies)]


def _plain(text: str) -> str:
    """A question without case, punctuation and spacing, to recognise the very same words."""
    return "".join(c for c in text.lower() if c.isalnum())
