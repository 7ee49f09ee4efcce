"""One stream to one viewer: an egress's units out, the viewer's feedback in, on top of aiortc's sender."""

import logging
import random
from typing import Final, Protocol

from aiortc.codecs import is_rtx
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtcrtpsender import RTCRtpSender
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

from server.media.codecs import video_codec
from server.media.egress import MediaEgress
from server.media.feedback import PICTURE_SHARE, SOUND_ON_WIRE_BPS
from server.media.packets import EncodedSound, EncodedVideo
from server.media.subscription import SoundSubscription, VideoSubscription
from server.media.twcc import Feedback
from server.rtc.outlet import BACKLOG_MAX_S, Outlet, ntp_now
from server.rtc.repeats import PathView, RetransmitBudget
from server.rtc.rtp_header import (
    CAPTURE_TIME_URI,
    MID_URI,
    PLAYOUT_DELAY_URI,
    PROMPT,
    SEND_TIME_URI,
    SMOOTH,
    TRANSPORT_SEQUENCE_URI,
    RtpFormat,
)
from server.rtc.rtp_stream import Placed, RtpStream
from server.rtc.transport import GuardedDtlsTransport

_log = logging.getLogger(__name__)

_ONE_BYTE_ID_MAX: Final = 14
_REPORT_INTERVAL_S: Final = 1.0
_SILENCE_S: Final = 0.8
"""Transport-wide feedback comes at least four times a second; so long without it is an outage."""

RELIED_ON: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (RTCRtpSender, ("_ssrc", "_rtx_ssrc", "_stream_id", "_track_id", "_handle_rtcp_packet", "send", "stop")),
    (RTCDtlsTransport, ("_send_rtp", "_register_rtp_sender", "_unregister_rtp_sender")),
)
"""Classes of aiortc and the members beyond its documentation that this module uses."""


class ViewerHooks(Protocol):
    """What a connection tells the peer that owns it."""

    def heard(self) -> None:
        """An authenticated sign of life arrived."""
        ...


