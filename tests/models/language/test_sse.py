"""Server-sent events and hidden thoughts, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language.sse import MAX_LINE_BYTES, EventReader, ThoughtFilter
from realtime.core.errors import UpstreamError

STREAM = (
    ": hello\r\n\r\ndata: one\r\n\r\nevent: x\rdata: two\rdata:three\r\r\ndata: vier ä 你\n\nid: 1\n\ndata: lost"
).encode()
EVENTS = ["one", "two\nthree", "vier ä 你"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_read_however_the_bytes_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    reader = EventReader()
    out = [e for a, b in zip(places, places[1:], strict=False) for e in reader.feed(STREAM[a:b])]
    assert out == EVENTS


def test_a_line_without_end_is_an_error() -> None:
    reader = EventReader()
    with pytest.raises(UpstreamError, match="bytes"):
        for _ in range(100):
            list(reader.feed(b"x" * (MAX_LINE_BYTES // 10)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", "plain"),
        ("<think>a</think>b", "b"),
        ("a<think>b</think>c<think>d</think>e", "ace"),
        ("1 < 2 <thin", "1 < 2 <thin"),
        ("a<think>never ends", "a"),
        ("</think>x", "</think>x"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_thoughts_are_dropped_however_the_text_is_cut(text: str, said: str, size: int) -> None:
    thoughts = ThoughtFilter()
    out = "".join(thoughts.feed(text[i : i + size]) for i in range(0, len(text), size))
    assert out + thoughts.flush() == said
