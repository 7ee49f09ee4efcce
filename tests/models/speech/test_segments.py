"""Cutting a text into parts with offsets kept, and Mandarin's substitutions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.speech.mandarin import spoken
from models.speech.segments import MAX_PART, clean, split


def shown(text: str, language: str) -> list[tuple[str, str]]:
    return [(part.language, part.text.strip()) for part in split(text, language)]


def test_each_script_goes_to_its_language() -> None:
    assert shown("我们用 GPU 渲染。", "zh") == [("zh", "我们用"), ("en", "GPU"), ("zh", "渲染。")]
    assert shown("Say 你好 now", "en-GB") == [("en-GB", "Say"), ("zh", "你好"), ("en-GB", "now")]


def test_numbers_go_with_their_surroundings() -> None:
    assert shown("12 apples for 3", "en") == [("en", "12 apples for 3")]
    assert shown("买 12 个", "en") == [("zh", "买 12 个")]
    assert shown("用GPT4写", "zh") == [("zh", "用"), ("en", "GPT4"), ("zh", "写")]


def test_origins_point_at_the_characters_sent() -> None:
    text = "Hi 😀 英雄 ok"
    for part in split(text, "en"):
        assert len(part.text) == len(part.origins)
        for position, char in enumerate(part.text):
            if char.isalpha() and part.language == "en":
                assert text[part.origin(position)] == char
    assert split("a", "en")[0].origin(99) == 0


def test_the_unspeakable_is_no_part() -> None:
    for text in ("", "   ", "😀😀", "…!?", "\x00\x07", "\ud800", "[]"):
        assert split(text, "en") == ()


def test_phoneme_brackets_of_the_text_are_taken_away() -> None:
    assert "[" not in clean("[[hello]]")
    assert len(clean("a[[\x00😀]]b")) == len("a[[\x00😀]]b")


def test_long_texts_are_cut_at_sentences_and_words() -> None:
    text = "This is a sentence of some length, with a clause. " * 40
    parts = split(text, "en")
    assert all(len(part.text) <= MAX_PART for part in parts)
    assert all(part.text.rstrip().endswith((".", ",")) for part in parts)
    endless = split("a" * 1_000, "en")
    assert all(max(map(len, part.text.split())) <= 60 for part in endless)
    assert all(len(part.text) <= 4 * MAX_PART for part in split("好" * 2_000, "zh"))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("兄弟", "[[S;j'ong55]]弟"),
        ("这儿和那儿", "这里和那里"),
        ("一点儿", "一点"),
        ("小孩儿玩儿", "小孩玩"),
        ("女儿", "女儿"),
        ("儿子", "儿子"),
        ("孩兒", "孩"),
        ("孩子长大", "孩子[[ts.'A214N]]大"),
        ("长大衣", "长大衣"),
        ("检察长", "检察[[ts.'A214N]]"),
        ("你好", "你好"),
    ],
)
def test_what_the_engine_cannot_read_is_replaced(text: str, sent: str) -> None:
    assert spoken(text)[0] == sent
    assert len(spoken(text)[1]) == len(sent)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["en", "en-GB", "zh"]))
def test_any_text_is_cut_into_ordered_parts(text: str, language: str) -> None:
    origins = [origin for part in split(text, language) for origin in part.origins]
    assert origins == sorted(origins)
    assert all(0 <= origin < len(text) for origin in origins)
