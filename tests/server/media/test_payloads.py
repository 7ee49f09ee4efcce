"""RTP payload formats, read back by aiortc's own depacketisers."""

import random

from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from server.media.payloads import PAYLOAD_MAX_BYTES, h264_payloads, nal_units, vp8_payloads


def _unit(kind: int, size_bytes: int, seed: int) -> bytes:
    body = bytes(random.Random(seed).choices(range(1, 256), k=size_bytes - 1))
    return bytes([0x60 | kind]) + body


def _read_back(payloads: tuple[bytes, ...]) -> list[bytes]:
    return list(nal_units(b"".join(h264_depayload(payload) for payload in payloads)))


@given(st.lists(st.integers(2, 6000), min_size=1, max_size=8), st.integers(0, 1000))
def test_h264_units_survive_packetisation(sizes: list[int], seed: int) -> None:
    units = [_unit(1 + index % 23, size, seed + index) for index, size in enumerate(sizes)]
    stream = b"".join(b"\x00\x00\x00\x01" + unit for unit in units)
    payloads = h264_payloads(stream)
    assert max(map(len, payloads)) <= PAYLOAD_MAX_BYTES
    assert _read_back(payloads) == units


def test_parameter_sets_share_a_packet() -> None:
    units = [_unit(7, 20, 1), _unit(8, 5, 2), _unit(5, 5000, 3)]
    payloads = h264_payloads(b"".join(b"\x00\x00\x00\x01" + unit for unit in units))
    assert payloads[0][0] & 0x1F == 24
    assert all(payload[0] & 0x1F == 28 for payload in payloads[1:])
    assert payloads[1][1] & 0x80 and payloads[-1][1] & 0x40


def test_three_and_four_byte_start_codes() -> None:
    assert list(nal_units(b"\x00\x00\x00\x01\x67\x01\x00\x00\x01\x68\x02\x00\x00\x00\x01\x65\x03")) == [
        b"\x67\x01",
        b"\x68\x02",
        b"\x65\x03",
    ]
    assert list(nal_units(b"")) == []


@given(st.integers(1, 5000), st.integers(0, 70000))
def test_vp8_frames_survive_packetisation(size: int, picture_id: int) -> None:
    frame = bytes(random.Random(size).choices(range(256), k=size))
    payloads = vp8_payloads(frame, picture_id)
    parsed = [VpxPayloadDescriptor.parse(payload) for payload in payloads]
    assert b"".join(data for _, data in parsed) == frame
    assert [descriptor.partition_start for descriptor, _ in parsed] == [1] + [0] * (len(parsed) - 1)
    assert {descriptor.picture_id for descriptor, _ in parsed} == {picture_id % 32768}
    assert max(map(len, payloads)) <= PAYLOAD_MAX_BYTES
