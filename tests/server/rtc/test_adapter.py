"""What we rely on inside aiortc is still there, and malformed packets end nothing."""

import inspect

import aiortc
import pytest
from aiortc import rtcpeerconnection
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.rtcrtptransceiver import RTCRtpTransceiver
from aiortc.rtcsctptransport import RTCSctpTransport

from client.viewer import HeadlessViewer
from server.rtc.adapter import RELIED_ON
from server.rtc.sender import EgressSender
from server.rtc.transport import GuardedDtlsTransport
from tests.server.rtc.rig import Rig, session, until


def test_version() -> None:
    assert aiortc.__version__.startswith("1.16."), "server.rtc.adapter was written against aiortc 1.16: read its pins"


@pytest.mark.parametrize(("owner", "names"), RELIED_ON, ids=lambda value: getattr(value, "__name__", ""))
def test_members_relied_on_exist(owner: type, names: tuple[str, ...]) -> None:
    source = inspect.getsource(owner)
    for name in names:
        plain = name.removeprefix(f"_{owner.__name__}")
        assert plain in source, f"aiortc's {owner.__name__} has no {plain} any more"


def test_overridden_signatures() -> None:
    def names(method: object) -> list[str]:
        assert callable(method)
        return list(inspect.signature(method).parameters)

    create = getattr(aiortc.RTCPeerConnection, "_RTCPeerConnection__createTransceiver", None)
    assert names(create) == ["self", "direction", "kind", "sender_track"]
    assert names(RTCRtpSender.send) == ["self", "parameters"]
    assert names(RTCRtpSender.stop) == ["self"]
    assert names(RTCRtpSender._handle_rtcp_packet) == ["self", "packet"]
    assert names(RTCDtlsTransport._handle_rtp_data) == ["self", "data", "arrival_time_ms"]
    assert names(RTCDtlsTransport._handle_rtcp_data) == ["self", "data"]
    assert names(RTCSctpTransport.__init__)[:3] == ["self", "transport", "port"]
    assert names(RTCSctpTransport._update_rto) == ["self", "R"]
    assert names(RTCSctpTransport._send_chunk) == ["self", "chunk"]
    make_sctp = getattr(aiortc.RTCPeerConnection, "_RTCPeerConnection__createSctpTransport", None)
    assert names(make_sctp) == ["self"]
    assert names(RTCRtpTransceiver.__init__)[:4] == ["self", "kind", "receiver", "sender"]


def test_transceivers_and_transports_are_made_in_one_place_each() -> None:
    source = inspect.getsource(rtcpeerconnection.RTCPeerConnection)
    assert source.count("RTCRtpSender(") == 1
    assert source.count("RTCDtlsTransport(iceTransport") == 1
    assert source.count("RTCSctpTransport(dtlsTransport)") == 1
    assert "await transceiver.sender.send(" in source


def _sides(rig: Rig, viewer: HeadlessViewer) -> tuple[GuardedDtlsTransport, RTCDtlsTransport]:
    server = rig.peers[0]._connection.getSenders()[0]
    assert isinstance(server, EgressSender)
    assert isinstance(server.transport, GuardedDtlsTransport)
    return server.transport, viewer._connection.getReceivers()[0].transport


async def test_malformed_packets_are_dropped() -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        guarded, client = _sides(rig, viewer)
        frames = viewer.frames()
        await anext(frames)
        # The audio level extension (id 2 in aiortc's offer) must have one byte; here it has four.
        header = bytes([0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]) + b"\xbe\xde\x00\x02" + b"\x23abcd\x00\x00\x00"
        await client._send_rtp(header + b"payload")
        # A REMB that claims more SSRCs than it carries.
        await client._send_rtp(b"\x8f\xce\x00\x04" + bytes(8) + b"REMB\xff\x00\x00\x00")
        await client._send_rtp(b"\x81\xca\x00\x01\x00\x00\x00\x01")  # SDES without an end
        await client._send_rtp(b"\x80\xc8\x00\x01\x00\x00\x00\x01")  # sender report without a body
        await until(lambda: guarded.malformed_packets >= 2)
        await anext(frames)
        assert viewer.state == "connected" and rig.closed == []


async def test_lost_packets_are_sent_again() -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        await anext(viewer.frames())
        sender = next(sender for sender in rig.peers[0]._connection.getSenders() if sender.kind == "video")
        assert isinstance(sender, EgressSender) and sender._stream is not None
        receiver = next(r for r in viewer._connection.getReceivers() if r.track is not None and r.track.kind == "video")
        stream = sender._stream
        await receiver._send_rtcp_nack(sender._ssrc, [stream._sequence - 1 & 0xFFFF])
        await receiver._send_rtcp_nack(sender._ssrc, [stream._sequence - 3000 & 0xFFFF])
        await until(lambda: stream.retransmitted == 1)
        await anext(viewer.frames())
