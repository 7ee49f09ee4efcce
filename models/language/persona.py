"""A game character: who it is, what it knows, wants and remembers, and the lines it improvises from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from realtime.core.errors import InvalidField
from realtime.core.prompting import StructuredPrompt
from realtime.core.rundown_product import LANGUAGES, Faq, prompt_of, read_faq
from realtime.core.scenes_fields import Fields

INTENTS: Final = (
    "introduction", "greeting", "farewell", "thanks", "insult", "praise", "question", "statement", "request",
)  # fmt: skip
_FIELDS: Final = (
    "kind", "language", "name", "role", "place", "traits", "brand_style", "greeting", "facts", "goals", "remembers",
    "improvise", "unknown", "silence", "prompt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Goal:
    """Something the character wants: brought up by `prompts` in turn, and done when a viewer says one of `done`."""

    id: str
    prompts: tuple[str, ...]
    done: tuple[str, ...]
    reward: str
    after: str = ""
    """The goal that must be done before."""


@dataclass(frozen=True, slots=True)
class Persona:
    """One character. Lines may hold `{viewer}`, `{place}`, `{thing}` and what `remembers` names; a line whose memory is
    empty is not used."""

    language: str
    name: str
    role: str
    place: str
    traits: tuple[str, ...]
    brand_style: str
    greeting: tuple[str, ...]
    facts: tuple[Faq, ...]
    goals: tuple[Goal, ...]
    remembers: Mapping[str, str]
    improvise: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    silence: tuple[str, ...]
    prompt: StructuredPrompt | None = None


def read_persona(data: object) -> Persona:
    """A character from the parsed YAML. Raises `InvalidField`."""
    fields = Fields(data, "", _FIELDS)
    goals = fields.items("goals", _goal, most=8)
    _check_goals(goals)
    return Persona(
        language=fields.choice("language", LANGUAGES, "en"),
        name=fields.text("name", limit=60),
        role=fields.text("role", limit=160),
        place=fields.text("place", "", 60),
        traits=fields.texts("traits", most=8, limit=60),
        brand_style=fields.text("brand_style", "", 64),
        greeting=fields.texts("greeting", least=1, most=8),
        facts=fields.items("facts", read_faq),
        goals=goals,
        remembers=_remembers(fields),
        improvise=_improvise(fields),
        unknown=fields.texts("unknown", least=1, most=12),
        silence=fields.texts("silence", most=8),
        prompt=prompt_of(fields),
    )


def _improvise(fields: Fields) -> dict[str, tuple[str, ...]]:
    inner = Fields(fields.raw("improvise") or {}, "improvise", INTENTS)
    return {intent: inner.texts(intent, most=16) for intent in INTENTS}


def _remembers(fields: Fields) -> dict[str, str]:
    """Patterns by the name of what they find; each has one group."""
    patterns = fields.pairs("remembers")
    for name, pattern in patterns.items():
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise InvalidField(f"remembers.{name}: {error}", field=f"remembers.{name}", limit="a pattern") from None
        if groups != 1:
            limit = "a pattern with one group"
            raise InvalidField(f"remembers.{name} has {groups} groups", field=f"remembers.{name}", limit=limit)
    return patterns


def _goal(data: Any, path: str) -> Goal:
    fields = Fields(data, path, ("id", "prompts", "done", "reward", "after"))
    return Goal(
        fields.text("id", limit=60),
        fields.texts("prompts", least=1, most=6),
        fields.texts("done", least=1, most=16, limit=60),
        fields.text("reward"),
        fields.text("after", "", 60),
    )


def _check_goals(goals: tuple[Goal, ...]) -> None:
    ids = [goal.id for goal in goals]
    for index, goal in enumerate(goals):
        if goal.id in ids[:index]:
            raise InvalidField(f"the goal {goal.id!r} comes twice", field=f"goals[{index}].id", limit="each once")
        if goal.after and goal.after not in ids[:index]:
            message = f"the goal {goal.after!r} does not stand before this one"
            raise InvalidField(message, field=f"goals[{index}].after", limit=", ".join(ids[:index]) or "nothing")
