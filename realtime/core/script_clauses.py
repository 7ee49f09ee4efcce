"""Where text may be cut for speech: sentences, clauses, and clauses of a text that is still being written."""

import re
from typing import Final

from realtime.core.script_beats import MAX_SAY_CHARS
from realtime.core.script_clean import HAN, count_han, has_speech
from realtime.core.script_tags import MAX_TAG_CHARS, TAG

_TERMINALS: Final = ".!?…。！？；"
_CJK_TERMINALS: Final = "。！？；"
_COMMAS: Final = ",;:，、：—–"
_CJK_COMMAS: Final = "，、："
_CLOSERS: Final = "\"')]}»”’」』）】》*_"
_OPENERS: Final = "“「『（《【"
_OPENERS_END: Final = "”」』）》】"
_BREAKERS: Final = frozenset(_TERMINALS + _COMMAS + _CLOSERS + "\n")
_NEVER_LAST: Final = frozenset(
    "mr mrs ms dr prof st sr jr vs e.g i.e cf fig no nos vol approx dept est gen rep sen col capt lt sgt rev hon mt "
    "u.s u.k e.u".split()
)
"""Abbreviations that always lead on to a word."""
_MAYBE_LAST: Final = frozenset(
    "etc inc ltd co corp a.m p.m al jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
"""Abbreviations that end a sentence only where a capital follows."""
_LAST_WORD: Final = re.compile(r"([A-Za-z][A-Za-z.'’]*)\.$")
_LIST_NUMBER: Final = re.compile(r"(?:^|\n)\s*\d{1,3}\.$")
_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

FIRST_CLAUSE_WORDS: Final = 4
"""The first clause of an answer may end at a comma once it has this many words (or twice as many Chinese characters);
each later one must be twice as long, so that the voice starts early and then gets whole sentences, whose melody is
better."""
_MAX_CLAUSE_WORDS: Final = 64


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, stripped, in order; tags and words are never cut."""
    return [piece for piece in (p.strip() for p in _cut(text, _sentence_ends(text))) if piece]


def split_clauses(text: str, limit: int = MAX_SAY_CHARS) -> list[str]:
    """The text in pieces of at most `limit` characters: whole if it fits, else cut at the last comma that fits, else at
    the last space, else in mid-word."""
    pieces: list[str] = []
    rest = text.strip()
    while len(rest) > limit:
        at = _last_break(rest, limit)
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [*pieces, rest] if rest else pieces


class ClauseSplitter:
    """Cuts a text that arrives in pieces (an LLM's deltas) into speakable clauses, as early as sensible.

    `feed` returns the clauses that are complete by now; `flush` returns what is left at the end. Joined together they
    are the text fed, apart from white space. A tag or an escaped bracket is never cut."""

    def __init__(self, *, first_words: int = FIRST_CLAUSE_WORDS) -> None:
        self._rest = ""
        self._words = first_words

    def feed(self, delta: str) -> list[str]:
        """Take the next piece of text."""
        self._rest += delta
        clauses: list[str] = []
        while (at := self._next_break()) is not None:
            clause, self._rest = self._rest[:at].strip(), self._rest[at:]
            if clause:
                clauses.append(clause)
                self._words = min(self._words * 2, _MAX_CLAUSE_WORDS)
        return clauses

    def flush(self) -> list[str]:
        """The rest, at the end of the text."""
        rest, self._rest = self._rest, ""
        return [clause for sentence in split_sentences(rest) for clause in split_clauses(sentence)]

    def _next_break(self) -> int | None:
        text = self._rest
        for at in range(1, len(text)):
            if text[at - 1] not in _BREAKERS or _inside_tag(text, at):
                continue
            if (_ends_sentence(text, at) or self._ends_clause(text, at)) and has_speech(text[:at]):
                return at
        # Chinese needs no look-ahead, unless a closing quote is still to come
        if text and text[-1] in _CJK_TERMINALS and _closed(text) and has_speech(text):
            return len(text)
        return _last_break(text, MAX_SAY_CHARS) if len(text) > MAX_SAY_CHARS + MAX_TAG_CHARS else None

    def _ends_clause(self, text: str, at: int) -> bool:
        return _ends_at_comma(text, at) and _count_words(text[:at]) >= self._words


def _sentence_ends(text: str) -> list[int]:
    ends = [at for at in range(1, len(text)) if _ends_sentence(text, at) and not _inside_tag(text, at)]
    return [*ends, len(text)]


def _cut(text: str, ends: list[int]) -> list[str]:
    starts = [0, *ends[:-1]]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _ends_sentence(text: str, at: int) -> bool:
    """Whether a sentence ends before `text[at]`, which exists: what follows decides about dots and quotes."""
    follows = text[at]
    if text[at - 1] == "\n":
        return follows != "\n" and bool(text[:at].strip())
    if follows in _TERMINALS or follows in _CLOSERS:
        return False
    end = at
    while end > 0 and text[end - 1] in _CLOSERS:
        end -= 1
    mark = text[end - 1] if end else ""
    if not mark or mark not in _TERMINALS:
        return False
    if mark in _CJK_TERMINALS:
        return True
    if not follows.isspace() and follows != "[":
        # with no space, only Chinese can begin a sentence: "v1.2", "example.com" and "3.5" are one word
        return end == at and count_han(follows) == 1
    next_visible = text[at : at + 8].lstrip()[:1]
    if mark in "!?":
        return end == at or _begins(next_visible)
    return _dot_ends(text[max(0, end - 24) : end], next_visible)


def _dot_ends(before: str, follows: str) -> bool:
    """Whether the full stop or ellipsis at the end of `before` ends a sentence, given the next visible character."""
    if before.endswith(("..", "…")):
        return _begins(follows)
    match = _LAST_WORD.search(before)
    word = match.group(1).lower() if match else ""
    if word in _NEVER_LAST or (len(word) == 1 and word != "i") or _LIST_NUMBER.search(before):
        return False
    return word not in _MAYBE_LAST or _begins(follows)


def _begins(follows: str) -> bool:
    """Whether a sentence can begin with this character; not before it is there."""
    return follows != "" and not follows.islower()


def _ends_at_comma(text: str, at: int) -> bool:
    mark = text[at - 1]
    if mark not in _COMMAS:
        return False
    if mark in _CJK_COMMAS:
        return text[at] not in _CLOSERS
    return text[at].isspace()


def _inside_tag(text: str, at: int) -> bool:
    """Whether `at` lies in `[...]`, or behind a `[` that may still become a tag."""
    opened = text.rfind("[", max(0, at - MAX_TAG_CHARS), at)
    if opened < 0 or "]" in text[opened:at]:
        return False
    return "]" in text[at : opened + MAX_TAG_CHARS] or len(text) - opened < MAX_TAG_CHARS


def _closed(text: str) -> bool:
    """Whether no quote, bracket or tag is open at the end."""
    if text.count('"') % 2 or _inside_tag(text, len(text)):
        return False
    return all(text.count(opened) <= text.count(closed) for opened, closed in zip(_OPENERS, _OPENERS_END, strict=True))


def _count_words(text: str) -> float:
    """Length in words; two Chinese characters count as one."""
    words = len(_WORD.findall(HAN.sub(" ", TAG.sub(" ", text))))
    return words + count_han(text) / 2


def _last_break(text: str, limit: int) -> int:
    """Where to cut a text that is longer than `limit`: a position in 1..limit."""
    low = limit // 4
    candidates = [at for at in range(limit, low, -1) if not _inside_tag(text, at)] or [limit]
    for fits in (_ends_sentence, _ends_at_comma):
        for at in candidates:
            if fits(text, at):
                return at
    for at in candidates:
        if text[at - 1].isspace() or text[at].isspace():
            return at
    return candidates[0]
