"""A game character's answers: facts, then its goals, then lines improvised from templates and what it remembers."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from models.language.mood import with_emotion
from models.language.persona import Goal, Persona
from realtime.core.facs import Emotion
from realtime.core.lesson_quiz import holds, words_of
from realtime.core.script import split_sentences
from realtime.ports import Answerer, AnswerPart, Turn

GOAL_EVERY_TURNS: Final = 2
"""A goal is brought up at every second answer at most: a character that only wants something is a vending machine."""
COURTESIES: Final = ("insult", "farewell", "thanks", "praise", "greeting")
MAX_COURTESY_CHARS: Final = 32
MAX_MEMORY_CHARS: Final = 40

_SLOT: Final = re.compile(r"\{(\w+)\}")
_WORDS_OF_INTENT: Final[Mapping[str, tuple[str, ...]]] = {
    "insult": (
        r"\b(?:stupid|ugly|idiot|shut up|hate you|liar|useless|dumb|fool)\b",
        "笨蛋|闭嘴|丑|讨厌你|骗子|废物|傻",
    ),
    "thanks": (r"\b(?:thanks?|thank you|cheers|grateful)\b", "谢|感谢"),
    "farewell": (r"\b(?:bye|goodbye|farewell|see you|good night|i (?:must|have to) go)\b", "再见|拜拜|告辞|晚安|走了"),
    "praise": (
        r"\b(?:beautiful|lovely|great|wonderful|amazing|like you|love|nice|well done|brave)\b",
        "漂亮|喜欢|真好|厉害|太棒",
    ),
    "greeting": (
        r"^\W*(?:hello|hi|hey|greetings|good (?:morning|evening|day))\b",
        "^(?:你好|您好|嗨|哈喽|早上好|晚上好)",
    ),
    "request": (
        r"^(?:please|give|show|bring|take|help|tell|let|can you|could you|would you)\b",
        "请|帮我|给我|带我|告诉我|让我",
    ),
    "question": (
        r"[?？]|^(?:what|why|how|when|where|who|which|is|are|do|does|did)\b",
        "吗|呢|什么|为什么|怎么|哪|谁",
    ),
}
_INTENTS: Final = {name: re.compile("|".join(ways), re.IGNORECASE) for name, ways in _WORDS_OF_INTENT.items()}
"""What a viewer is up to, the first that fits; everything else is a statement."""


class PersonaAnswerer:
    """The port `Answerer` for one character in one session; its memory ends with the session."""

    def __init__(self, persona: Persona, facts: Answerer) -> None:
        self._persona = persona
        self._facts = facts
        self._patterns = {name: re.compile(pattern) for name, pattern in persona.remembers.items()}
        self._used: Counter[str] = Counter()
        self._done: set[str] = set()
        self._prompted: Counter[str] = Counter()
        self._turn = 0
        self._prompted_turn = -GOAL_EVERY_TURNS
        self.memory: dict[str, str] = {"place": persona.place} if persona.place else {}

    @property
    def done(self) -> frozenset[str]:
        """The goals that were reached."""
        return frozenset(self._done)

    async def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        """One line or two, in character."""
        self._turn += 1
        learnt = self._remember(text)
        persona = self._persona
        lines: list[tuple[str, str | None]]
        if (reward := self._reached(text)) is not None:
            lines = [(reward, persona.name)]
        else:
            lines = await self._known(text, history, language, learnt)
            leaving = _INTENTS["farewell"].search(text) is not None
            if not leaving and (prompt := self._prompt()) is not None:
                lines.append((prompt, persona.name))
        emotion: Emotion | None = None
        for line, source in lines:
            for sentence in split_sentences(line):
                clause, emotion = with_emotion(sentence, persona.language, emotion)
                yield AnswerPart(clause, source)

    async def aclose(self) -> None:
        """Release what answers from facts."""
        await self._facts.aclose()

    async def _known(
        self, text: str, history: Sequence[Turn], language: str, learnt: Sequence[str]
    ) -> list[tuple[str, str | None]]:
        """A fact that fits, else an improvised line; courtesies and what the viewer tells of itself come first."""
        intent = next((name for name, pattern in _INTENTS.items() if pattern.search(text)), "statement")
        short = len(text) <= MAX_COURTESY_CHARS
        if not learnt and not (intent in COURTESIES and short):
            parts = [part async for part in self._facts.answer(text, history, language)]
            if parts and parts[0].source is not None:
                return [(part.text, part.source) for part in parts]
        lines = self._persona.improvise.get("introduction" if "viewer" in learnt else intent, ())
        about = [line for line in lines if any(f"{{{name}}}" in line for name in learnt)]
        line = self._fill(about or lines)
        return [(line or self._fill(self._persona.unknown) or self._persona.role, None)]

    def _remember(self, text: str) -> list[str]:
        """Note what the viewer tells of itself; the names of what is new."""
        new: list[str] = []
        for name, pattern in self._patterns.items():
            match = pattern.search(text)
            if match and match.group(1).strip():
                value = " ".join(match.group(1).split())[:MAX_MEMORY_CHARS]
                if self.memory.get(name) != value:
                    new.append(name)
                self.memory[name] = value
        return new

    def _reached(self, text: str) -> str | None:
        """The reward, if the text does what the goal that was brought up last asks for."""
        goal = self._goal()
        if goal is None or not self._prompted[goal.id]:
            return None
        said = words_of(text)
        if not any(holds(said, words_of(done)) for done in goal.done):
            return None
        self._done.add(goal.id)
        self._prompted_turn = self._turn
        return _filled(goal.reward, self.memory)

    def _prompt(self) -> str | None:
        """The next goal, if it is time to bring it up."""
        goal = self._goal()
        if goal is None or self._turn - self._prompted_turn < GOAL_EVERY_TURNS:
            return None
        line = goal.prompts[self._prompted[goal.id] % len(goal.prompts)]
        self._prompted[goal.id] += 1
        self._prompted_turn = self._turn
        return _filled(line, self.memory)

    def _goal(self) -> Goal | None:
        open_goals = (goal for goal in self._persona.goals if goal.id not in self._done)
        return next((goal for goal in open_goals if not goal.after or goal.after in self._done), None)

    def _fill(self, lines: Sequence[str]) -> str | None:
        """The line used least so far whose slots are all remembered; those with more memory in them first."""
        able = [line for line in lines if _filled(line, self.memory) is not None]
        if not able:
            return None
        line = min(able, key=lambda one: (self._used[one], -len(_SLOT.findall(one))))
        self._used[line] += 1
        return _filled(line, self.memory)


def _filled(line: str, memory: Mapping[str, str]) -> str | None:
    """The line with its slots filled, None if something is not remembered."""
    if any(name not in memory for name in _SLOT.findall(line)):
        return None
    return _SLOT.sub(lambda match: memory[match.group(1)].replace("[", "(").replace("]", ")"), line)
