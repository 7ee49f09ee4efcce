"""From a lesson to its run-down in four phases: hook, concept, demonstration, recap with questions."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from realtime.core.facs import Emotion
from realtime.core.lesson import Concept, Example, Lesson, Step
from realtime.core.rundown import Card, Line, Rundown, Shot, timed

COLOURS: Final = ("#e4572e", "#2e86ab", "#3f8f29", "#8e44ad", "#b8860b", "#c2185b")
"""One fixed colour per variable, through the whole lesson (Mayer: signalling)."""

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "begin": "Hello! Today we find out about {topic}.",
        "concept": "Let's talk about {name}. {definition}",
        "analogy": "Let's talk about {name}. {analogy}",
        "exactly": "More exactly: {definition}",
        "principle": "Now let's put it together. {principle}",
        "formula": "We can write that down, piece by piece.",
        "example": "Let's try it. {title}.",
        "misconception": "Careful here. {belief}",
        "correction": "That sounds right, but it isn't. {correction}",
        "recap": "What should you remember?",
        "quiz": "Now it's your turn. {question}",
        "options": "Is it {options}?",
        "or": " or ",
    },
    "zh": {
        "begin": "同学们好！今天我们来学习{topic}。",
        "concept": "我们来看{name}。{definition}",
        "analogy": "我们来看{name}。{analogy}",
        "exactly": "准确地说，{definition}",
        "principle": "现在我们把它们合起来。{principle}",
        "formula": "我们一步一步把它写下来。",
        "example": "来试一试。{title}。",
        "misconception": "这里要小心。{belief}",
        "correction": "听起来对，其实不对。{correction}",
        "recap": "要记住什么呢？",
        "quiz": "轮到你了。{question}",
        "options": "是{options}？",
        "or": "，还是",
    },
}


def plan_lesson(lesson: Lesson) -> Rundown:
    """The lesson as shots."""
    shots = [*_hook(lesson), *_concepts(lesson), *_demonstration(lesson), *_recap(lesson)]
    return timed(lesson.language, shots)


def colours_of(lesson: Lesson) -> dict[str, str]:
    """The colour of each variable."""
    symbols = [concept.symbol for concept in lesson.concepts if concept.symbol]
    return {symbol: COLOURS[index % len(COLOURS)] for index, symbol in enumerate(symbols)}


def _hook(lesson: Lesson) -> Iterator[Shot]:
    words = WORDS[lesson.language]
    title = Card("title", "title", lesson.topic)
    begin = Line(words["begin"].format(topic=lesson.topic), Emotion.HAPPY, 0.6, "wave", title)
    first, *rest = lesson.hook
    yield Shot("hook-1", "hook", (begin, Line(first, Emotion.SURPRISE, 0.4)), "wide")
    for index, text in enumerate(rest):
        yield Shot(f"hook-{index + 2}", "hook", (Line(text, Emotion.HAPPY, 0.3),), "medium")


def _concepts(lesson: Lesson) -> Iterator[Shot]:
    """Each concept alone, its analogy before its definition; then the principle; then the formula step by step."""
    words, colours = WORDS[lesson.language], colours_of(lesson)
    for index, concept in enumerate(lesson.concepts):
        yield _concept(concept, index, words, colours)
    card = Card("principle", "concept", lesson.topic, (_key(lesson),))
    text = words["principle"].format(principle=lesson.principle)
    yield Shot("principle", "concept", (Line(text, Emotion.HAPPY, 0.4, "nod", card),), "medium")
    if lesson.formula_steps:
        intro = Line(words["formula"], Emotion.NEUTRAL)
        yield Shot("formula", "concept", (intro, *_revealed("formula", lesson.formula, lesson.formula_steps, colours)))


def _concept(concept: Concept, index: int, words: Mapping[str, str], colours: Mapping[str, str]) -> Shot:
    own = {concept.symbol: colours[concept.symbol]} if concept.symbol else {}
    card = Card(f"concept-{index}", "concept", concept.name, (concept.symbol,) if concept.symbol else (), None, own)
    texts = [words["concept"].format(name=_lowered(concept.name), definition=concept.definition)]
    if concept.analogy:
        exactly = concept.definition[0].lower() + concept.definition[1:]
        texts = [words["analogy"].format(name=_lowered(concept.name), analogy=concept.analogy)]
        texts.append(words["exactly"].format(definition=exactly))
    first = Line(texts[0], Emotion.HAPPY, 0.3, None, card, (concept.name,))
    lines = (first, *(Line(text) for text in texts[1:]))
    return Shot(f"concept-{index + 1}", "concept", lines, "close")


def _revealed(name: str, title: str, steps: tuple[Step, ...], colours: Mapping[str, str]) -> Iterator[Line]:
    """One line of the card per step, as it is said; a step without anything to show leaves the card as it is."""
    shown = tuple(step.show for step in steps if step.show)
    kind = "formula" if name == "formula" else "example"
    count = 0
    for step in steps:
        count += bool(step.show)
        card = Card(name, "formula" if kind == "formula" else "example", title, shown, count, colours)
        yield Line(step.say, Emotion.NEUTRAL, 0.0, None, card if step.show else None)


def _demonstration(lesson: Lesson) -> Iterator[Shot]:
    words, colours = WORDS[lesson.language], colours_of(lesson)
    for index, example in enumerate(lesson.examples):
        yield _example(example, f"example-{index + 1}", words, colours)
    for index, wrong in enumerate(lesson.misconceptions):
        belief = _sentence(wrong.belief, lesson.language)
        lines = (
            Line(words["misconception"].format(belief=belief), Emotion.SURPRISE, 0.3),
            Line(words["correction"].format(correction=wrong.correction), Emotion.NEUTRAL, 0.0, "shake"),
        )
        yield Shot(f"misconception-{index + 1}", "demonstration", lines, "medium")


def _example(example: Example, name: str, words: Mapping[str, str], colours: Mapping[str, str]) -> Shot:
    begin = Line(words["example"].format(title=example.title.rstrip("。.")), Emotion.HAPPY, 0.4)
    return Shot(name, "demonstration", (begin, *_revealed(name, example.title, example.steps, colours)), "medium")


def _recap(lesson: Lesson) -> Iterator[Shot]:
    words = WORDS[lesson.language]
    lines = (lesson.formula,) if lesson.formula else (_key(lesson),)
    card = Card("recap", "formula" if lesson.formula else "concept", lesson.topic, lines, None, colours_of(lesson))
    recap = Line(words["recap"], Emotion.HAPPY, 0.4, None, card)
    yield Shot("recap", "recap", (recap, Line(lesson.principle, Emotion.NEUTRAL)), "medium")
    for index, quiz in enumerate(lesson.quiz):
        text = words["quiz"].format(question=quiz.question)
        if len(quiz.options) > 1:
            comma = "、" if lesson.language == "zh" else ", "
            options = words["or"].join([comma.join(quiz.options[:-1]), quiz.options[-1]])
            text += (" " if lesson.language == "en" else "") + words["options"].format(options=options)
        card = Card(quiz.id, "quiz", quiz.question, quiz.options)
        line = Line(text, Emotion.HAPPY, 0.5, "nod", card)
        yield Shot(f"quiz-{index + 1}", "recap", (line,), "close", asks=quiz.id)


def _key(lesson: Lesson) -> str:
    """The principle for a card: its first clause if that is short, else the concepts that it joins. A clause that
    breaks off in the middle teaches nothing."""
    text = lesson.principle
    for mark in ("，", ",", "；", ";", "。"):
        text = text.partition(mark)[0]
    text = text.rstrip(".")
    short = len(text.split()) <= 7 if " " in text else len(text) <= 14
    return text if short else " · ".join(concept.name for concept in lesson.concepts)


def _lowered(name: str) -> str:
    """A concept's name in the middle of a sentence."""
    return name[0].lower() + name[1:] if name[1:2].islower() else name


