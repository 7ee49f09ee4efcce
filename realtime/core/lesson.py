"""A lesson as its teacher describes it: read from the JSON of a content file, concepts in an order to be taught."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from realtime.core.errors import InvalidField
from realtime.core.prompting import StructuredPrompt
from realtime.core.rundown_product import LANGUAGES, Faq, prompt_of, read_faq
from realtime.core.scenes_fields import Fields

_FIELDS: Final = (
    "kind", "language", "topic", "audience", "hook", "concept_nodes", "principle_statement", "mathematical_form",
    "formula_steps", "example_scenarios", "misconceptions", "quiz", "faq", "brand_style",
    "prompt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Concept:
    """One notion; `symbol` stands for it in the formula, `requires` names what must be known before."""

    name: str
    definition: str
    symbol: str = ""
    analogy: str = ""
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What is said, and what appears on the card while it is said."""

    say: str
    show: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A demonstration in steps."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Misconception:
    """What pupils wrongly believe, the words that give it away, and what is true."""

    belief: str
    cues: tuple[str, ...]
    correction: str


@dataclass(frozen=True, slots=True)
class Quiz:
    """A question to the pupils. An answer is right if it holds one of `answers`."""

    id: str
    question: str
    answers: tuple[str, ...]
    hint: str
    explain: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson; `concepts` are in teaching order."""

    language: str
    topic: str
    audience: str
    hook: tuple[str, ...]
    concepts: tuple[Concept, ...]
    principle: str
    formula: str
    formula_steps: tuple[Step, ...]
    examples: tuple[Example, ...]
    misconceptions: tuple[Misconception, ...]
    quiz: tuple[Quiz, ...]
    faq: tuple[Faq, ...]
    brand_style: str = ""
    prompt: StructuredPrompt | None = None


def read_lesson(data: object) -> Lesson:
    """A lesson from the parsed JSON. Raises `InvalidField` that names the field; a cycle among the concepts' `requires`
    is named link by link."""
    fields = Fields(data, "", _FIELDS)
    concepts = fields.items("concept_nodes", _concept, least=1, most=12)
    return Lesson(
        language=fields.choice("language", LANGUAGES, "en"),
        topic=fields.text("topic", limit=120),
        audience=fields.text("audience", "", 160),
        hook=fields.texts("hook", least=1, most=6, limit=300),
        concepts=_in_order(concepts),
        principle=fields.text("principle_statement", limit=300),
        formula=fields.text("mathematical_form", "", 120),
        formula_steps=fields.items("formula_steps", _step, most=12),
        examples=fields.items("example_scenarios", _example, least=1, most=6),
        misconceptions=fields.items("misconceptions", _misconception, most=12),
        quiz=fields.items("quiz", _quiz, least=1, most=6),
        faq=fields.items("faq", read_faq),
        brand_style=fields.text("brand_style", "", 64),
        prompt=prompt_of(fields),
    )


def _in_order(concepts: Sequence[Concept]) -> tuple[Concept, ...]:
    """The concepts so that each comes after what it requires, otherwise in the order given (Kahn's algorithm)."""
    names = [concept.name for concept in concepts]
    for index, concept in enumerate(concepts):
        place = f"concept_nodes[{index}]"
        if concept.name in names[:index]:
            raise InvalidField(f"the concept {concept.name!r} comes twice", field=f"{place}.name", limit="each once")
        for required in concept.requires:
            if required not in names:
                message = f"the concept {required!r} is required and not there"
                raise InvalidField(message, field=f"{place}.requires", limit=", ".join(names))
    done: list[Concept] = []
    left = list(concepts)
    while left:
        taught = {concept.name for concept in done}
        free = next((concept for concept in left if taught.issuperset(concept.requires)), None)
        if free is None:
            message = f"the concepts require each other: {_cycle(left)}"
            raise InvalidField(message, field="concept_nodes", limit="no cycle")
        done.append(free)
        left.remove(free)
    return tuple(done)


def _cycle(left: Sequence[Concept]) -> str:
    """One cycle among concepts that all wait for each other, as "a -> b -> a"."""
    by_name = {concept.name: concept for concept in left}
    path = [left[0].name]
    while True:
        after = next(name for name in by_name[path[-1]].requires if name in by_name)
        if after in path:
            return " -> ".join([*path[path.index(after) :], after])
        path.append(after)


def _concept(data: Any, path: str) -> Concept:
    fields = Fields(data, path, ("name", "definition", "symbol", "analogy", "requires"))
    return Concept(
        fields.text("name", limit=60),
        fields.text("definition", limit=300),
        fields.text("symbol", "", 12),
        fields.text("analogy", "", 300),
        fields.texts("requires", most=8, limit=60),
    )


def _step(data: Any, path: str) -> Step:
    if isinstance(data, str) and data.strip():
        return Step(" ".join(data.split()))
    fields = Fields(data, path, ("say", "show"))
    return Step(fields.text("say", limit=240), fields.text("show", "", 80))


def _example(data: Any, path: str) -> Example:
    fields = Fields(data, path, ("title", "steps"))
    return Example(fields.text("title", limit=80), fields.items("steps", _step, least=1, most=8))


def _misconception(data: Any, path: str) -> Misconception:
    fields = Fields(data, path, ("belief", "cues", "correction"))
    cues = fields.texts("cues", most=12, limit=80)
    return Misconception(fields.text("belief", limit=240), cues, fields.text("correction", limit=400))


def _quiz(data: Any, path: str) -> Quiz:
    fields = Fields(data, path, ("question", "answers", "hint", "explain", "options"))
    return Quiz(
        path,
        fields.text("question", limit=240),
        fields.texts("answers", least=1, most=16, limit=80),
        fields.text("hint", limit=240),
        fields.text("explain", limit=300),
        fields.texts("options", most=4, limit=80),
    )
