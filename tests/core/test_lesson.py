"""Lessons: reading, order of concepts, cycles, the four phases, the board in step with the voice, judging answers."""

from typing import Any

import pytest

from realtime.core.errors import InvalidField
from realtime.core.lesson import Misconception, Quiz, read_lesson
from realtime.core.lesson_plan import load_warnings, plan_lesson
from realtime.core.lesson_quiz import judge, words_of
from realtime.core.rundown import CARD_MARK, Card, Line, Shot, beats_of, card_at, timed
from realtime.core.script import Mark, Say


def lesson(**change: Any) -> dict[str, Any]:
    return {
        "language": "en",
        "topic": "Levers",
        "hook": ["A child lifts a grown-up on a seesaw."],
        "concept_nodes": [
            {"name": "Torque", "definition": "Force times arm.", "symbol": "M", "requires": ["Force", "Arm"]},
            {"name": "Force", "definition": "A push.", "symbol": "F"},
            {"name": "Arm", "definition": "A distance.", "symbol": "r", "analogy": "The long side of the seesaw."},
        ],
        "principle_statement": "The longer the arm, the smaller the force.",
        "mathematical_form": "M = F × r",
        "formula_steps": [{"say": "Torque.", "show": "M"}, {"say": "Is force times arm.", "show": "M = F × r"}],
        "example_scenarios": [{"title": "Seesaw", "steps": [{"say": "Two metres.", "show": "r = 2 m"}, "So easy."]}],
        "misconceptions": [{"belief": "Only weight counts", "cues": ["only weight"], "correction": "So does the arm."}],
        "quiz": [{"question": "Twice the arm?", "answers": ["half"], "hint": "Think.", "explain": "Half the force."}],
    } | change


def test_concepts_come_after_what_they_require() -> None:
    assert [concept.name for concept in read_lesson(lesson()).concepts] == ["Force", "Arm", "Torque"]


def test_a_lesson_has_four_phases_in_order_and_one_new_thing_at_a_time() -> None:
    plan = plan_lesson(read_lesson(lesson()))
    phases = list(dict.fromkeys(shot.phase for shot in plan.shots))
    assert phases == ["hook", "concept", "demonstration", "recap"]
    assert all(len(line.introduces) <= 1 for shot in plan.shots for line in shot.lines)
    assert plan.shots[-1].asks == "quiz[0]" and load_warnings(plan) == []


def test_the_formula_appears_line_by_line_as_it_is_said() -> None:
    plan = plan_lesson(read_lesson(lesson()))
    formula = next(shot for shot in plan.shots if shot.id == "formula")
    told: list[str] = []
    for beat in beats_of(formula, (), "en"):
        if isinstance(beat, Mark) and beat.name.startswith(CARD_MARK):
            card = card_at(plan.shots, beat.name)
            assert card is not None
            told.append(" | ".join(card.as_json()["lines"]))
        if isinstance(beat, Say):
            told.append(beat.text)
    assert told[-4:] == ["M", "Torque.", "M | M = F × r", "Is force times arm."]
    colours = {card.colours["F"] for s in plan.shots for line in s.lines if (card := line.card) and "F" in card.colours}
    assert len(colours) == 1, "a variable keeps its colour"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"topic": None}, "topic"),
        ({"hook": []}, "hook"),
        ({"quiz": []}, "quiz"),
        ({"concept_nodes": []}, "concept_nodes"),
        ({"concept_nodes": [{"name": "A"}]}, "concept_nodes[0].definition"),
        ({"concept_nodes": [{"name": "A", "definition": "x", "requires": ["B"]}]}, "concept_nodes[0].requires"),
        ({"concept_nodes": [{"name": "A", "definition": "x"}] * 2}, "concept_nodes[1].name"),
        ({"example_scenarios": [{"title": "x", "steps": []}]}, "example_scenarios[0].steps"),
        ({"quiz": [{"question": "?"}]}, "quiz[0].answers"),
        ({"misconceptions": "none"}, "misconceptions"),
        ({"language": "fr"}, "language"),
        ({"topik": "x"}, "topik"),
        ({"hook": ["x" * 1000]}, "hook[0]"),
        ({"hook": [["nested"]]}, "hook[0]"),
    ],
)
def test_bad_fields_are_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_lesson(lesson(**change))
    assert caught.value.field == field and caught.value.limit


def test_a_cycle_is_told_link_by_link() -> None:
    nodes = [{"name": n, "definition": "x", "requires": [r]} for n, r in (("A", "B"), ("B", "C"), ("C", "A"))]
    with pytest.raises(InvalidField, match="A -> B -> C -> A"):
        read_lesson(lesson(concept_nodes=nodes))


def test_too_much_at_once_is_warned_of() -> None:
    card = Card("c", "concept", "T", ("This line is read out word by word.",))
    plan = timed("en", [
        Shot("s", "concept", (Line("x " * 40), Line(card.lines[0], card=card, introduces=("A", "B")))),
    ])  # fmt: skip
    warnings = " ".join(load_warnings(plan))
    assert "40 words" in warnings and "word by word" in warnings and "A, B at once" in warnings


QUIZ = Quiz("q", "How much?", ("15", "fifteen newtons"), "hint", "explain")
WRONG = (Misconception("b", ("needs a force to keep moving", "没有力就会停"), "no"),)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("15", "right"), ("I think it's fifteen!", "right"), ("１５ newtons", "right"), ("十五", "right"),
        ("15 N", "right"), ("150", "wrong"), ("not 15", "wrong"), ("seven", "wrong"), ("🙂", "wrong"), ("", "wrong"),
        ("no idea", "gave_up"), ("不知道", "gave_up"), ("what is a newton?", "question"),
        ("It needs a force to keep moving", "misconception"), ("没有力就会停", "misconception"),
    ],
)  # fmt: skip
def test_answers_are_judged(text: str, verdict: str) -> None:
    assert judge(text, QUIZ, WRONG).verdict == verdict


def test_words_of_hostile_text() -> None:
    assert words_of("x" * 100_000) and words_of("🔥") == []


@pytest.mark.parametrize(
    ("principle", "shown"),
    [
        ("Force is mass times acceleration, always.", "Force is mass times acceleration"),
        ("The force is the mass times the acceleration, so light things speed up more.", "Force"),
    ],
)
def test_a_card_never_breaks_off_in_the_middle_of_a_clause(principle: str, shown: str) -> None:
    plan = plan_lesson(read_lesson(lesson() | {"principle_statement": principle}))
    card = next(line.card for shot in plan.shots if shot.id == "principle" for line in shot.lines if line.card)
    assert card.lines[0].startswith(shown) and not card.lines[0].endswith("the")
