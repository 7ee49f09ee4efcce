"""The one place that leans on aiortc's inside: subclasses that let our packets out and our hooks in.

aiortc keeps SDP, ICE, DTLS, SRTP and SCTP. Its sender encodes per viewer, ignores PLI for packets that were encoded
elsewhere, repeats lost packets without bound and stamps its reports at send time; `EgressSender` replaces all that.
What is relied on beyond the public API is listed in `RELIED_ON`, and a test holds it against the installed version."""

import asyncio
import logging
import random
import struct
from collections.abc import Callable
from typing import Any, Final, Protocol

from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.clock import current_ntp_time
from aiortc.codecs import is_rtx
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.rtcrtptransceiver import RTCRtpTransceiver
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from server.media.egress import MediaEgress
from server.media.packets import VideoCodec
from server.media.subscription import SoundSubscription, SubscriptionClosed, VideoSubscription
from server.rtc.ice import IceOptions, substitute
from server.rtc.rtp_stream import PathView, RtpFormat, RtpStream

_log = logging.getLogger(__name__)

PLAYOUT_DELAY_URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
_MID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
_SEND_TIME_URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
_ONE_BYTE_ID_MAX: Final = 14
_REPORT_INTERVAL_S: Final = 1.0

_CREATE_TRANSCEIVER: Final = "_RTCPeerConnection__createTransceiver"
_CREATE_TRANSPORT: Final = "_RTCPeerConnection__createDtlsTransport"
_CERTIFICATES: Final = "_RTCPeerConnection__certificates"
_TRANSPORTS: Final = "_RTCPeerConnection__dtlsTransports"
_UPDATE_STATE: Final = "_RTCPeerConnection__updateConnectionState"
_SENDER: Final = "_RTCRtpTransceiver__sender"

RELIED_ON: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (RTCPeerConnection, (_CREATE_TRANSCEIVER, _CREATE_TRANSPORT, _CERTIFICATES, _TRANSPORTS, _UPDATE_STATE)),
    (RTCRtpTransceiver, (_SENDER, "_codecs", "_headerExtensions", "_offerDirection")),
    (RTCRtpSender, ("_ssrc", "_rtx_ssrc", "_stream_id", "_track_id", "_handle_rtcp_packet", "send", "stop")),
    (RTCDtlsTransport, ("_handle_rtcp_data", "_handle_rtp_data", "_send_rtp", "_register_rtp_sender")),
)
"""Classes of aiortc and the members beyond its documentation that this module uses."""


class ViewerHooks(Protocol):
    """What a connection tells the peer that owns it."""

    def heard(self) -> None:
        """An authenticated sign of life arrived."""
        ...


class GuardedDtlsTransport(RTCDtlsTransport):
    """Drops a packet that cannot be parsed instead of ending the connection.

    aiortc catches ValueError only; a header extension or report of a wrong length raises struct.error and others."""

    malformed_packets = 0

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            await super()._handle_rtcp_data(data)
        except (ValueError, IndexError, KeyError, AssertionError, struct.error) as error:
            self._dropped("RTCP", error)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        try:
            await super()._handle_rtp_data(data, arrival_time_ms)
        except (ValueError, IndexError, KeyError, AssertionError, struct.error) as error:
            self._dropped("RTP", error)

    def _dropped(self, kind: str, error: Exception) -> None:
        self.malformed_packets += 1
        _log.debug("dropped a malformed %s packet: %r", kind, error)


