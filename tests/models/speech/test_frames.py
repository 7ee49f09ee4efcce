"""The worker protocol's framing."""

import pytest

from models.speech import frames


def test_a_frame_is_its_header_and_payload() -> None:
    frame = frames.encode(frames.AUDIO, 7, b"\x01\x02")
    assert frames.decode_header(frame[: frames.HEADER.size]) == (2, frames.AUDIO, 7)
    assert frame[frames.HEADER.size :] == b"\x01\x02"


def test_an_impossible_length_is_refused() -> None:
    header = frames.HEADER.pack(frames.MAX_PAYLOAD + 1, frames.AUDIO, 1)
    with pytest.raises(ValueError, match="over the limit"):
        frames.decode_header(header)
