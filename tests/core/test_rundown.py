"""The run-down of a sale: selling points, templates, time slots, cards; and scenes, brands and their bad fields."""

from typing import Any

import pytest

from realtime.core.errors import InvalidField
from realtime.core.rundown import SHOT_MARK, beats_of, card_at, speech_s
from realtime.core.rundown_commerce import plan_product, template_of
from realtime.core.rundown_phrases import EN, ZH, listed
from realtime.core.rundown_product import praising, read_product, selling_points
from realtime.core.scenes import SCENES, standing
from realtime.core.scenes_brand import read_brand
from realtime.core.script import Mark, Say


def product(**change: Any) -> dict[str, Any]:
    return {
        "title": "the Glow lamp",
        "product_type": "electronics",
        "key_features": ["Dimmable", {"name": "Warm light", "benefit": "It feels like dusk."}],
        "target_audience": "people who read at night",
        "duration_seconds": 60,
        "price": "39 dollars",
        "problem": "Bright lamps keep you awake.",
        "reviews": [{"text": "I love the warm light", "by": "Ann", "stars": 5}, {"text": "Awful", "stars": 1}],
    } | change


def test_praised_features_come_first_and_bad_reviews_are_not_read_out() -> None:
    read = read_product(product())
    assert [point.name for point in selling_points(read)] == ["Warm light", "Dimmable"]
    review = praising(read)
    assert review is not None and review.by == "Ann"


@pytest.mark.parametrize(
    ("change", "template"),
    [
        ({}, "problem_solution"),
        ({"product_type": "beauty, skincare"}, "emotional"),
        ({"product_type": "美妆"}, "emotional"),
        ({"product_type": "kitchen appliance", "alternative": "Old kettles are slow."}, "comparison"),
        ({"template": "emotional"}, "emotional"),
    ],
)
def test_the_category_chooses_the_template(change: dict[str, Any], template: str) -> None:
    assert template_of(read_product(product(**change))) == template


def test_the_rundown_keeps_its_time_and_says_prices_verbatim() -> None:
    benefit = "It helps you a lot, every single day of the year."
    features = [{"name": f"Thing {i}", "benefit": benefit} for i in range(12)]
    for seconds in (30, 60, 120):
        plan = plan_product(read_product(product(key_features=features, duration_seconds=seconds)))
        assert plan.duration_s <= seconds and plan.shots[0].phase == "opening" and plan.shots[-1].phase == "close"
        starts = [shot.start_s for shot in plan.shots]
        assert starts == sorted(starts) and "39 dollars" in " ".join(shot.text for shot in plan.shots)


def test_the_arc_asked_for_is_kept() -> None:
    arc = ["offer", "benefit_highlight"]
    plan = plan_product(read_product(product(narrative_arc=arc)))
    phases = list(dict.fromkeys(shot.phase for shot in plan.shots))
    assert phases == ["opening", "offer", "benefit_highlight", "close"]


def test_a_shot_begins_its_card_before_its_words_and_can_go_on_in_the_middle() -> None:
    plan = plan_product(read_product(product()))
    beats = beats_of(plan.shots[0], ("wave",), "en")
    assert beats[0] == Mark(SHOT_MARK + plan.shots[0].id)
    mark = next(beat for beat in beats if isinstance(beat, Mark) and beat.name.startswith("card:"))
    card = card_at(plan.shots, mark.name)
    assert card is not None and card.title == "the Glow lamp" and card_at(plan.shots, "card:none:0") is None
    said = [beat.text for beat in beats if isinstance(beat, Say)]
    rest = [beat.text for beat in beats_of(plan.shots[0], ("wave",), "en", 1) if isinstance(beat, Say)]
    assert rest == said[1:]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"title": 3.5, "product_type": []}, "product_type"),
        ({"key_features": []}, "key_features"),
        ({"key_features": [{"benefit": "x"}]}, "key_features[0].name"),
        ({"key_features": ["x"] * 13}, "key_features"),
        ({"duration_seconds": 5}, "duration_seconds"),
        ({"duration_seconds": "long"}, "duration_seconds"),
        ({"narrative_arc": ["plot_twist"]}, "narrative_arc[0]"),
        ({"narrative_arc": ["offer", "offer"]}, "narrative_arc[1]"),
        ({"template": "hard_sell"}, "template"),
        ({"reviews": [{"text": "x", "stars": 9}]}, "reviews[0].stars"),
        ({"specs": ["x"]}, "specs"),
        ({"faq": [{"ask": []}]}, "faq[0].ask"),
        ({"prize": "1"}, "prize"),
        ({"story": "x" * 10_000}, "story"),
    ],
)
def test_bad_products_are_named_by_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_product(product(**change))
    assert caught.value.field == field and caught.value.limit


def test_every_phrase_exists_in_both_languages_and_names_are_listed() -> None:
    assert EN.keys() == ZH.keys()
    assert listed(("Ann", "Bob", "Cy"), "en") == "Ann, Bob and Cy" and listed(("小明", "小红"), "zh") == "小明、小红"
    assert listed((), "en") == "one of you" and speech_s("你好吗") > 0.5


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"color_palette": ["red"]}, "brand_style.color_palette[0]"),
        ({"lighting": "moonlit"}, "brand_style.lighting"),
        ({"aspect_ratio": "2:1"}, "brand_style.aspect_ratio"),
        ({"frame_rate": 500}, "brand_style.frame_rate"),
        ({"colour": "x"}, "brand_style.colour"),
        ([], "brand_style"),
    ],
)
def test_bad_brands_are_named_by_field(data: object, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_brand(data)
    assert caught.value.field == field


def test_a_brand_with_its_outer_name_is_read() -> None:
    brand = read_brand({"brand_style": {"color_palette": ["#102030"], "lighting": "warm"}})
    assert brand.palette == ("#102030",) and brand.as_json()["transition_effect"] == "fade"


def test_scenes_and_standing() -> None:
    budgets_ms = {scene.name: scene.budget_ms for scene in SCENES.values()}
    assert budgets_ms == {"host": 400, "commerce": 400, "tutor": 500, "npc": 300, "meeting": 200, "ar": 150}
    none, some = standing([], 400), standing([100.0] * 19 + [900.0], 400)
    assert none.p95_ms is None and none.as_json()["within_budget"] is None
    assert (some.p50_ms, some.p95_ms) == (100.0, 100.0) and standing([900.0], 400).as_json()["within_budget"] is False


@pytest.mark.parametrize(
    ("style", "field", "words"),
    [
        ({"frame_rate": 30}, "brand_style.frame_rate", "drawn at 25"),
        ({"aspect_ratio": "16:9"}, "brand_style.aspect_ratio", "does not exist"),
        ({"color_palette": ["red"]}, "brand_style.color_palette[0]", "no colour"),
        ({"lighting": "disco"}, "brand_style.lighting", "does not exist"),
    ],
)
def test_a_style_that_cannot_be_had_is_refused_in_words(style: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(InvalidField, match=words) as caught:
        read_brand(style)
    assert caught.value.field == field and caught.value.limit
