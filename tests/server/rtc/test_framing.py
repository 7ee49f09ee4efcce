"""RFC 4571: packets come out as they went in, however the stream is cut, and nothing grows beyond its limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rtc.framing import Deframer, FrameTooLong, framed


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=12), st.lists(st.integers(1, 300), max_size=30))
def test_any_cut_gives_the_same_packets(packets: list[bytes], cuts: list[int]) -> None:
    stream = framed(packets)
    deframer = Deframer(200)
    found: list[bytes] = []
    for size in [*cuts, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        deframer.add(piece)
        while (packet := deframer.take()) is not None:
            found.append(packet)
    assert found == packets and deframer.held_bytes == 0


@given(st.lists(st.binary(max_size=600), max_size=12), st.integers(1, 300))
def test_noise_never_holds_more_than_a_frame(pieces: list[bytes], limit: int) -> None:
    deframer = Deframer(limit)
    try:
        for piece in pieces:
            deframer.add(piece)
            while (packet := deframer.take()) is not None:
                assert 0 < len(packet) <= limit
            assert deframer.held_bytes < limit + 2
    except FrameTooLong:
        pass


def test_a_frame_too_long_is_known_by_its_length_alone() -> None:
    deframer = Deframer(1024)
    deframer.add(b"\x04\x01")
    with pytest.raises(FrameTooLong, match="1025"):
        deframer.take()


def test_empty_frames_are_passed_over() -> None:
    deframer = Deframer(16)
    deframer.add(b"\0\0\0\0" + framed([b"one"]) + b"\0\0")
    assert deframer.take() == b"one" and deframer.take() is None and deframer.held_bytes == 0


def test_a_packet_too_long_for_a_frame_is_refused() -> None:
    with pytest.raises(FrameTooLong, match="65536"):
        framed([bytes(65536)])
