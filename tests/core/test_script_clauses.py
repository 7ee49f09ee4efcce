"""Clauses of a text that is still being written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.script import ClauseSplitter
from realtime.core.script_beats import MAX_SAY_CHARS
from realtime.core.script_tags import MAX_TAG_CHARS


def by_character(text: str) -> list[tuple[int, str]]:
    """Each clause with the number of characters fed when it came."""
    splitter = ClauseSplitter()
    out = [(n + 1, clause) for n, c in enumerate(text) for clause in splitter.feed(c)]
    return out + [(len(text), clause) for clause in splitter.flush()]


def clauses(text: str) -> list[str]:
    return [clause for _, clause in by_character(text)]


def test_the_first_clause_ends_at_a_comma_once_long_enough() -> None:
    assert clauses("Well, hello there my friend, I am glad. Come in, sit down, please.") == [
        "Well, hello there my friend,", "I am glad.", "Come in, sit down, please.",
    ]  # fmt: skip


def test_it_comes_as_soon_as_the_comma_is_certain() -> None:
    fed, clause = by_character("It is one of the best, and more")[0]
    assert (fed, clause) == (len("It is one of the best, "), "It is one of the best,")


def test_chinese_needs_no_look_ahead() -> None:
    fed, clause = by_character("你好！欢迎。")[0]
    assert (fed, clause) == (3, "你好！")


def test_the_first_chinese_clause_ends_at_a_comma() -> None:
    assert clauses("你好，欢迎来到我们的直播间，今天有很多好东西，大家看。") == [
        "你好，欢迎来到我们的直播间，", "今天有很多好东西，大家看。",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Pi is 3.14159 or so, Dr. Jones.",
        "It costs 1,000,000 dollars in all.",
        "Go to example.com now.",
        "He said “好。很好。” today",
    ],
)
def test_numbers_names_and_quotes_are_not_cut(text: str) -> None:
    assert all(piece in text for piece in clauses(text))
    assert not any(piece.endswith(("3.", "1,", "Dr.", "example.")) for piece in clauses(text))


def test_a_closing_quote_stays_with_its_sentence() -> None:
    assert clauses("她说：“你好。”他走了。") == ["她说：“你好。”", "他走了。"]
    assert clauses('"Come in!" he said. "Sit."') == ['"Come in!" he said.', '"Sit."']


def test_no_clause_ends_inside_a_tag() -> None:
    text = "Hello my dear friends, [see page, 3 and. More] welcome. [happy:0.7] Now [wave] go."
    for clause in clauses(text):
        assert clause.count("[") == clause.count("]")


def test_an_open_bracket_holds_back_only_so_much() -> None:
    splitter = ClauseSplitter()
    assert splitter.feed("[" + "a" * (MAX_TAG_CHARS // 2) + ". Next") == []
    assert splitter.feed(" one is here" * 5 + ". And so on ") != []


def test_lines_of_a_list_are_clauses() -> None:
    assert clauses("We have:\n- tea\n- coffee\n") == ["We have:", "- tea", "- coffee"]


def test_a_flood_without_punctuation_is_cut() -> None:
    splitter = ClauseSplitter()
    pieces = splitter.feed("word " * 2_000)
    assert pieces and all(len(piece) <= MAX_SAY_CHARS for piece in pieces)


def test_flush_gives_the_rest_once() -> None:
    splitter = ClauseSplitter()
    assert splitter.feed("Not yet") == []
    assert splitter.flush() == ["Not yet"]
    assert splitter.flush() == []


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(list("ab ,.!?。，“”[]:\n\"'(") + ["[wave]", "Dr. ", "1.5", "你好", "..."]), max_size=80),
    st.integers(1, 7),
)
def test_no_character_is_lost_however_it_is_fed(parts: list[str], size: int) -> None:
    text = "".join(parts)
    splitter = ClauseSplitter()
    out = [clause for i in range(0, len(text), size) for clause in splitter.feed(text[i : i + size])]
    out += splitter.flush()
    assert "".join("".join(out).split()) == "".join(text.split())
