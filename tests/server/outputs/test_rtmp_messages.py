"""Chunks: what is written is read again however it arrives, and nonsense is refused."""

from hypothesis import given
from hypothesis import strategies as st

from server.outputs.rtmp_messages import SET_CHUNK_SIZE, Message, Reader, written

MESSAGES = st.builds(
    Message, st.sampled_from([8, 9, 18, 20]), st.binary(max_size=700), st.integers(0, 3), st.integers(0, 1 << 25)
)


@given(st.lists(st.tuples(MESSAGES, st.integers(2, 10)), max_size=6), st.integers(1, 64), st.integers(1, 300))
def test_round_trip(sent: list[tuple[Message, int]], piece: int, chunk: int) -> None:
    reader = Reader()
    data = written(Message(SET_CHUNK_SIZE, chunk.to_bytes(4, "big")), 2)
    data += b"".join(written(message, stream, chunk) for message, stream in sent)
    got: list[Message] = []
    for at in range(0, len(data), piece):
        got += reader.feed(data[at : at + piece])
    assert got[1:] == [message for message, _ in sent]


@given(st.binary(max_size=400))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        Reader().feed(data)
    except ValueError:
        return


def test_short_headers() -> None:
    """Forms 1 to 3 take what they leave out from the message before, section 5.3.1.2."""
    whole = bytes([3, 0, 0, 100, 0, 0, 2, 8, 0, 0, 0, 0]) + b"ab"
    delta = bytes([0x43, 0, 0, 20, 0, 0, 1, 9]) + b"c"
    same = bytes([0x83, 0, 0, 5]) + b"d"
    nothing = bytes([0xC3]) + b"e"
    got = Reader().feed(whole + delta + same + nothing)
    assert [(one.kind, one.payload, one.at_ms) for one in got] == [
        (8, b"ab", 100), (9, b"c", 120), (9, b"d", 125), (9, b"e", 130)
    ]  # fmt: skip
