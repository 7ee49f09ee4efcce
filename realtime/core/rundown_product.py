"""A product as its seller describes it: read from the JSON of a content file, and boiled down to selling points."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from realtime.core.director_queue import terms_of
from realtime.core.emotion import read_emotion
from realtime.core.errors import InvalidField
from realtime.core.facs import Emotion
from realtime.core.prompting import StructuredPrompt, read_prompt
from realtime.core.scenes_fields import Fields

PHASES: Final = ("problem_intro", "solution_showcase", "comparison", "story", "benefit_highlight", "proof", "offer")
TEMPLATES: Final = ("problem_solution", "comparison", "emotional")
MIN_DURATION_S: Final = 20.0
MAX_DURATION_S: Final = 3600.0
LANGUAGES: Final = ("en", "zh")

_FIELDS: Final = (
    "kind", "language", "title", "product_type", "key_features", "target_audience", "brand_style", "output_format",
    "duration_seconds", "narrative_arc", "template", "price", "offer", "problem", "alternative", "story", "specs",
    "reviews", "faq", "prompt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feature:
    """Something the product has or does; `benefit` is what the buyer gets from it, `proof` why to believe it."""

    name: str
    benefit: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What a buyer wrote. `stars` 1..5, 0 if not given."""

    text: str
    by: str = ""
    stars: float = 0.0


@dataclass(frozen=True, slots=True)
class Faq:
    """A question with its answer."""

    ask: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Product:
    """One product. Prices, offers and figures are texts that are only ever said as they stand here."""

    language: str
    title: str
    product_type: str
    features: tuple[Feature, ...]
    audience: str
    brand_style: str | Mapping[str, Any]
    output_format: str
    duration_s: float
    arc: tuple[str, ...]
    template: str
    price: str
    offer: str
    problem: str
    alternative: str
    story: str
    specs: Mapping[str, str]
    reviews: tuple[Review, ...]
    faq: tuple[Faq, ...]
    prompt: StructuredPrompt | None = None


@dataclass(frozen=True, slots=True)
class SellingPoint:
    """A feature worth saying: what it is, what it gives, who confirms it, and how much it matters."""

    name: str
    benefit: str
    proof: str
    weight: float


def read_product(data: object) -> Product:
    """A product from the parsed JSON. Raises `InvalidField` that names the field and what is allowed."""
    fields = Fields(data, "", _FIELDS)
    brand = fields.raw("brand_style")
    return Product(
        language=fields.choice("language", LANGUAGES, "en"),
        title=fields.text("title", limit=120),
        product_type=fields.text("product_type", limit=120),
        features=fields.items("key_features", _feature, least=1, most=12),
        audience=fields.text("target_audience", "", 160),
        brand_style=brand if isinstance(brand, Mapping) else fields.text("brand_style", "", 64),
        output_format=fields.text("output_format", "portrait_1080x1920", 64),
        duration_s=fields.number("duration_seconds", MIN_DURATION_S, MAX_DURATION_S, 90.0),
        arc=_arc(fields),
        template=fields.choice("template", ("", *TEMPLATES), ""),
        price=fields.text("price", "", 120),
        offer=fields.text("offer", "", 240),
        problem=fields.text("problem", "", 300),
        alternative=fields.text("alternative", "", 300),
        story=fields.text("story", "", 400),
        specs=fields.pairs("specs"),
        reviews=fields.items("reviews", _review, most=32),
        faq=fields.items("faq", read_faq),
        prompt=prompt_of(fields),
    )


def prompt_of(fields: Fields) -> StructuredPrompt | None:
    """The content's structured prompt, if it has one. Its language is that of the content, said or not."""
    if not fields.has("prompt"):
        return None
    prompt = read_prompt(fields.raw("prompt"), fields.at("prompt"))
    spoken = fields.text("language", "en")
    raw = fields.raw("prompt").get("parameters")
    if isinstance(raw, Mapping) and "language" in raw and not prompt.parameters.language.startswith(spoken):
        name = fields.at("prompt.parameters.language")
        raise InvalidField(f"the content is in {spoken!r}", field=name, limit=spoken)
    return prompt


def selling_points(product: Product) -> list[SellingPoint]:
    """The features in the order in which they sell: what happy buyers speak of and what the audience looks for first.

    A review counts for the feature that it shares words with, if its own words are glad and its stars are not few."""
    audience = terms_of(product.audience)
    points: list[SellingPoint] = []
    for index, feature in enumerate(product.features):
        words = terms_of(f"{feature.name} {feature.benefit}")
        praise = [review for review in product.reviews if _praises(review, product.language)]
        fitting = [review for review in praise if terms_of(review.text) & terms_of(feature.name)]
        weight = 1.0 + 0.5 * len(fitting) + 0.25 * len(words & audience) - 0.1 * index
        proof = feature.proof or (fitting[0].text if fitting else "")
        points.append(SellingPoint(feature.name, feature.benefit or feature.name, proof, round(weight, 2)))
    return sorted(points, key=lambda point: -point.weight)


def praising(product: Product) -> Review | None:
    """The best review that can be read out, if there is one."""
    praise = [review for review in product.reviews if _praises(review, product.language)]
    return max(praise, key=lambda review: (review.stars, -len(review.text)), default=None)


def read_faq(data: Any, path: str) -> Faq:
    """One question and its answer."""
    fields = Fields(data, path, ("ask", "answer"))
    return Faq(fields.texts("ask", least=1), fields.text("answer"))


def _praises(review: Review, language: str) -> bool:
    emotion, _ = read_emotion(review.text, language)
    glad = emotion in (Emotion.HAPPY, Emotion.SURPRISE) or (emotion is Emotion.NEUTRAL and review.stars >= 4.0)
    return glad and (review.stars == 0.0 or review.stars >= 3.0)


def _feature(data: Any, path: str) -> Feature:
    if isinstance(data, str) and data.strip():
        return Feature(" ".join(data.split()))
    fields = Fields(data, path, ("name", "benefit", "proof"))
    return Feature(fields.text("name", limit=120), fields.text("benefit", "", 300), fields.text("proof", "", 300))


def _review(data: Any, path: str) -> Review:
    if isinstance(data, str) and data.strip():
        return Review(" ".join(data.split()))
    fields = Fields(data, path, ("text", "by", "stars"))
    return Review(fields.text("text", limit=300), fields.text("by", "", 60), fields.number("stars", 0.0, 5.0, 0.0))


def _arc(fields: Fields) -> tuple[str, ...]:
    arc = fields.texts("narrative_arc", most=len(PHASES))
    for index, phase in enumerate(arc):
        if phase not in PHASES:
            name = f"{fields.at('narrative_arc')}[{index}]"
            raise InvalidField(f"there is no phase {phase[:64]!r}", field=name, limit=", ".join(PHASES))
        if phase in arc[:index]:
            name = f"{fields.at('narrative_arc')}[{index}]"
            raise InvalidField(f"the phase {phase!r} comes twice", field=name, limit="each phase once")
    return arc