class EgressSender(RTCRtpSender):
    """Sends the packets of a `MediaEgress` to one viewer and passes the viewer's feedback on to it."""

    def __init__(self, kind: str, transport: RTCDtlsTransport, egress: MediaEgress, hooks: ViewerHooks) -> None:
        super().__init__(kind, transport)
        self.path = PathView()
        self.estimate_bps: int | None = None
        self._egress = egress
        self._hooks = hooks
        self._stream: RtpStream | None = None
        self._outlet: Outlet | None = None
        self._budget = RetransmitBudget()
        self._video: VideoSubscription | None = None
        self._sound: SoundSubscription | None = None
        self._report_due_s = float("-inf")
        self._fed_back_s = float("inf")
        self._smooth = False
        self._doubled: Placed | None = None

    @property
    def rtp_origin(self) -> int | None:
        """RTP time of media time zero; None before the stream exists."""
        return self._stream.origin if self._stream is not None else None

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Begin; aiortc calls this once DTLS is connected (and again at later negotiations)."""
        if self._stream is not None:
            return
        transport = self.transport
        assert isinstance(transport, GuardedDtlsTransport)
        form = _form(self, parameters)
        self._stream = RtpStream(form, sequence=random.randrange(1 << 15), origin=random.randrange(1 << 32))
        self._outlet = transport.outlet(self._egress, feedback=form.transport_sequence_id is not None)
        transport._register_rtp_sender(self, parameters)
        if self.kind == "video":
            codec = video_codec(parameters.codecs[0].name)
            transport.on_feedback = self._fed_back
            self._video = self._egress.watch(codec, self._show)
        else:
            self._sound = self._egress.listen(self._sound_out)

    async def stop(self) -> None:
        """End for good."""
        self._unsubscribe()
        if self._stream is not None:
            self.transport._unregister_rtp_sender(self)
            try:
                await self.transport._send_rtp(self._stream.bye())
            except ConnectionError:
                _log.debug("the transport was gone before the goodbye")

    def _unsubscribe(self) -> None:
        for subscription in (self._video, self._sound):
            if subscription is not None:
                subscription.close()

    # --- out ----------------------------------------------------------------------------------------------------

    def _show(self, unit: EncodedVideo) -> bool:
        """Send a picture; False if the viewer is too far behind for it."""
        stream, outlet = self._stream, self._outlet
        assert stream is not None and outlet is not None
        try:
            if not self._ready(stream, outlet):
                return False
            if outlet.backlog_s > BACKLOG_MAX_S:
                outlet.drop(stream)
                if not unit.keyframe:
                    return False
            before, self._doubled = self._doubled, None
            placed = stream.place(unit)
            self._budget.sent(unit.size_bytes)
            outlet.post(stream, placed)
            if before is not None:
                # a picture's copy goes with the next picture, so that one burst of loss does not take both
                outlet.post_copy(stream, before)
            if stream.can_repeat and self.path.doubled:
                self._doubled = placed
            return True
        except Exception:
            # nobody else's picture may suffer from it
            _log.exception("a picture could not be sent to one viewer")
            self._unsubscribe()
            return False

    def _sound_out(self, unit: EncodedSound) -> bool:
        stream, outlet = self._stream, self._outlet
        assert stream is not None and outlet is not None
        try:
            if not self._ready(stream, outlet):
                return False
            outlet.post_now(stream, stream.place(unit))
            return True
        except Exception:
            _log.exception("sound could not be sent to one viewer")
            self._unsubscribe()
            return False

    def _ready(self, stream: RtpStream, outlet: Outlet) -> bool:
        """Whether the transport stands; sends a report when it is time for one."""
        if not outlet.open:
            # the peer learns of a lost transport from the connection's state
            self._unsubscribe()
            return False
        now_s = self._egress.clock()
        if now_s >= self._report_due_s:
            self._report_due_s = now_s + _REPORT_INTERVAL_S * random.uniform(0.8, 1.2)
            outlet.post_control(stream.sender_report(now_s, now_s, ntp_now()))
        return True

    # --- feedback -----------------------------------------------------------------------------------------------

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        self._hooks.heard()
        match packet:
            case RtcpRrPacket() | RtcpSrPacket():
                self._read_reports(packet)
            case RtcpRtpfbPacket(fmt=fmt) if fmt == RTCP_RTPFB_NACK:
                self._repeat(packet.lost)
            case RtcpPsfbPacket(fmt=fmt) if fmt in (RTCP_PSFB_FIR, RTCP_PSFB_PLI) and self._video is not None:
                self._video.request_keyframe()
            case RtcpPsfbPacket(fmt=fmt) if fmt == RTCP_PSFB_APP and self._video is not None:
                estimate_bps, ssrcs = unpack_remb_fci(packet.fci)
                # an SFU may send both kinds of estimate; two ways of measuring one path contradict each other
                if self._ssrc in ssrcs and (self._outlet is None or self._outlet.estimator is None):
                    self.estimate_bps = estimate_bps
                    self._video.estimated(estimate_bps, strained=self.path.strained)
                    self._pace(estimate_bps)

    def _fed_back(self, feedback: Feedback) -> None:
        """Transport-wide feedback: it speaks for sound and picture."""
        self._hooks.heard()
        outlet, video = self._outlet, self._video
        if outlet is None or video is None or outlet.estimator is None:
            return
        now_s = self._egress.clock()
        if now_s - self._fed_back_s > _SILENCE_S:
            # a receiver waits seconds for what was lost meanwhile before it asks for a picture to begin anew with
            video.request_keyframe()
        self._fed_back_s = now_s
        estimate = outlet.estimator.feedback(feedback, now_s)
        self.estimate_bps = int(estimate.target_bps)
        video.budget.measured(estimate.target_bps, copies=2 if self.path.doubled else 1)
        outlet.path(estimate.target_bps)

    def _pace(self, estimate_bps: int) -> None:
        if self._outlet is not None and self._video is not None:
            self._outlet.path(max(estimate_bps, self._video.budget.bps / PICTURE_SHARE + SOUND_ON_WIRE_BPS))

    def _read_reports(self, packet: RtcpRrPacket | RtcpSrPacket) -> None:
        stream = self._stream
        for report in packet.reports:
            if report.ssrc == self._ssrc and stream is not None:
                round_trip_s = stream.round_trip_s(report.lsr, report.dlsr, self._egress.clock())
                jitter_s = report.jitter / stream.form.clock_rate_hz
                self.path.reported(report.fraction_lost / 256, round_trip_s, jitter_s)
                if self._sound is not None:
                    self._sound.reported(report.fraction_lost / 256)
                if self._video is not None:
                    self._video.reported(self.path.fraction_lost, queueing=self.path.queueing)
                    if self.path.smooth != self._smooth:
                        self._smooth = self.path.smooth
                        stream.playout(SMOOTH if self._smooth else PROMPT)

    def _repeat(self, lost: list[int]) -> None:
        stream, outlet = self._stream, self._outlet
        if stream is None or outlet is None:
            return
        now_s = self._egress.clock()
        for sequence in lost:
            found = stream.find(sequence)
            if found is not None:
                size = len(found[0].unit.payloads[found[1]])
                if self._budget.allows(sequence, size, now_s, self.path.round_trip_s):
                    outlet.post_repeat(stream, *found)


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
        mid_id=ids.get(MID_URI),
        send_time_id=ids.get(SEND_TIME_URI),
        playout_delay_id=ids.get(PLAYOUT_DELAY_URI) if is_video else None,
        transport_sequence_id=ids.get(TRANSPORT_SEQUENCE_URI),
        capture_time_id=ids.get(CAPTURE_TIME_URI),
    )
