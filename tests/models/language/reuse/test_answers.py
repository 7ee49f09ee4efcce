"""The semantic cache: what may share an answer, what must not, and what is never kept."""

from collections.abc import AsyncIterator, Sequence

import pytest

from models.language.openai_chat import ChatSpec, OpenAIAnswerer
from models.language.reuse.answers import SIMILARITY, AnswerStore, ReusingAnswerer
from models.language.reuse.assembly import answer_store, reusing
from models.language.reuse.meaning import meaning, telling_difference
from realtime.ports import AnswerPart, Turn

NEAR_MISSES = [
    ("How much is the blue T-shirt?", "How much is the white T-shirt?"),
    ("Tea with sugar, please", "Tea without sugar, please"),
    ("蓝色的T恤多少钱？", "白色的T恤多少钱？"),
    ("这个39元吗？", "这个49元吗？"),
    ("Is it 39 yuan?", "Is it 49 yuan?"),
    ("Do you have it in size M?", "Do you have it in size L?"),
    ("Can I return it?", "Can't I return it?"),
    ("要加糖", "不要加糖"),
    ("Is the blue one waterproof?", "Is the blue one not waterproof?"),
    ("How tall is Anna?", "How tall is Emma?"),
    ("How much are the earbuds?", "How much are the headphones?"),
    ("Do you ship from London to Paris?", "Do you ship from Paris to London?"),
    ("How much is the blue T-shirt?", "How long does delivery of the blue T-shirt take?"),
    ("What is a force?", "What is a mass?"),
    ("How much is the T-shirt?", "How much is the T-bone?"),
    ("How much sugar is in it?", "What is the price of sugar in it?"),
    ("耳机防水吗", "耳机防尘吗"),
    ("买一个多少钱", "买两个多少钱"),
    ("Is it open on Monday?", "Is it open on Sunday?"),
    ("Does it cost more than 5?", "Does it cost less than 5?"),
]
PARAPHRASES = [
    ("How much is the blue T-shirt?", "What does the blue t-shirt cost, please?"),
    ("What's the price of the blue tee?", "How much does the blue T-shirt cost?"),
    ("蓝色的T恤多少钱？", "请问蓝色T恤的价格是多少呢"),
    ("How long does the battery last?", "What is the battery life?"),
    ("续航多久？", "请问电池能用多久"),
    ("Can I return it?", "Can I send it back?"),
    ("What is photosynthesis?", "Could you explain photosynthesis, please?"),
    ("什么是光合作用", "光合作用是什么意思？"),
    ("When are you open?", "Hello! What are your opening hours?"),
    ("What is your name?", "Who are you?"),
    ("你叫什么名字？", "请问怎么称呼您"),
    ("Which colours do you have?", "What colours are there?"),
]


class Model:
    """Answers with what it is told to, and counts."""

    def __init__(self, *parts: AnswerPart, fails: bool = False) -> None:
        self.parts = parts or (AnswerPart("It costs thirty-nine yuan.", "m"), AnswerPart("[nod] Quite so.", "m"))
        self.fails = fails
        self.asked: list[str] = []
        self.closed = 0

    async def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        self.asked.append(text)
        try:
            for part in self.parts:
                yield part
            if self.fails:
                raise RuntimeError("broken off")
        finally:
            self.closed += 1

    async def aclose(self) -> None: ...


class Bench:
    """A store on a clock of its own."""

    def __init__(self, budget_bytes: int = 1 << 20, passes: bool = True) -> None:
        self.now_s = 0.0
        self.store = AnswerStore(budget_bytes, 60.0, lambda: self.now_s, lambda text, language: passes)

    async def ask(
        self, model: Model, text: str, role: str = "shop", history: Sequence[Turn] = (), language: str = "en"
    ) -> list[AnswerPart]:
        answerer = ReusingAnswerer(model, self.store, role, "m")
        return [part async for part in answerer.answer(text, history, language)]


