"""Painting orders and styles are read by one rule, over HTTP and in the data channel's cue."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from realtime.core import wire
from realtime.core.errors import InvalidField, RequestError
from realtime.core.paint_orders import MAX_PROMPT_CHARS, MAX_STYLE_CHARS, read_order, read_style
from realtime.core.painting import PLACES, STRENGTHS, PaintOrder
from server.routes.bodies import PaintBody
from server.routes.styles import order_of

STRUCTURED = {"subject": "a forest", "colour": "green", "negative_prompt": ["people"], "parameters": {"seed": 9}}
WORDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=40)
ORDERS = st.fixed_dictionaries(
    {"region": st.sampled_from(PLACES), "prompt": WORDS},
    optional={
        "negative_prompt": WORDS, "seed": st.integers(0, 2**32 - 1),
        "strength": st.floats(0.0, 1.0, exclude_min=True, allow_subnormal=False),
    },
)  # fmt: skip
JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.integers())
NAMES = st.sampled_from(["region", "prompt", "negative_prompt", "strength", "seed", "style", "background", "subject"])
WILD = st.recursive(JUNK | st.sampled_from(PLACES), lambda inner: st.dictionaries(NAMES, inner), max_leaves=8)


def cue(**d: Any) -> wire.Cue:
    text = json.dumps({"label": "rtvi-ai", "id": "m", "type": "client-message", "data": {"t": "cue", "d": d}})
    found = wire.parse(text)
    assert isinstance(found, wire.Cue)
    return found


@given(ORDERS)
def test_both_routes_read_the_same_order(order: dict[str, Any]) -> None:
    found = read_order(order, "paint")
    assert found.region == order["region"] and found.seed == order.get("seed", 0)
    assert found.strength == order.get("strength", STRENGTHS[found.region])
    assert cue(paint=order).paint == order_of(PaintBody.model_validate(order)) == found


@given(WILD)
def test_whatever_is_ordered_is_read_or_refused_by_its_field(order: Any) -> None:
    try:
        found = read_order(order, "data.d.paint")
    except RequestError as error:
        assert error.field is not None and error.field.startswith("data.d.paint") and error.limit
        return
    assert found.region in PLACES and 0 < len(found.prompt) <= MAX_PROMPT_CHARS and 0 < found.strength <= 1


@given(WILD)
def test_what_http_takes_the_data_channel_takes(order: Any) -> None:
    try:
        body = PaintBody.model_validate(order)
    except ValidationError:
        return
    try:
        found = order_of(body)
    except InvalidField:
        with pytest.raises(InvalidField):
            cue(paint=order)
        return
    assert cue(paint=order).paint == found


def test_a_structured_prompt_brings_its_negative_words_and_its_seed() -> None:
    order = {"region": "background", "prompt": STRUCTURED}
    assert read_order(order, "paint") == PaintOrder("background", "a forest, green", "people", 0.8, 9)
    own = order | {"negative_prompt": "cars", "seed": 0}
    assert read_order(own, "paint") == PaintOrder("background", "a forest, green", "cars", 0.8, 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"region": "sky"}, "paint.region"),
        ({"region": None}, "paint.region"),
        ({"prompt": None}, "paint.prompt"),
        ({"prompt": 5}, "paint.prompt"),
        ({"prompt": " \u200b "}, "paint.prompt"),
        ({"prompt": "x" * 601}, "paint.prompt"),
        ({"prompt": {"style": "ink"}}, "paint.prompt.subject"),
        ({"negative_prompt": []}, "paint.negative_prompt"),
        ({"negative_prompt": "x" * 601}, "paint.negative_prompt"),
        ({"strength": 0}, "paint.strength"),
        ({"strength": 1.1}, "paint.strength"),
        ({"strength": True}, "paint.strength"),
        ({"seed": -1}, "paint.seed"),
        ({"seed": 2**32}, "paint.seed"),
        ({"seed": 0.5}, "paint.seed"),
        ({"colour": "red"}, "paint.colour"),
    ],
)
def test_a_wrong_order_names_its_field_and_its_limit(change: dict[str, Any], field: str) -> None:
    order = {"region": "product", "prompt": "a lamp"} | change
    with pytest.raises(InvalidField) as caught:
        cue(paint=order)
    assert caught.value.field == f"data.d.{field}" and caught.value.limit


def test_a_cue_may_paint_change_the_style_and_direct_at_once() -> None:
    found = cue(emotion="happy", paint={"region": "product", "prompt": "a lamp"}, style="ink", style_strength=0.5)
    assert found.emotion is not None and found.paint == PaintOrder("product", "a lamp", strength=1.0)
    assert (found.style, found.style_strength) == ("ink", 0.5)
    assert (cue(style="").style, cue(style="").style_strength) == ("", 1.0)
    assert cue(gesture="nod").style is None


@pytest.mark.parametrize(
    ("d", "field"),
    [
        ({"style": 5}, "data.d.style"),
        ({"style": "x" * (MAX_STYLE_CHARS + 1)}, "data.d.style"),
        ({"style": "ink", "style_strength": 2.5}, "data.d.style_strength"),
        ({"style": "ink", "style_strength": "1"}, "data.d.style_strength"),
        ({"style_strength": 1.0}, "data.d"),
        ({"paint": []}, "data.d.paint"),
    ],
)
def test_a_wrong_style_or_none_names_its_field(d: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        cue(**d)
    assert caught.value.field == field and caught.value.limit


def test_what_is_no_number_is_no_strength() -> None:
    with pytest.raises(InvalidField):
        read_style({"style": "ink", "style_strength": math.nan}, "data.d")
