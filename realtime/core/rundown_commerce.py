"""From a product to a timed run-down, in three layers: selling points, their order by category and template, shots."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from realtime.core.facs import Emotion
from realtime.core.rundown import Card, CardKind, Framing, Line, Rundown, Shot, speech_s, timed
from realtime.core.rundown_phrases import phrase
from realtime.core.rundown_product import Product, SellingPoint, praising, selling_points

ARCS: Final[Mapping[str, tuple[str, ...]]] = {
    "problem_solution": ("problem_intro", "solution_showcase", "benefit_highlight", "proof", "offer"),
    "comparison": ("comparison", "solution_showcase", "benefit_highlight", "proof", "offer"),
    "emotional": ("story", "benefit_highlight", "proof", "offer"),
}
_EMOTIONAL: Final = (
    "beauty skincare cosmetic perfume fragrance fashion jewel gift 美妆 护肤 香水 服饰 首饰 礼物 口红 面霜 精华"
)
_COMPARED: Final = "appliance kitchen furniture car vehicle household food drink 家电 厨具 家具 汽车 食品 饮料 日用"
"""Categories by the words of `product_type`; electronics and whatever else is told as problem and solution."""

MAX_POINTS: Final = 8
"""More selling points than this nobody keeps in mind, however long the show."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One shot to be: its phase, how important it is (0 must stay), and its content."""

    phase: str
    rank: int
    line: Line
    framing: Framing


def template_of(product: Product) -> str:
    """The template asked for, or the one that suits the category."""
    if product.template:
        return product.template
    kind = product.product_type.casefold()
    if any(word in kind for word in _EMOTIONAL.split()):
        return "emotional"
    compared = product.alternative and any(word in kind for word in _COMPARED.split())
    return "comparison" if compared else "problem_solution"


def plan_product(product: Product, camera: str = "static") -> Rundown:
    """The run-down. Where it would last longer than `duration_seconds`, the least important parts are left out."""
    parts = list(_parts(product))
    while len(parts) > 2 and _length_s(parts) > product.duration_s:
        least = max(parts, key=lambda part: part.rank)
        if least.rank == 0:
            break
        parts.remove(least)
    shots = [
        Shot(f"{index + 1}-{part.phase}", part.phase, (part.line,), part.framing, camera if index else "static")
        for index, part in enumerate(parts)
    ]
    return timed(product.language, shots, product.duration_s)


def _length_s(parts: list[_Part]) -> float:
    return sum(speech_s(part.line.text) + 0.35 for part in parts)


def _parts(product: Product) -> Iterator[_Part]:
    """Every shot the product is good for, in the order of its arc."""
    language, points = product.language, selling_points(product)[:MAX_POINTS]
    arc = product.arc or ARCS[template_of(product)]
    turns = count()
    opening = phrase(language, "opening", len(product.title), title=product.title)
    if product.audience:
        opening = _join(language, opening, phrase(language, "opening_audience", audience=product.audience))
    yield _Part("opening", 0, _line(opening, Emotion.HAPPY, 0.7, "wave", Card("title", "title", product.title)), "wide")

    telling = [phase for phase in arc if phase in ("solution_showcase", "benefit_highlight", "comparison", "story")]
    shares = _shared(points, telling)
    for phase in arc:
        if phase == "problem_intro" and product.problem:
            text = phrase(language, phase, next(turns), problem=product.problem)
            yield _Part(phase, 1, _line(text, Emotion.SAD, 0.35), "medium")
        elif phase == "comparison" and product.alternative:
            text = phrase(language, phase, next(turns), alternative=product.alternative)
            yield _Part(phase, 1, _line(text, Emotion.NEUTRAL, 0.0, "shake"), "medium")
        elif phase == "story" and product.story:
            text = phrase(language, phase, next(turns), story=product.story)
            yield _Part(phase, 1, _line(text, Emotion.HAPPY, 0.4), "close")
        elif phase == "proof":
            yield from _proof(product)
        elif phase == "offer":
            yield from _offer(product)
        for rank, point in shares.get(phase, ()):
            yield _point(product, phase, rank, point, next(turns))
    close = phrase(language, "close", len(product.title), title=product.title)
    yield _Part("close", 0, _line(close, Emotion.HAPPY, 0.7, "wave", Card("title", "title", product.title)), "wide")


def _shared(points: list[SellingPoint], phases: list[str]) -> dict[str, list[tuple[int, SellingPoint]]]:
    """The points dealt out over the phases, the best first; each with its rank (how soon it may be left out)."""
    if not phases:
        phases = ["benefit_highlight"]
    size = -(-len(points) // len(phases))
    ranked = [(1 if index == 0 else index + 2, point) for index, point in enumerate(points)]
    return {phase: ranked[i * size : (i + 1) * size] for i, phase in enumerate(phases)}


def _point(product: Product, phase: str, rank: int, point: SellingPoint, turn: int) -> _Part:
    key = {"comparison": "comparison_point", "story": "story_point"}.get(phase, phase)
    key = "solution_showcase" if key == "benefit_highlight" and turn % 2 == 0 else key
    values = {"title": product.title, "name": point.name, "benefit": point.benefit}
    text = phrase(product.language, key, turn, **values)
    card = Card(f"feature-{point.name}", "feature", point.name, (point.proof,) if point.proof else ())
    emotion = Emotion.SURPRISE if rank == 1 else Emotion.HAPPY
    return _Part(phase, rank, _line(text, emotion, 0.5, "nod" if turn % 2 else None, card), "close")


def _proof(product: Product) -> Iterator[_Part]:
    review = praising(product)
    if review is None:
        return
    who = review.by or phrase(product.language, "who")
    text = phrase(product.language, "proof", len(review.text), who=who, text=review.text)
    stars = ("★" * round(review.stars),) if review.stars else ()
    card = _card("review", who, (review.text, *stars))
    yield _Part("proof", 2, _line(text, Emotion.HAPPY, 0.5, None, card), "medium")


def _offer(product: Product) -> Iterator[_Part]:
    if not product.price and not product.offer:
        return
    texts = [phrase(product.language, "offer", len(product.title), price=product.price)] if product.price else []
    texts += [phrase(product.language, "offer_extra", offer=product.offer)] if product.offer else []
    card = _card("price", product.price or product.title, (product.offer,) if product.offer else ())
    yield _Part("offer", 0, _line(_join(product.language, *texts), Emotion.HAPPY, 0.8, "nod", card), "medium")


def _card(kind: CardKind, title: str, lines: tuple[str, ...]) -> Card:
    return Card(kind, kind, title, lines)


def _line(
    text: str, emotion: Emotion, intensity: float, gesture: str | None = None, card: Card | None = None
) -> Line:
    return Line(text, emotion, intensity, gesture, card)


def _join(language: str, *texts: str) -> str:
    return ("" if language == "zh" else " ").join(texts)
