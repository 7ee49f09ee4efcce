"""Answers in a lesson: judges answers to its questions, corrects misconceptions, answers pupils' own questions."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from realtime.core.lesson import Lesson, Quiz
from realtime.core.lesson_quiz import judge
from realtime.ports import Answerer, AnswerPart, Turn

MAX_TRIES: Final = 2
"""Wrong answers before the right one is given."""

_WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "en": {
        "right": ("[happy:0.9] [nod] Yes, exactly!", "[happy:0.9] [nod] That's right, well done!"),
        "wrong": ("[neutral] Not quite.", "[neutral] Nearly, but no."),
        "misconception": ("[surprise:0.3] That is what many think!",),
        "gave_up": ("[happy:0.3] No problem.",),
        "reveal": ("[happy:0.3] I'll tell you.",),
        "again": ("Try once more!",),
    },
    "zh": {
        "right": ("[happy:0.9] [nod] 对，就是这样！", "[happy:0.9] [nod] 答对了，真棒！"),
        "wrong": ("[neutral] 还差一点。", "[neutral] 不太对哦。"),
        "misconception": ("[surprise:0.3] 很多人都这么想！",),
        "gave_up": ("[happy:0.3] 没关系。",),
        "reveal": ("[happy:0.3] 我来告诉你。",),
        "again": ("再试一次！",),
    },
}


class TutorAnswerer:
    """The ports `Answerer` and `Asking` for one pupil's or one class's lesson."""

    def __init__(self, lesson: Lesson, inner: Answerer) -> None:
        self._lesson = lesson
        self._inner = inner
        self._quiz: Quiz | None = None
        self._tries = 0
        self._turn = 0
        self.right = 0
        self.wrong = 0

    @property
    def open(self) -> str | None:
        """The question that waits for its answer."""
        return self._quiz.id if self._quiz else None

    def ask(self, question_id: str) -> None:
        """A question was put to the pupils."""
        self._quiz = next((quiz for quiz in self._lesson.quiz if quiz.id == question_id), None)
        self._tries = 0

    def reveal(self) -> str:
        """The answer to the open question, and no more waiting."""
        quiz, self._quiz = self._quiz, None
        return f"{self._say('reveal')} {quiz.explain}" if quiz else ""

    async def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        """Judge the answer to an open question; a question of the pupil's own is answered, and the other stays open."""
        quiz = self._quiz
        verdict = judge(text, quiz, self._lesson.misconceptions) if quiz else None
        if quiz is None or verdict is None or verdict.verdict == "question":
            async for part in self._inner.answer(text, history, language):
                yield part
            return
        self._turn += 1
        source = self._lesson.topic
        if verdict.verdict == "right":
            self._quiz, self.right = None, self.right + 1
            yield AnswerPart(self._say("right"), source)
            yield AnswerPart(quiz.explain, source)
            return
        self.wrong += 1
        self._tries += 1
        kind = verdict.verdict if verdict.verdict in ("misconception", "gave_up") else "wrong"
        yield AnswerPart(self._say(kind), source)
        if verdict.misconception is not None:
            yield AnswerPart(f"[shake] {verdict.misconception.correction}", source)
        if self._tries >= MAX_TRIES or verdict.verdict == "gave_up":
            self._quiz = None
            yield AnswerPart(quiz.explain, source)
            return
        yield AnswerPart(quiz.hint, source)
        yield AnswerPart(self._say("again"), source)

    async def aclose(self) -> None:
        """Release the inner answerer."""
        await self._inner.aclose()

    def _say(self, key: str) -> str:
        ways = _WORDS[self._lesson.language][key]
        return ways[self._turn % len(ways)]
