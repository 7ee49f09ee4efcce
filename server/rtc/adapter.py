"""Where our parts take the place of aiortc's: a connection whose senders and transports are ours, by subclassing.

aiortc keeps SDP, ICE, DTLS, SRTP and SCTP. Its sender encodes per viewer, ignores PLI for packets that were encoded
elsewhere, repeats lost packets without bound and stamps its reports at send time; `sender.EgressSender` replaces all
that. What is relied on beyond the public API is listed in `RELIED_ON`, here and in the modules of the parts, and a test
holds it against the installed version."""

from collections.abc import Callable
from typing import Any, Final

from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtcrtptransceiver import RTCRtpTransceiver

from server.media.egress import MediaEgress
from server.rtc import microphone, sender, srtp, transport
from server.rtc.ice import IceOptions, substitute
from server.rtc.microphone import MicrophoneReceiver, SoundTaker
from server.rtc.sender import EgressSender, ViewerHooks
from server.rtc.transport import GuardedDtlsTransport as GuardedDtlsTransport
from server.rtc.transport import PromptSctpTransport

_CREATE_TRANSCEIVER: Final = "_RTCPeerConnection__createTransceiver"
_CREATE_TRANSPORT: Final = "_RTCPeerConnection__createDtlsTransport"
_CREATE_SCTP: Final = "_RTCPeerConnection__createSctpTransport"
_SCTP: Final = "_RTCPeerConnection__sctp"
_CERTIFICATES: Final = "_RTCPeerConnection__certificates"
_TRANSPORTS: Final = "_RTCPeerConnection__dtlsTransports"
_UPDATE_STATE: Final = "_RTCPeerConnection__updateConnectionState"
_BITRATE_ESTIMATOR: Final = "_RTCRtpReceiver__remote_bitrate_estimator"
_SENDER: Final = "_RTCRtpTransceiver__sender"
_RECEIVER: Final = "_RTCRtpTransceiver__receiver"

RELIED_ON: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (
        RTCPeerConnection,
        (_CREATE_TRANSCEIVER, _CREATE_TRANSPORT, _CREATE_SCTP, _SCTP, _CERTIFICATES, _TRANSPORTS, _UPDATE_STATE),
    ),
    (RTCRtpReceiver, (_BITRATE_ESTIMATOR,)),
    (RTCRtpTransceiver, (_SENDER, _RECEIVER, "_codecs", "_headerExtensions", "_offerDirection")),
    *microphone.RELIED_ON,
    *sender.RELIED_ON,
    *transport.RELIED_ON,
    *srtp.RELIED_ON,
)
"""Classes of aiortc and the members beyond its documentation that the viewer's connection uses."""


class ViewerConnection(RTCPeerConnection):
    """A connection whose senders are `EgressSender`s and whose transports shrug off malformed packets.

    With `open_microphone`, what the viewer sends on the audio m-line goes to whatever that returns at the first
    packet."""

    def __init__(
        self,
        configuration: RTCConfiguration,
        egress: MediaEgress,
        hooks: ViewerHooks,
        ice: IceOptions | None = None,
        open_microphone: Callable[[], SoundTaker | None] | None = None,
    ) -> None:
        super().__init__(configuration)
        self._egress = egress
        self._hooks = hooks
        self._ice_servers = configuration.iceServers or []
        self._ice_options = ice or IceOptions()
        self._open_microphone = open_microphone

    def _RTCPeerConnection__createTransceiver(
        self, direction: str, kind: str, sender_track: MediaStreamTrack | None = None
    ) -> RTCRtpTransceiver:
        transceiver: RTCRtpTransceiver = _inherited(self, _CREATE_TRANSCEIVER)(direction, kind, sender_track)
        replaced = transceiver.sender
        sender = EgressSender(kind, replaced.transport, self._egress, self._hooks)
        sender._stream_id = replaced._stream_id
        setattr(transceiver, _SENDER, sender)
        if kind == "audio" and self._open_microphone is not None:
            receiver = MicrophoneReceiver(
                replaced.transport, self._open_microphone, self._hooks.heard, self._egress.clock
            )
            setattr(transceiver, _RECEIVER, receiver)
        transceiver.receiver._set_rtcp_ssrc(sender._ssrc)
        # a thousand objects that would watch incoming pictures, of which there are none; with hundreds of viewers
        # they are most of what the garbage collector has to look at
        setattr(transceiver.receiver, _BITRATE_ESTIMATOR, None)
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

    def _RTCPeerConnection__createSctpTransport(self) -> None:
        _inherited(self, _CREATE_SCTP)()
        replaced = getattr(self, _SCTP)
        prompt = PromptSctpTransport(replaced.transport)
        prompt._bundled, prompt.mid = replaced._bundled, replaced.mid
        prompt.on("datachannel", lambda channel: self.emit("datachannel", channel))
        replaced.remove_all_listeners()
        setattr(self, _SCTP, prompt)


def _inherited(connection: ViewerConnection, name: str) -> Callable[..., Any]:
    """The base class's private method that a subclass's method of the same mangled name overrides."""
    method: Callable[..., Any] = getattr(super(ViewerConnection, connection), name)
    return method
