"""Outgoing RTP: headers, extensions, history, repeats and reports, read back by aiortc's parsers."""

from dataclasses import dataclass, replace

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import (
    HeaderExtensionsMap,
    RtcpByePacket,
    RtcpPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
    RtpPacket,
    unpack_header_extensions,
)

from server.rtc.rtp_header import SMOOTH, TRANSPORT_SEQUENCE_URI, PacketWriter, RtpFormat
from server.rtc.rtp_stream import RtpStream

FORM = RtpFormat(
    payload_type=102,
    clock_rate_hz=90_000,
    ssrc=1234,
    mid="vid",
    cname="someone",
    rtx_payload_type=103,
    rtx_ssrc=5678,
    mid_id=4,
    send_time_id=2,
    playout_delay_id=5,
    transport_sequence_id=6,
    capture_time_id=7,
)
NTP = 0x1234_5678_9ABC_DEF0


@dataclass(frozen=True)
class Unit:
    """A picture of these payloads."""

    payloads: tuple[bytes, ...]
    pts: int = 0
    keyframe: bool = False


def _map() -> HeaderExtensionsMap:
    known = HeaderExtensionsMap()
    uris = (
        (4, "urn:ietf:params:rtp-hdrext:sdes:mid"),
        (2, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
        (6, TRANSPORT_SEQUENCE_URI),
    )
    extensions = [RTCRtpHeaderExtensionParameters(id=id_, uri=uri) for id_, uri in uris]
    known.configure(RTCRtpParameters(headerExtensions=extensions))
    return known


def _extensions(packet: bytes) -> dict[int, bytes]:
    profile, words = int.from_bytes(packet[12:14], "big"), int.from_bytes(packet[14:16], "big")
    return dict(unpack_header_extensions(profile, packet[16 : 16 + 4 * words]))


def _packet(written: tuple[PacketWriter, int]) -> bytes:
    writer, size = written
    return bytes(writer.memory[:size])


def _send(stream: RtpStream, unit: Unit, now_s: float = 0.0) -> list[bytes]:
    placed = stream.place(unit)
    return [_packet(stream.write(placed, index, now_s, NTP, 40 + index)) for index in range(len(unit.payloads))]


def test_headers_and_extensions() -> None:
    stream = RtpStream(FORM, sequence=65534, origin=2**32 - 100)
    packets = _send(stream, Unit((b"one", b"two", b"three"), 3600))
    parsed = [RtpPacket.parse(packet, _map()) for packet in packets]
    assert [packet.payload for packet in parsed] == [b"one", b"two", b"three"]
    assert [packet.sequence_number for packet in parsed] == [65534, 65535, 0]
    assert [packet.marker for packet in parsed] == [0, 0, 1]
    assert {packet.timestamp for packet in parsed} == {3500}
    assert {(packet.ssrc, packet.payload_type) for packet in parsed} == {(1234, 102)}
    assert parsed[0].extensions.mid == "vid"
    assert parsed[0].extensions.abs_send_time == NTP >> 14 & 0xFFFFFF
    assert [packet.extensions.transport_sequence_number for packet in parsed] == [40, 41, 42]
    assert _extensions(packets[0])[5] == b"\x00\x00\x00"


def test_time_of_capture_is_told_once_a_second() -> None:
    stream = RtpStream(FORM, sequence=0, origin=0)
    told = {}
    for index in range(60):
        at_s = 10 + index * 0.04
        # captured 30 ms before it leaves
        first = _send(stream, Unit((b"a", b"b"), round((at_s - 0.03) * 90_000)), at_s)[0]
        if 7 in _extensions(first):
            told[index] = int.from_bytes(_extensions(first)[7], "big")
    assert list(told) == [0, 25, 50]
    assert all(abs((NTP - ntp) / 2**32 - 0.03) < 1e-4 for ntp in told.values())


def test_another_playout_delay() -> None:
    stream = RtpStream(FORM, sequence=0, origin=0)
    stream.playout(SMOOTH)
    assert _extensions(_send(stream, Unit((b"x",)))[0])[5] == (40).to_bytes(3, "big")


def test_no_extension_where_none_was_negotiated() -> None:
    bare = RtpFormat(payload_type=102, clock_rate_hz=90_000, ssrc=1, mid="vid", cname="")
    (packet,) = _send(RtpStream(bare, sequence=1, origin=0), Unit((b"x",)))
    assert packet[0] == 0x80 and packet[12:] == b"x"


def test_lost_packet_is_repeated_as_rtx() -> None:
    stream = RtpStream(FORM, sequence=10, origin=0)
    _send(stream, Unit((b"one", b"two"), 90))
    _send(stream, Unit((b"three",), 180))
    found = stream.find(11)
    assert found is not None
    for times in (1, 2):
        packet = RtpPacket.parse(_packet(stream.write_repeat(*found, NTP, 77)), _map())
        assert (packet.ssrc, packet.payload_type, packet.timestamp, packet.marker) == (5678, 103, 90, 1)
        assert packet.payload == (11).to_bytes(2, "big") + b"two"
        assert packet.extensions.transport_sequence_number == 77
        assert stream.retransmitted == times
    assert stream.find(9) is None and stream.find(13) is None


def test_history_is_bounded_and_ends_at_a_keyframe() -> None:
    stream = RtpStream(FORM, sequence=0, origin=0)
    for index in range(400):
        _send(stream, Unit((b"x",), index))
    assert stream.find(10) is None
    assert stream.find(399) is not None
    _send(stream, Unit((b"k",), 400, keyframe=True))
    assert stream.find(399) is None
    assert stream.find(400) is not None
    without = RtpStream(replace(FORM, rtx_payload_type=None, rtx_ssrc=None), sequence=0, origin=0)
    _send(without, Unit((b"x",)))
    assert without.find(0) is None and not without.can_repeat


def test_sender_report_maps_media_time_now() -> None:
    stream = RtpStream(FORM, sequence=0, origin=1000)
    _send(stream, Unit((b"abc",)))
    report, description = RtcpPacket.parse(stream.sender_report(2.0, 7.0, NTP))
    assert isinstance(report, RtcpSrPacket) and isinstance(description, RtcpSdesPacket)
    assert report.sender_info.rtp_timestamp == 1000 + 180_000
    assert (report.sender_info.ntp_timestamp, report.ssrc) == (NTP, 1234)
    assert (report.sender_info.packet_count, report.sender_info.octet_count) == (1, 3)
    assert description.chunks[0].items == [(1, b"someone")]
    round_trip_s = stream.round_trip_s(NTP >> 16 & 0xFFFFFFFF, 65536, 8.25)
    assert round_trip_s == 0.25
    assert stream.round_trip_s(42, 0, 8.25) is None


def test_goodbye() -> None:
    (bye,) = RtcpPacket.parse(RtpStream(FORM, sequence=0, origin=0).bye())
    assert isinstance(bye, RtcpByePacket) and bye.sources == [1234]
