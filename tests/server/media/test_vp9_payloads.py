"""VP9 payloads against RFC 9628: descriptors by hand, any size, and a decoder that has lost packets."""

import random

import av
from hypothesis import given
from hypothesis import strategies as st

from client.viewer.depayloading import vp9_depayload
from server.media.payloads import PAYLOAD_MAX_BYTES
from server.media.video_encoder import Vp9Encoder
from server.media.vp9_payloads import vp9_payloads
from tests.server.rtc.rig import HEIGHT, WIDTH, frame_of, psnr_db, texture


def test_a_keyframe_in_one_packet_says_its_size_and_structure() -> None:
    (payload,) = vp9_payloads(b"picture", 0x1234, (640, 368))
    # I, L, B, E, V and Z; picture id with M; layers 0; TL0PICIDX; Y and G; 640 x 368; one picture, R = 1, P_DIFF = 1
    assert payload.hex() == "af" + "9234" + "00" + "34" + "18" + "0280" + "0170" + "010401" + b"picture".hex()


def test_a_later_picture_is_predicted_and_short() -> None:
    first, middle, last = vp9_payloads(bytes(range(1, 22)), 0x8001, None, limit_bytes=13)
    assert [payload[0] for payload in (first, middle, last)] == [0xE9, 0xE1, 0xE5]
    assert {payload[1:5] for payload in (first, middle, last)} == {bytes([0x80, 0x01, 0x00, 0x01])}
    assert first[5:] + middle[5:] + last[5:] == bytes(range(1, 22))


SIDES = st.integers(1, 65_535)


@given(st.integers(1, 5000), st.integers(0, 70_000), st.none() | st.tuples(SIDES, SIDES))
def test_any_frame_survives(size: int, picture_id: int, key_size: tuple[int, int] | None) -> None:
    frame = bytes(random.Random(size).choices(range(256), k=size))
    payloads = vp9_payloads(frame, picture_id, key_size)
    assert b"".join(map(vp9_depayload, payloads)) == frame
    assert max(map(len, payloads)) <= PAYLOAD_MAX_BYTES
    # all but the last of one size, so that they can leave in one call
    assert {len(payload) for payload in payloads[:-1]} <= {PAYLOAD_MAX_BYTES}
    begins, ends = ([bool(payload[0] & bit) for payload in payloads] for bit in (0x08, 0x04))
    assert begins == [True] + [False] * (len(payloads) - 1) and ends == begins[::-1]
    assert all(bool(payload[0] & 0x40) == (key_size is None) for payload in payloads)
    assert [bool(payload[0] & 0x02) for payload in payloads] == [one and key_size is not None for one in begins]


def test_nothing_has_no_packets() -> None:
    assert vp9_payloads(b"", 1, None) == ()


def test_after_a_loss_the_next_keyframe_is_decodable() -> None:
    encoder = Vp9Encoder(WIDTH, HEIGHT, 25, ceiling_bps=800_000)
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    shown = {}
    for index in range(24):
        picture = texture(index=index)
        unit = encoder.encode(frame_of(picture, index), keyframe=index in (0, 16), bitrate_bps=800_000)
        payloads = unit.payloads if index != 8 else unit.payloads[:-1]
        if index in range(8, 16):
            # what a receiver without the whole of picture 8 holds back
            continue
        for seen in decoder.decode(av.Packet(b"".join(map(vp9_depayload, payloads)))):
            shown[index] = psnr_db(seen.to_ndarray(), picture)
    encoder.close()
    assert set(shown) == {*range(8), *range(16, 24)} and min(shown.values()) > 20
