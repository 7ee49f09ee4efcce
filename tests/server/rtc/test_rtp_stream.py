"""Outgoing RTP: headers, extensions, retransmission budget and reports, read back by aiortc's parsers."""

from dataclasses import replace

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

from server.rtc.rtp_stream import PathView, RetransmitBudget, RtpFormat, RtpStream

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
)
NTP = 0x1234_5678_9ABC_DEF0


def _map() -> HeaderExtensionsMap:
    known = HeaderExtensionsMap()
    uris = (
        (4, "urn:ietf:params:rtp-hdrext:sdes:mid"),
        (2, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
    )
    extensions = [RTCRtpHeaderExtensionParameters(id=id_, uri=uri) for id_, uri in uris]
    known.configure(RTCRtpParameters(headerExtensions=extensions))
    return known


def test_headers_and_extensions() -> None:
    stream = RtpStream(FORM, sequence=65534, origin=2**32 - 100)
    packets = list(stream.packetise([b"one", b"two", b"three"], 3600, 1.0, lambda: NTP))
    parsed = [RtpPacket.parse(packet, _map()) for packet in packets]
    assert [packet.payload for packet in parsed] == [b"one", b"two", b"three"]
    assert [packet.sequence_number for packet in parsed] == [65534, 65535, 0]
    assert [packet.marker for packet in parsed] == [0, 0, 1]
    assert {packet.timestamp for packet in parsed} == {3500}
    assert {(packet.ssrc, packet.payload_type) for packet in parsed} == {(1234, 102)}
    assert parsed[0].extensions.mid == "vid"
    assert parsed[0].extensions.abs_send_time == NTP >> 14 & 0xFFFFFF
    profile = int.from_bytes(packets[0][12:14], "big")
    size = int.from_bytes(packets[0][14:16], "big") * 4
    assert (5, b"\x00\x00\x00") in unpack_header_extensions(profile, packets[0][16 : 16 + size])


def test_no_extension_where_none_was_negotiated() -> None:
    bare = replace(FORM, mid_id=None, send_time_id=None, playout_delay_id=None)
    packet = next(RtpStream(bare, sequence=1, origin=0).packetise([b"x"], 0, 0.0, lambda: NTP))
    assert packet[0] == 0x80 and packet[12:] == b"x"


def test_lost_packet_is_repeated_as_rtx_once() -> None:
    stream = RtpStream(FORM, sequence=10, origin=0)
    list(stream.packetise([b"one", b"two"], 90, 0.0, lambda: NTP))
    repeated = stream.retransmit(11, 0.01, NTP)
    assert repeated is not None
    packet = RtpPacket.parse(repeated, _map())
    assert (packet.ssrc, packet.payload_type, packet.timestamp, packet.marker) == (5678, 103, 90, 1)
    assert packet.payload == (11).to_bytes(2, "big") + b"two"
    assert stream.retransmit(11, 0.05, NTP) is None
    assert stream.retransmit(11, 0.2, NTP) is not None
    assert stream.retransmit(99, 0.2, NTP) is None
    assert stream.retransmitted == 2


def test_history_is_bounded_and_rtx_optional() -> None:
    stream = RtpStream(FORM, sequence=0, origin=0)
    for index in range(400):
        list(stream.packetise([b"x"], index, 0.0, lambda: NTP))
    assert stream.retransmit(10, 1.0, NTP) is None
    assert stream.retransmit(399, 1.0, NTP) is not None
    without = RtpStream(replace(FORM, rtx_payload_type=None, rtx_ssrc=None), sequence=0, origin=0)
    list(without.packetise([b"x"], 0, 0.0, lambda: NTP))
    assert without.retransmit(0, 1.0, NTP) is None


def test_repeats_stay_within_a_fifth() -> None:
    budget = RetransmitBudget()
    repeated_bytes = sum(1000 for sequence in range(1000) if budget.allows(sequence, 1000, 0.0))
    assert repeated_bytes == 30_000
    sent_bytes = 0
    for step in range(2000):
        budget.sent(1000, step * 0.01)
        sent_bytes += 1000
        for sequence in range(3):
            repeated_bytes += 1000 if budget.allows(step * 10 + sequence, 1000, step * 0.01) else 0
    assert repeated_bytes <= 30_000 + 0.2 * sent_bytes


def test_sender_report_maps_media_time_now() -> None:
    stream = RtpStream(FORM, sequence=0, origin=1000)
    list(stream.packetise([b"abc"], 0, 0.0, lambda: NTP))
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


def test_path_is_strained_by_loss_or_a_grown_round_trip() -> None:
    path = PathView()
    seen = [path.strained]
    for fraction_lost, round_trip_s in ((0.0, 0.020), (0.05, None), (0.0, 0.055), (0.0, 0.065)):
        path.reported(fraction_lost, round_trip_s)
        seen.append(path.strained)
    assert seen == [True, False, True, False, True]
