"""Judges what a pupil answers: right, wrong, a known misconception, or no answer at all but a question."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from realtime.core.lesson import Misconception, Quiz

Verdict = Literal["right", "wrong", "misconception", "gave_up", "question"]

_NUMBERS: Final = {
    word: str(value)
    for value, words in enumerate(
        "zero 零|one 一|two 二 两|three 三|four 四|five 五|six 六|seven 七|eight 八|nine 九|ten 十|eleven 十一|"
        "twelve 十二|thirteen 十三|fourteen 十四|fifteen 十五|sixteen 十六|seventeen 十七|eighteen 十八|"
        "nineteen 十九|twenty 二十".split("|")
    )
    for word in words.split()
}
_GAVE_UP: Final = re.compile(
    r"\b(?:no idea|don'?t know|dunno|not sure|give up|tell me|pass|skip)\b|不知道|不会|不清楚|放弃|告诉我|跳过",
    re.IGNORECASE,
)
_QUESTION: Final = re.compile(
    r"^(?:what|why|how|when|where|who|which|can|could|do|does|is it true)\b|为什么|什么是|怎么", re.IGNORECASE
)
_NEGATION: Final = re.compile(r"\b(?:not|isn't|no|never|doesn't|don't)\b|不是|不会|没有|并非|不", re.IGNORECASE)
_TOKEN: Final = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a pupil's answer is; `misconception` is the one it shows."""

    verdict: Verdict
    misconception: Misconception | None = None


def judge(text: str, quiz: Quiz, misconceptions: Sequence[Misconception] = ()) -> Judgement:
    """Judge an answer. Case, width, number words and words around it do not matter; a negated answer is not right."""
    said = words_of(text)
    if any(holds(said, words_of(answer)) for answer in quiz.answers) and not _negates(text, quiz):
        return Judgement("right")
    shown = misconception_in(text, misconceptions)
    if shown is not None:
        return Judgement("misconception", shown)
    if _GAVE_UP.search(text):
        return Judgement("gave_up")
    if text.rstrip().endswith(("?", "？")) or _QUESTION.search(text.strip()):
        return Judgement("question")
    return Judgement("wrong")


def misconception_in(text: str, misconceptions: Sequence[Misconception]) -> Misconception | None:
    """The first misconception whose cue stands in a text."""
    said = words_of(text)
    return next((m for m in misconceptions if any(holds(said, words_of(cue)) for cue in m.cues)), None)


def _negates(text: str, quiz: Quiz) -> bool:
    """Whether the text negates what none of the right answers negates."""
    return bool(_NEGATION.search(text)) and not any(_NEGATION.search(answer) for answer in quiz.answers)


def words_of(text: str) -> list[str]:
    """The words, numbers as digits; Chinese as single characters after its number words became digits."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    for word in sorted((w for w in _NUMBERS if not w.isascii()), key=len, reverse=True):
        text = text.replace(word, f" {_NUMBERS[word]} ")
    out: list[str] = []
    for token in _TOKEN.findall(text):
        if token.isascii():
            out.append(_NUMBERS.get(token, token))
        else:
            out += token
    return out


def holds(said: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the wanted words stand in what was said, in this order and side by side."""
    size = len(wanted)
    return size > 0 and any(list(said[i : i + size]) == list(wanted) for i in range(len(said) - size + 1))
