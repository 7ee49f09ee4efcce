"""AV1 payloads against AOM's payload format 1.0: packets by hand, any units, and a decoder that has lost packets."""

import random

import av
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st

from client.viewer.depayloading import av1_unit
from server.media.av1_payloads import av1_payloads, obu_elements
from server.media.payloads import PAYLOAD_MAX_BYTES
from server.media.video_encoder import Av1Encoder
from tests.server.rtc.rig import HEIGHT, WIDTH, depayloaded, frame_of, psnr_db, texture

DELIMITER, SEQUENCE, FRAME, TILES, PADDING = 2, 1, 6, 8, 15


def _leb128(value: int) -> bytes:
    low = bytes([value & 0x7F])
    return low if value < 0x80 else bytes([value & 0x7F | 0x80]) + _leb128(value >> 7)


def _obu(kind: int, body: bytes, *, extension: int | None = None, sized: bool = True) -> bytes:
    header = kind << 3 | (0 if extension is None else 0x04) | (0x02 if sized else 0)
    size = _leb128(len(body)) if sized else b""
    return bytes([header]) + (b"" if extension is None else bytes([extension])) + size + body


def test_a_keyframe_in_one_packet() -> None:
    unit = _obu(DELIMITER, b"") + _obu(SEQUENCE, b"seq") + _obu(FRAME, b"frame") + _obu(PADDING, b"xx")
    # W = 2, N = 1; the sequence header with its length, the frame without; no size fields, delimiter or padding
    assert av1_payloads(unit, new_sequence=True) == (bytes([0x28, 4, 0x08]) + b"seq" + bytes([0x30]) + b"frame",)
    assert av1_payloads(_obu(FRAME, b"p"), new_sequence=False) == (bytes([0x10, 0x30]) + b"p",)


def test_a_frame_over_three_packets() -> None:
    unit = _obu(SEQUENCE, b"s") + _obu(FRAME, bytes(range(1, 20)))
    payloads = av1_payloads(unit, new_sequence=True, limit_bytes=12)
    # N and Y on the first, Z and Y on the second, Z on the last
    assert [payload[0] for payload in payloads] == [0x68, 0xD0, 0x90]
    assert payloads[0] == bytes([0x68, 2, 0x08]) + b"s" + bytes([0x30]) + bytes(range(1, 8))
    assert [len(payload) for payload in payloads] == [12, 12, 2]
    assert av1_unit(payloads) == _obu(DELIMITER, b"") + unit


def test_extension_bytes_stay() -> None:
    payloads = av1_payloads(_obu(FRAME, b"f", extension=0x28), new_sequence=False)
    assert payloads == (bytes([0x10, 0x34, 0x28]) + b"f",)


def test_a_unit_without_a_last_size_and_one_of_nothing_that_is_sent() -> None:
    assert list(obu_elements(_obu(SEQUENCE, b"s") + _obu(FRAME, b"rest", sized=False)))[1] == bytes([0x30]) + b"rest"
    assert av1_payloads(_obu(DELIMITER, b"") + _obu(TILES, b"t"), new_sequence=False) == ()
    assert av1_payloads(b"", new_sequence=False) == ()


@pytest.mark.parametrize("unit", [_obu(FRAME, b"frame")[:-1], bytes([0x32, 0x80]), bytes([0x32]), bytes([0x34])])
def test_a_unit_that_is_cut_off_is_an_error(unit: bytes) -> None:
    with pytest.raises(ValueError, match=r"OBU|no end"):
        av1_payloads(unit, new_sequence=False)


@given(
    st.lists(st.tuples(st.sampled_from([SEQUENCE, 3, 4, 5, FRAME, 7]), st.integers(0, 3000)), min_size=1, max_size=9),
    st.integers(8, PAYLOAD_MAX_BYTES),
    st.booleans(),
)
def test_any_unit_survives(shape: list[tuple[int, int]], limit_bytes: int, new_sequence: bool) -> None:
    rng = random.Random(len(shape))
    unit = b"".join(_obu(kind, rng.randbytes(size)) for kind, size in shape)
    payloads = av1_payloads(_obu(DELIMITER, b"") + unit, new_sequence=new_sequence, limit_bytes=limit_bytes)
    assert av1_unit(payloads) == _obu(DELIMITER, b"") + unit
    assert max(map(len, payloads)) <= limit_bytes
    assert [bool(payload[0] & 0x08) for payload in payloads] == [new_sequence] + [False] * (len(payloads) - 1)
    # Z says what the Y before said
    assert [bool(one[0] & 0x80) for one in payloads[1:]] == [bool(one[0] & 0x40) for one in payloads[:-1]]
    assert not payloads[0][0] & 0x80 and not payloads[-1][0] & 0x40


def test_after_a_loss_the_next_keyframe_is_decodable() -> None:
    encoder = Av1Encoder(WIDTH, HEIGHT, 25, ceiling_bps=800_000)
    decoder = av.CodecContext.create("libdav1d", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    shown = {}
    for index in range(24):
        picture = texture(index=index)
        unit = encoder.encode(frame_of(picture, index), keyframe=index in (0, 16), bitrate_bps=800_000)
        assert unit.payloads, "one picture out for each in"
        if index == 8 and len(unit.payloads) > 1:
            with pytest.raises(ValueError, match=r"cut off|missing"):
                av1_unit(unit.payloads[1:])
        if index in range(8, 16):
            continue
        for seen in decoder.decode(av.Packet(depayloaded(unit))):
            shown[index] = psnr_db(seen.to_ndarray(), picture)
    encoder.close()
    assert set(shown) == {*range(8), *range(16, 24)} and min(shown.values()) > 20


def test_a_keyframe_carries_what_a_late_joiner_needs() -> None:
    encoder = Av1Encoder(WIDTH, HEIGHT, 25, ceiling_bps=800_000)
    units = [encoder.encode(frame_of(texture(), at), keyframe=at in (0, 3), bitrate_bps=500_000) for at in range(5)]
    encoder.close()
    for unit in units:
        kinds = [one[0] >> 3 & 0x0F for one in obu_elements(depayloaded(unit))]
        assert (SEQUENCE in kinds) == unit.keyframe == bool(unit.payloads[0][0] & 0x08)