@pytest.mark.parametrize(("one", "other"), NEAR_MISSES)
async def test_near_misses_never_share_an_answer(one: str, other: str) -> None:
    bench, model = Bench(), Model()
    await bench.ask(model, one)
    await bench.ask(model, other)
    assert model.asked == [one, other] and bench.store.counters.hits == 0
    assert telling_difference(meaning(one), meaning(other))


@pytest.mark.parametrize(("one", "other"), PARAPHRASES)
async def test_paraphrases_share_an_answer(one: str, other: str) -> None:
    bench, model = Bench(), Model()
    first, second = await bench.ask(model, one), await bench.ask(model, other)
    assert model.asked == [one] and first == second and bench.store.counters.hits == 1
    assert float(meaning(one).vector() @ meaning(other).vector()) >= SIMILARITY


async def test_near_ones_that_a_word_tells_apart_are_counted() -> None:
    bench, model = Bench(), Model()
    await bench.ask(model, "Do you ship from London to Paris?")
    await bench.ask(model, "Do you ship from Paris to London?")
    assert (bench.store.counters.misses, bench.store.counters.refused) == (1, 1)


async def test_another_role_language_or_a_conversation_under_way_is_answered_anew() -> None:
    bench, model = Bench(), Model()
    for asked in ({}, {"role": "shop, new prices"}, {"history": (Turn("user", "Hi"),)}, {"language": "zh"}):
        await bench.ask(model, "2+2?", **asked)
    assert len(model.asked) == 4
    await bench.ask(model, "2+2?")
    assert len(model.asked) == 4


async def test_answers_grow_old_and_make_room() -> None:
    bench, model = Bench(budget_bytes=5_000), Model()
    await bench.ask(model, "What is a force?")
    bench.now_s = 61.0
    await bench.ask(model, "What is a force?")
    assert len(model.asked) == 2
    for index in range(20):
        await bench.ask(model, f"What is number {index + 20}?")
    assert bench.store.size_bytes <= 5_000
    await bench.ask(model, "What is a force?")
    assert len(model.asked) == 23
    await bench.ask(model, "What is number 39?")
    assert len(model.asked) == 23


@pytest.mark.parametrize(
    ("model", "question", "passes"),
    [
        (Model(AnswerPart("It is", "m"), AnswerPart("Sorry, I lost the thread.")), "What is a force?", True),
        (Model(AnswerPart("From the knowledge file.", "shop")), "What is a force?", True),
        (Model(AnswerPart("Call +44 20 7946 0958.", "m")), "What is a force?", True),
        (Model(), "What is a force? I am jane@example.org", True),
        (Model(), "What is a force?", False),
    ],
)
async def test_what_is_not_kept(model: Model, question: str, passes: bool) -> None:
    bench = Bench(passes=passes)
    await bench.ask(model, question)
    await bench.ask(model, question)
    assert len(model.asked) == 2 and bench.store.counters.unkept == 2


async def test_answers_broken_off_are_not_kept_and_their_stream_is_closed() -> None:
    bench, model = Bench(), Model(fails=True)
    with pytest.raises(RuntimeError):
        await bench.ask(model, "What is a force?")
    model.fails = False
    answer = ReusingAnswerer(model, bench.store, "shop", "m").answer("What is a force?", (), "en")
    await anext(answer)
    await answer.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert model.closed == 2
    await bench.ask(model, "What is a force?")
    assert len(model.asked) == 3


async def test_only_a_language_model_is_put_behind_the_cache() -> None:
    knowledge = Model()
    store = answer_store(1, 60.0, "numpy", ("en", "zh"), None)
    assert reusing(knowledge, store) == (knowledge, None)
    chat = OpenAIAnswerer(ChatSpec("http://localhost:1/v1", "m"))
    host, in_role = reusing(chat, store)
    assert isinstance(host, ReusingAnswerer) and in_role is not None
    assert isinstance(in_role("You are a smith.", None, None), ReusingAnswerer)
    assert reusing(chat, answer_store(0, 60.0, "numpy", (), None))[0] is chat
    await host.aclose()