def _sentence(text: str, language: str) -> str:
    """With a mark at its end."""
    return text if text.endswith((".", "!", "?", "。", "！", "？")) else text + ("。" if language == "zh" else ".")


# --- what a lesson asks of its pupils


def load_warnings(rundown: Rundown) -> list[str]:
    """Where the run-down asks too much at once, after Mayer's principles of multimedia learning: one new element at a
    time, text near what is said and short, nothing on the card that is read out word by word, no long stretches."""
    found: list[str] = []
    taught: set[str] = set()
    for shot in rundown.shots:
        new = [name for line in shot.lines for name in line.introduces if name not in taught]
        taught.update(new)
        if len(new) > MAX_NEW:
            found.append(f"{shot.id}: introduces {', '.join(new)} at once")
        for line in shot.lines:
            found += _line_warnings(shot.id, line, rundown.language)
    for before, after in pairwise(rundown.shots):
        if before.phase == "recap" and after.phase not in ("recap", ""):
            found.append(f"{after.id}: comes after the recap")
    return found


MAX_NEW: Final = 1
MAX_LINE_WORDS: Final = 32
MAX_LINE_HAN: Final = 60
MAX_CARD_WORDS: Final = 12
MAX_CARD_HAN: Final = 24


def _line_warnings(shot_id: str, line: Line, language: str) -> Iterator[str]:
    size, limit, unit = _size(line.text, language)
    if size > limit:
        yield f"{shot_id}: one line has {size} {unit}, more than {limit}: make it two"
    if line.card is None:
        return
    for text in line.card.lines:
        length = len(text) if language == "zh" else len(text.split())
        if line.card.kind != "formula" and length > (MAX_CARD_HAN if language == "zh" else MAX_CARD_WORDS):
            yield f"{shot_id}: the card's line {text[:40]!r} is too long to be read beside the picture"
        if length > 3 and line.card.kind != "quiz" and _plain(text) == _plain(line.text):
            yield f"{shot_id}: the card's line {text[:40]!r} is read out word by word"


def _size(text: str, language: str) -> tuple[int, int, str]:
    if language == "zh":
        return len(text), MAX_LINE_HAN, "characters"
    return len(text.split()), MAX_LINE_WORDS, "words"


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
