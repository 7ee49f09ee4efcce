"""Answers from the knowledge file: the right one, the same one, and none rather than a wrong one."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.language import Knowledge, KnowledgeAnswerer, load_knowledge, parse_knowledge
from models.language.mood import with_emotion
from models.language.ranking import Ranking, best, terms
from realtime.core.clips import GESTURES
from realtime.core.facs import Emotion
from realtime.core.script import Say, parse_script
from realtime.ports import Answerer, AnswerPart, Turn
from tests.models.language.questions import QUESTIONS, STRANGE

MAX_WRONG = 0.06
MAX_FALSE = 0.25
"""Shares of the questions that may be answered wrongly, and of the strange ones that may be answered at all: the
ranking knows words, not meaning, so that "recommend a film" finds a tea."""
FIRST_SAY_WORDS = 5
FIRST_SAY_HAN = 12


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def answerer(knowledge: Knowledge) -> KnowledgeAnswerer:
    return KnowledgeAnswerer(knowledge)


async def ask(answerer: Answerer, text: str, *before: str, language: str = "en") -> list[AnswerPart]:
    history = [Turn("user", question) for question in before]
    return [part async for part in answerer.answer(text, history, language)]


def answers_of(knowledge: Knowledge, id: str) -> set[str]:
    """Every text that an entry or passage can answer with, as the first part of it."""
    entries = [answer for entry in knowledge.entries if entry.id == id for answer in entry.answers]
    return {*entries, *(p.text for p in knowledge.passages if p.id == id)}


def joined(parts: Sequence[AnswerPart]) -> str:
    return " ".join(part.text for part in parts)


def holds(answers: set[str], parts: Sequence[AnswerPart]) -> bool:
    """Whether the parts are one of these answers; an emotion read from the words may have been put in front."""
    said = "".join(parse_script(joined(parts), gestures=(), strict=False).text.split())
    return any(said in "".join(parse_script(a, gestures=(), strict=False).text.split()) for a in answers)


# --- the bundled file


def test_the_bundled_file_is_complete(knowledge: Knowledge) -> None:
    for language in ("en", "zh"):
        assert sum(entry.language == language for entry in knowledge.entries) >= 30
        assert len(knowledge.unknown[language]) >= 2
        assert any(passage.language == language for passage in knowledge.passages)


def test_every_answer_is_a_valid_script_that_begins_short(knowledge: Knowledge) -> None:
    answers = [(e.language, a) for e in knowledge.entries for a in e.answers]
    answers += [(language, text) for language, texts in knowledge.unknown.items() for text in texts]
    for language, answer in answers:
        script = parse_script(answer, gestures=GESTURES, language=language, strict=True)
        says = [beat for beat in script.beats if isinstance(beat, Say)]
        short = (
            len(says[0].text) <= FIRST_SAY_HAN if language == "zh" else len(says[0].text.split()) <= 2 * FIRST_SAY_WORDS
        )
        assert short, answer
        assert sum(len(say.text) for say in says) <= 260, answer


def test_most_answers_begin_very_short(knowledge: Knowledge) -> None:
    first = [
        next(b.text for b in parse_script(a, gestures=GESTURES).beats if isinstance(b, Say))
        for entry in knowledge.entries
        if entry.language == "en"
        for a in entry.answers
    ]
    assert sum(len(text.split()) <= FIRST_SAY_WORDS for text in first) >= 0.95 * len(first)


async def test_every_listed_question_finds_its_entry(knowledge: Knowledge, answerer: KnowledgeAnswerer) -> None:
    for entry in knowledge.entries:
        for question in entry.ask:
            parts = await ask(answerer, question, language=entry.language)
            assert holds(set(entry.answers), parts), (question, joined(parts))
            assert parts[0].source == entry.source


async def test_other_words_find_the_entry_too(knowledge: Knowledge, answerer: KnowledgeAnswerer) -> None:
    wrong = [q for q, id in QUESTIONS.items() if not holds(answers_of(knowledge, id), await ask(answerer, q))]
    assert len(wrong) <= MAX_WRONG * len(QUESTIONS), wrong


async def test_strange_questions_are_not_answered(answerer: KnowledgeAnswerer) -> None:
    answered = [q for q in STRANGE if (await ask(answerer, q))[0].source is not None]
    assert len(answered) <= MAX_FALSE * len(STRANGE), answered


# --- behaviour


async def test_the_same_question_has_the_same_answer(answerer: KnowledgeAnswerer) -> None:
    assert await ask(answerer, "how much is the mug") == await ask(answerer, "how much is the mug")


async def test_an_answer_comes_sentence_by_sentence_with_its_source(answerer: KnowledgeAnswerer) -> None:
    parts = await ask(answerer, "Tell me about the jasmine tea")
    assert [part.text for part in parts][0] == "[happy:0.6] A lovely choice!"
    assert len(parts) == 3 and {part.source for part in parts} == {"Juniper Tea House"}


async def test_the_language_of_the_question_decides(answerer: KnowledgeAnswerer) -> None:
    assert "安妮玛" in joined(await ask(answerer, "你是谁？", language="en"))
    assert "Anima" in joined(await ask(answerer, "Who are you?", language="zh"))
    assert "Anima" in joined(await ask(answerer, "Who are you?", language="fr"))


@pytest.mark.parametrize(
    ("question", "before", "expected"),
    [
        ("How much is it?", "Tell me about the jasmine tea", "twelve dollars"),
        ("What does it cost?", "Do you have a mug?", "eighteen dollars"),
        ("Does it have caffeine?", "Do you have oolong tea?", "most caffeine"),
        ("Can I return it?", "Tell me about the mug", "thirty days"),
        ("How is it going?", "Tell me about the mug", "very well"),
        ("这个多少钱", "有乌龙茶吗", "一百零八元"),
        ("多少钱", "有乌龙茶吗", "一百零八元"),
    ],
)
async def test_a_question_may_refer_to_the_one_before(
    answerer: KnowledgeAnswerer, question: str, before: str, expected: str
) -> None:
    assert expected in joined(await ask(answerer, question, before))


async def test_a_greeting_does_not_hide_the_question(answerer: KnowledgeAnswerer) -> None:
    assert "eighteen" in joined(await ask(answerer, "Hi there, how much is the mug?"))
    assert "配送" not in joined(await ask(answerer, "你好，乌龙茶多少钱？"))


async def test_replies_take_turns(answerer: KnowledgeAnswerer) -> None:
    async def reply(turns: int) -> str:
        history = [Turn("user", "x"), Turn("assistant", "y")] * turns
        return joined([part async for part in answerer.answer("qwerty asdf", history, "en")])

    assert len({await reply(n) for n in range(3)}) == 3
    assert await reply(0) == await reply(3)


async def test_a_passage_answers_where_no_entry_does(answerer: KnowledgeAnswerer) -> None:
    (part,) = await ask(answerer, "do you plant trees")
    assert part == AnswerPart("One percent of the income goes to planting trees.", "The story of Juniper Tea House")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["en", "zh", "fr", ""]))
async def test_any_text_gets_an_answer(text: str, language: str) -> None:
    answerer = KnowledgeAnswerer(SMALL)
    assert [part async for part in answerer.answer(text, (Turn("user", text),), language)]


# --- files


SMALL = parse_knowledge(
    """
    unknown: {en: "No idea."}
    entries:
      - {id: cat, language: en, ask: Do you like cats?, answer: Yes. I love them!}
      - {id: dog, language: en, ask: [Do you like dogs?], keywords: [puppy], answer: [One., Two.]}
    """
)


async def test_a_small_file() -> None:
    answerer = KnowledgeAnswerer(SMALL)
    assert await ask(answerer, "a puppy") == [AnswerPart("One.", "dog")]
    assert await ask(answerer, "你喜欢猫吗") == [AnswerPart("No idea.", None)]
    assert [part.text for part in await ask(answerer, "cats?")] == ["Yes.", "[happy:0.62] I love them!"]


# --- ranking


def test_terms_are_stemmed_words_and_character_pairs() -> None:
    assert terms("Shipping the parcels, berries’ prices!") == ["ship", "the", "parcel", "berry", "pric"]
    assert terms("茶叶多少") == ["茶", "叶", "多", "少", "茶叶", "叶多", "多少"]
    assert terms("ur 茶python课") == ["your", "茶", "python", "课"]


def test_a_score_does_not_depend_on_the_length_of_the_query() -> None:
    ranking = Ranking(["red apples", "green pears", "blue plums"])
    assert best(ranking.scores("red apples"))[0] == 0
    one, all_three = best(ranking.scores("apple"))[1], best(ranking.scores("apple pear plum"))[1]
    assert one > 0.8 and all_three < 0.5


def test_a_misspelt_word_is_recognised() -> None:
    assert best(Ranking(["delivery times", "payment"]).scores("delivry"))[0] == 0


def test_unknown_words_lower_the_score() -> None:
    ranking = Ranking(["red apples", "green pears"])
    assert best(ranking.scores("xylophone")) == (-1, 0.0)
    assert best(ranking.scores("apple xylophone zeppelin"))[1] < best(ranking.scores("apple"))[1] / 1.5


def test_no_documents() -> None:
    assert best(Ranking([]).scores("anything")) == (-1, 0.0)


# --- mood


@pytest.mark.parametrize(
    ("clause", "current", "expected"),
    [
        ("What a wonderful day.", None, ("[happy:0.70] What a wonderful day.", Emotion.HAPPY)),
        ("What a wonderful day.", Emotion.HAPPY, ("What a wonderful day.", Emotion.HAPPY)),
        ("[sad] What a wonderful day.", None, ("[sad] What a wonderful day.", Emotion.SAD)),
        ("A table.", Emotion.SAD, ("A table.", Emotion.SAD)),
    ],
)
def test_untagged_clauses_get_the_emotion_of_their_words(
    clause: str, current: Emotion | None, expected: tuple[str, Emotion | None]
) -> None:
    assert with_emotion(clause, "en", current) == expected
