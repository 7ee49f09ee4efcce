"""What can be asked about a product, a lesson or a character: knowledge entries made from their files, verbatim."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from models.language.knowledge_file import Entry, Knowledge, load_knowledge
from models.language.persona import Persona
from realtime.core.lesson import Lesson
from realtime.core.rundown_product import Faq, Product, praising, selling_points

MIN_KEYWORD_CHARS: Final = 5
SMALL_TALK: Final = Path(__file__).parent / "scenes" / "smalltalk.yaml"

_PRICE: Final = {
    "en": ("How much is it?", "What does it cost?", "What is the price?", "Price?", "Is it expensive?", "How much?"),
    "zh": ("多少钱？", "价格是多少？", "怎么卖？", "贵不贵？", "什么价？"),
}
_OFFER: Final = {
    "en": ("Is there a discount?", "Any offer today?", "Is there a gift?", "Any coupon?", "What is the deal?"),
    "zh": ("有优惠吗？", "今天有活动吗？", "有赠品吗？", "打折吗？", "有优惠券吗？"),
}
_ABOUT: Final = {
    "en": ("What is it?", "Tell me about it", "What can it do?", "What are you selling?", "Why should I buy it?"),
    "zh": ("这是什么？", "介绍一下", "有什么功能？", "你在卖什么？", "为什么要买？"),
}
_REVIEWS: Final = {
    "en": ("What do others say?", "Are there reviews?", "Is it any good?", "Do people like it?"),
    "zh": ("评价怎么样？", "别人怎么说？", "好用吗？", "口碑好吗？"),
}
_FORMULA: Final = {
    "en": ("What is the formula?", "What is the law?", "Can you repeat the formula?", "What was the main point?"),
    "zh": ("公式是什么？", "定律是什么？", "再说一遍公式", "重点是什么？"),
}
_EXAMPLE: Final = {
    "en": ("Can you give me an example?", "Example please", "Show an example", "I don't understand", "Explain again"),
    "zh": ("举个例子", "能举例吗？", "我不懂", "没听懂", "再讲一遍"),
}


def product_knowledge(product: Product) -> Knowledge:
    """Price, offer, features, figures, reviews and the seller's own answers."""
    language = product.language
    gap = "" if language == "zh" else " "
    offered = gap.join(filter(None, (_sentence(product.price, language), _sentence(product.offer, language))))
    points = selling_points(product)
    best = gap.join(_sentence(point.benefit, language) for point in points[:2])
    entries = [Entry("about", language, _ABOUT[language], (f"[happy:0.5] {product.title}{_colon(language)}{best}",))]
    if product.price:
        said = f"It is {offered}" if language == "en" else offered
        entries.append(Entry("price", language, _PRICE[language], (f"[nod] {said}",), source=product.title))
    if product.offer:
        answer = _sentence(product.offer, language)
        entries.append(Entry("offer", language, _OFFER[language], (answer,), source=product.title))
    if (review := praising(product)) is not None:
        text = f"{review.by}{_colon(language)}{_sentence(review.text, language)}" if review.by else review.text
        entries.append(Entry("reviews", language, _REVIEWS[language], (text,), source=product.title))
    for index, feature in enumerate(product.features):
        texts = (feature.benefit or feature.name, feature.proof)
        answer = gap.join(_sentence(text, language) for text in texts if text)
        entries.append(_named(f"feature-{index}", feature.name, answer, language, product.title, words=True))
    for name, value in product.specs.items():
        answer = f"{name}{_colon(language)}{_sentence(value, language)}"
        entries.append(_named(f"spec-{name}", name, answer, language, product.title))
    entries += _faq(product.faq, language, product.title)
    return _with_small_talk(entries, language)


def lesson_knowledge(lesson: Lesson) -> Knowledge:
    """Concepts, principle, formula, examples and the teacher's own answers."""
    language = lesson.language
    gap = "" if language == "zh" else " "
    entries: list[Entry] = []
    for index, concept in enumerate(lesson.concepts):
        answer = gap.join(_sentence(text, language) for text in (concept.definition, concept.analogy) if text)
        asks = _what_is(concept.name, language)
        if concept.symbol:
            asks += (f"{concept.symbol}是什么意思？",) if language == "zh" else (f"What does {concept.symbol} mean?",)
        entries.append(Entry(f"concept-{index}", language, asks, (answer,), (concept.name,), source=lesson.topic))
    asks = (*_FORMULA[language], *_what_is(lesson.topic, language))
    entries.append(Entry("principle", language, asks, (_sentence(lesson.principle, language),), source=lesson.topic))
    example = lesson.examples[0]
    told = gap.join(_sentence(step.say, language) for step in example.steps)
    entries.append(Entry("example", language, _EXAMPLE[language], (told,), source=example.title))
    for index, wrong in enumerate(lesson.misconceptions):
        answer = f"[shake] {_sentence(wrong.correction, language)}"
        asks = (wrong.belief, *wrong.cues)
        entries.append(Entry(f"misconception-{index}", language, asks, (answer,), source=lesson.topic))
    entries += _faq(lesson.faq, language, lesson.topic)
    return _with_small_talk(entries, language)


def persona_knowledge(persona: Persona) -> Knowledge:
    """The character's facts; small talk is improvised, so none is added."""
    entries = _faq(persona.facts, persona.language, persona.name)
    if not entries:
        entries = [Entry("name", persona.language, _what_is(persona.name, persona.language), (persona.role,))]
    return Knowledge(tuple(entries), (), {persona.language: persona.unknown})


def _faq(faq: Sequence[Faq], language: str, source: str) -> list[Entry]:
    return [Entry(f"faq-{i}", language, one.ask, (one.answer,), source=source) for i, one in enumerate(faq)]


def _named(id: str, name: str, answer: str, language: str, source: str, *, words: bool = False) -> Entry:
    """An entry about a thing with a name; `words`: each longer word of the name asks for it, too."""
    keywords = tuple(word for word in name.split() if len(word) >= MIN_KEYWORD_CHARS) if words else ()
    return Entry(id, language, (name, *_what_is(name, language)), (answer,), keywords, source)


def _what_is(name: str, language: str) -> tuple[str, ...]:
    if language == "zh":
        return (f"{name}是什么？", f"什么是{name}？", f"{name}怎么样？", f"讲讲{name}")
    return (f"What is {name}?", f"Tell me about {name}", f"How is the {name}?", f"What about the {name}?")


def _with_small_talk(entries: Sequence[Entry], language: str) -> Knowledge:
    base = load_knowledge(SMALL_TALK)
    talk = [entry for entry in base.entries if entry.language == language]
    own = {entry.id for entry in entries}
    renamed = [replace(entry, id=f"talk-{entry.id}") if entry.id in own else entry for entry in talk]
    return Knowledge((*entries, *renamed), (), {language: base.unknown[language]})


def _sentence(text: str, language: str) -> str:
    """With a mark at its end."""
    if not text or text.endswith((".", "!", "?", "。", "！", "？")):
        return text
    return text + ("。" if language == "zh" else ".")


def _colon(language: str) -> str:
    return "，" if language == "zh" else ": "


# --- for a language model


def facts_for_prompt(knowledge: Knowledge) -> Iterator[str]:
    """The entries as lines of a prompt."""
    for entry in knowledge.entries:
        if not entry.source or entry.source not in ("small talk", "闲聊"):
            yield f"- {entry.ask[0]} {entry.answers[0]}"