class EgressSender(RTCRtpSender):
    """Sends the packets of a `MediaEgress` to one viewer and passes the viewer's feedback on to it."""

    def __init__(self, kind: str, transport: RTCDtlsTransport, egress: MediaEgress, hooks: ViewerHooks) -> None:
        super().__init__(kind, transport)
        self.path = PathView()
        self.estimate_bps: int | None = None
        self._egress = egress
        self._hooks = hooks
        self._stream: RtpStream | None = None
        self._subscription: VideoSubscription | SoundSubscription | None = None
        self._pump_task: asyncio.Task[None] | None = None

    @property
    def rtp_origin(self) -> int | None:
        """RTP time of media time zero; None before the first packet can leave."""
        return self._stream.origin if self._stream is not None else None

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Begin; aiortc calls this once DTLS is connected (and again at later negotiations)."""
        if self._pump_task is not None:
            return
        self._stream = RtpStream(
            _form(self, parameters), sequence=random.randrange(1 << 15), origin=random.randrange(1 << 32)
        )
        self.transport._register_rtp_sender(self, parameters)
        if self.kind == "video":
            codec: VideoCodec = "H264" if parameters.codecs[0].name.upper() == "H264" else "VP8"
            self._subscription = self._egress.watch(codec)
        else:
            self._subscription = self._egress.listen()
        self._pump_task = asyncio.create_task(self._pump(self._stream, self._subscription), name=f"send-{self.kind}")

    async def stop(self) -> None:
        """End for good."""
        if self._subscription is not None:
            self._subscription.close()
        if self._pump_task is not None and self._stream is not None:
            self._pump_task.cancel()
            await asyncio.gather(self._pump_task, return_exceptions=True)
            self.transport._unregister_rtp_sender(self)
            try:
                await self.transport._send_rtp(self._stream.bye())
            except ConnectionError:
                _log.debug("the transport was gone before the goodbye")

    async def _pump(self, stream: RtpStream, subscription: VideoSubscription | SoundSubscription) -> None:
        transport, clock = self.transport, self._egress.clock
        report_due_s = float("-inf")
        try:
            while True:
                unit = await subscription.next()
                now_s = clock()
                if now_s >= report_due_s:
                    report_due_s = now_s + _REPORT_INTERVAL_S * random.uniform(0.8, 1.2)
                    await transport._send_rtp(stream.sender_report(now_s, now_s, current_ntp_time()))
                for packet in stream.packetise(unit.payloads, unit.pts, now_s, current_ntp_time):
                    await transport._send_rtp(packet)
                subscription.sent(unit)  # type: ignore[arg-type]  # a subscription yields its own kind of unit
        except (ConnectionError, SubscriptionClosed):
            # The peer learns of a lost transport from the connection's state.
            subscription.close()

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        self._hooks.heard()
        video = self._subscription if isinstance(self._subscription, VideoSubscription) else None
        match packet:
            case RtcpRrPacket() | RtcpSrPacket():
                self._read_reports(packet)
            case RtcpRtpfbPacket(fmt=fmt) if fmt == RTCP_RTPFB_NACK:
                await self._repeat(packet.lost)
            case RtcpPsfbPacket(fmt=fmt) if fmt in (RTCP_PSFB_FIR, RTCP_PSFB_PLI) and video is not None:
                video.request_keyframe()
            case RtcpPsfbPacket(fmt=fmt) if fmt == RTCP_PSFB_APP and video is not None:
                estimate_bps, ssrcs = unpack_remb_fci(packet.fci)
                if self._ssrc in ssrcs:
                    self.estimate_bps = estimate_bps
                    video.estimated(estimate_bps, strained=self.path.strained)

    def _read_reports(self, packet: RtcpRrPacket | RtcpSrPacket) -> None:
        for report in packet.reports:
            if report.ssrc == self._ssrc and self._stream is not None:
                round_trip_s = self._stream.round_trip_s(report.lsr, report.dlsr, self._egress.clock())
                self.path.reported(report.fraction_lost / 256, round_trip_s)
                if isinstance(self._subscription, VideoSubscription):
                    self._subscription.reported(self.path.fraction_lost, queueing=self.path.queueing)

    async def _repeat(self, lost: list[int]) -> None:
        assert self._stream is not None
        now_s, ntp = self._egress.clock(), current_ntp_time()
        for sequence in lost:
            packet = self._stream.retransmit(sequence, now_s, ntp)
            if packet is not None:
                await self.transport._send_rtp(packet)


class ViewerConnection(RTCPeerConnection):
    """A connection whose senders are `EgressSender`s and whose transports shrug off malformed packets."""

    def __init__(
        self,
        configuration: RTCConfiguration,
        egress: MediaEgress,
        hooks: ViewerHooks,
        ice: IceOptions | None = None,
    ) -> None:
        super().__init__(configuration)
        self._egress = egress
        self._hooks = hooks
        self._ice_servers = configuration.iceServers or []
        self._ice_options = ice or IceOptions()

    def _RTCPeerConnection__createTransceiver(
        self, direction: str, kind: str, sender_track: MediaStreamTrack | None = None
    ) -> RTCRtpTransceiver:
        transceiver: RTCRtpTransceiver = _inherited(self, _CREATE_TRANSCEIVER)(direction, kind, sender_track)
        replaced = transceiver.sender
        sender = EgressSender(kind, replaced.transport, self._egress, self._hooks)
        sender._stream_id = replaced._stream_id
        transceiver.receiver._set_rtcp_ssrc(sender._ssrc)
        setattr(transceiver, _SENDER, sender)
        return transceiver

    def _RTCPeerConnection__createDtlsTransport(self) -> RTCDtlsTransport:
        replaced: RTCDtlsTransport = _inherited(self, _CREATE_TRANSPORT)()
        ice = substitute(self, replaced.transport, self._ice_servers, self._ice_options)
        guarded = GuardedDtlsTransport(ice, getattr(self, _CERTIFICATES))
        guarded.on("statechange", getattr(self, _UPDATE_STATE))
        replaced.remove_all_listeners()
        transports: set[RTCDtlsTransport] = getattr(self, _TRANSPORTS)
        transports.discard(replaced)
        transports.add(guarded)
        return guarded


def _inherited(connection: ViewerConnection, name: str) -> Callable[..., Any]:
    """The base class's private method that a subclass's method of the same mangled name overrides."""
    method: Callable[..., Any] = getattr(super(ViewerConnection, connection), name)
    return method


def _form(sender: RTCRtpSender, parameters: RTCRtpSendParameters) -> RtpFormat:
    codec = parameters.codecs[0]
    repeats = (c for c in parameters.codecs if is_rtx(c) and c.parameters.get("apt") == codec.payloadType)
    rtx = next(repeats, None)
    ids = {ext.uri: ext.id for ext in parameters.headerExtensions if 0 < ext.id <= _ONE_BYTE_ID_MAX}
    is_video = sender.kind == "video"
    assert codec.payloadType is not None
    return RtpFormat(
        payload_type=codec.payloadType,
        clock_rate_hz=codec.clockRate,
        ssrc=sender._ssrc,
        mid=parameters.muxId,
        cname=parameters.rtcp.cname or "",
        rtx_payload_type=rtx.payloadType if rtx is not None else None,
        rtx_ssrc=sender._rtx_ssrc if rtx is not None else None,
        mid_id=ids.get(_MID_URI),
        send_time_id=ids.get(_SEND_TIME_URI),
        playout_delay_id=ids.get(PLAYOUT_DELAY_URI) if is_video else None,
    )
