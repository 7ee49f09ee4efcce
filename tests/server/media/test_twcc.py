"""Transport-wide feedback: read back what was packed, refuse what is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.media.twcc import Feedback, pack_feedback, parse_feedback

TICK_S = 250e-6


@given(
    first=st.integers(0, 0xFFFF),
    count=st.integers(0, 255),
    begin=st.integers(0, 1 << 30),
    steps=st.lists(st.one_of(st.none(), st.integers(-2000, 8000)), min_size=1, max_size=200),
)
def test_what_is_packed_is_read(first: int, count: int, begin: int, steps: list[int | None]) -> None:
    ticks, arrivals = begin, []
    for step in steps:
        if step is not None:
            ticks = max(0, ticks + step)
        arrivals.append(None if step is None else ticks * TICK_S)
    packet = pack_feedback(1, 2, Feedback(first, tuple(arrivals), count))
    assert len(packet) == 4 + 4 * int.from_bytes(packet[2:4], "big")
    read = parse_feedback(packet[4:])
    assert (read.first, read.count, len(read.arrivals_s)) == (first, count, len(arrivals))
    known = [(a, b) for a, b in zip(read.arrivals_s, arrivals, strict=True) if a is not None and b is not None]
    assert [a is None for a in read.arrivals_s] == [b is None for b in arrivals]
    # the reference time has 24 bits of 64 ms; only differences count
    assert all(abs((a - known[0][0]) - (b - known[0][1])) < 1e-6 for a, b in known)


def test_run_lengths_and_one_bit_vectors() -> None:
    head = bytes(8) + (100).to_bytes(2, "big") + (20).to_bytes(2, "big") + bytes([0, 0, 1, 7])
    # six packets in a run of small deltas, then fourteen of which every second arrived
    body = head + (0x2000 | 6).to_bytes(2, "big") + (0x8000 | 0b10101010101010).to_bytes(2, "big")
    body += bytes([4] * 6) + bytes([8] * 7) + bytes(3)
    read = parse_feedback(body)
    assert (read.first, read.count) == (100, 7)
    assert read.arrivals_s[:6] == pytest.approx([0.064 + 0.001 * n for n in range(1, 7)])
    assert [at_s is not None for at_s in read.arrivals_s[6:]] == [True, False] * 7


@given(st.binary(max_size=80))
def test_nothing_but_value_errors(body: bytes) -> None:
    try:
        parse_feedback(body)
    except ValueError:
        pass
