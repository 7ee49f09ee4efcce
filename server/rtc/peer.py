"""One viewer: its connection, its data channel and every way it can leave."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiortc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCSessionDescription

from realtime.core import wire
from realtime.core.errors import InvalidField, Malformed, RequestError, TooLarge
from server.media.codecs import VideoCodec
from server.media.egress import MediaEgress
from server.rtc.adapter import ViewerConnection
from server.rtc.ice import IceOptions
from server.rtc.link import Link
from server.rtc.microphone import SoundTaker
from server.rtc.sdp_guard import Offer, Section, read_offer
from server.rtc.sender import EgressSender
from server.rtc.settling import settle

_log = logging.getLogger(__name__)

MESSAGE_MAX_BYTES: Final = 64 * 1024
_WAITING_MESSAGES: Final = 64
_CHANNEL_BACKLOG_BYTES: Final = 1024 * 1024
FEEDBACK_VIEWERS: Final = 32
"""Transport-wide feedback comes up to 20 times a second and costs more than sending does; REMB comes once."""
JOIN_TIMEOUT_S: Final = 15.0
SILENCE_TIMEOUT_S: Final = 12.0
"""A silent viewer's path is given up, not its session: that waits for `rejoin_timeout_s`. Peers that do not connect
anew by themselves live through an outage of ten seconds."""
SERVER_STOPS: Final = "the server stops"
"""The reason to close with when whoever comes back will find a server again."""
FAREWELL_TIMEOUT_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """How viewers are connected. `ice_servers` is empty unless configured: no public server is asked by default."""

    ice_servers: tuple[RTCIceServer, ...] = ()
    video_codecs: tuple[VideoCodec, ...] = ("H264", "VP8", "VP9", "AV1")
    """In order of preference: the cheapest to encode first (docs/transport.md)."""
    relays: Callable[[], tuple[RTCIceServer, ...]] = tuple
    """TURN servers for our own side, with credentials made for each connection."""
    ice: IceOptions = IceOptions()
    feedback_viewers: int = FEEDBACK_VIEWERS
    """Viewers of one stream whose paths are watched packet by packet; later ones estimate for themselves (REMB)."""
    join_timeout_s: float = JOIN_TIMEOUT_S
    silence_timeout_s: float = SILENCE_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class PeerStats:
    """How one viewer is doing."""

    state: str
    video_codec: VideoCodec | None
    round_trip_s: float | None
    fraction_lost: float
    estimate_bps: int | None


class Peer(Link):
    """One viewer on one egress.

    `send` at any time. `on_message` gets every text the viewer sends, `on_refused` what was wrong with one that is not
    passed on, `on_open` tells that messages can be sent, `on_connected` that media can, `on_closed` the reason, once,
    however the viewer left: it closed, vanished, never connected, or `close` was called. With `open_microphone` the
    viewer may speak: it is asked, when the first packet comes, who takes them."""

    left_reason = "the viewer left"

    def __init__(
        self,
        egress: MediaEgress,
        on_message: Callable[[str], None],
        on_closed: Callable[[str], None],
        *,
        on_refused: Callable[[RequestError], None] | None = None,
        on_open: Callable[[], None] | None = None,
        on_connected: Callable[[], None] | None = None,
        open_microphone: Callable[[], SoundTaker | None] | None = None,
        options: PeerOptions | None = None,
    ) -> None:
        self.video_codec: VideoCodec | None = None
        self._options = options = options or PeerOptions()
        configuration = RTCConfiguration(iceServers=[*options.ice_servers, *options.relays()])
        self._may_speak = open_microphone is not None
        connection = ViewerConnection(configuration, egress, self, options.ice, open_microphone)
        super().__init__(
            connection,
            on_closed,
            join_timeout_s=options.join_timeout_s,
            silence_timeout_s=options.silence_timeout_s,
            on_connected=on_connected,
        )
        connection.on("datachannel", self._channel_offered)
        self._on_message = on_message
        self._on_refused = on_refused
        self._on_open = on_open
        self._channel: RTCDataChannel | None = None
        self._waiting: deque[str] = deque()
        self._egress = egress

    # --- data channel -------------------------------------------------------------------------------------------

    def send(self, text: str) -> bool:
        """Send a message; it waits for the channel to open. False if it was dropped because the viewer is gone or too
        far behind."""
        if self._closing is not None:
            return False
        if self._channel is None or self._channel.readyState == "connecting":
            if len(self._waiting) >= _WAITING_MESSAGES:
                return False
            self._waiting.append(text)
            return True
        if self._channel.readyState != "open" or self._channel.bufferedAmount > _CHANNEL_BACKLOG_BYTES:
            return False
        self._channel.send(text)
        return True

    # --- how it is doing ----------------------------------------------------------------------------------------------

    @property
    def video_rtp_origin(self) -> int | None:
        """RTP time of media time zero in this viewer's picture: its frames' media time is (RTP time − origin) / 90000.
        None before the connection stands."""
        senders = (s for s in self._connection.getSenders() if isinstance(s, EgressSender) and s.kind == "video")
        return next((sender.rtp_origin for sender in senders if sender.rtp_origin is not None), None)

    def stats(self) -> PeerStats:
        """How this viewer is doing now."""
        senders = [sender for sender in self._connection.getSenders() if isinstance(sender, EgressSender)]
        trips = [sender.path.round_trip_s for sender in senders if sender.path.round_trip_s is not None]
        estimates = [sender.estimate_bps for sender in senders if sender.estimate_bps is not None]
        return PeerStats(
            state=self.state,
            video_codec=self.video_codec,
            round_trip_s=min(trips, default=None),
            fraction_lost=max((sender.path.fraction_lost for sender in senders), default=0.0),
            estimate_bps=min(estimates, default=None),
        )

    # --- negotiation, inside ------------------------------------------------------------------------------------

    def _read(self, sdp: str, kind: str) -> Offer:
        return read_offer(sdp, kind)

    async def _negotiate(self, offer: Offer) -> str:
        connection = self._connection
        watched = self._egress.stats.video_viewers < self._options.feedback_viewers
        for section in offer.sections:
            if section.kind != "application":
                connection.addTransceiver(section.kind, self._direction(section))
        try:
            await connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
            transceivers = {transceiver.mid: transceiver for transceiver in connection.getTransceivers()}
            for section in offer.sections:
                if section.kind != "application":
                    codec = settle(transceivers[section.mid], section, self._options.video_codecs, watched=watched)
                    self.video_codec = codec or self.video_codec
            await connection.setLocalDescription()
        except Exception as error:  # aiortc raises whatever its parser and state meet; none of it is our failure
            _log.info("an offer was refused: %r", error)
            raise Malformed(f"the offer cannot be applied: {type(error).__name__}", field="sdp") from error
        return str(connection.localDescription.sdp)

    def _direction(self, section: Section) -> str:
        if section.role == "audio" and section.sends and self._may_speak:
            return "sendrecv"
        return "inactive" if section.role == "idle" else "sendonly"

    # --- events -------------------------------------------------------------------------------------------------

    async def _release(self, told: str) -> None:
        self._waiting.clear()
        channel = self._channel
        if not told or channel is None or channel.readyState != "open":
            return
        gone = asyncio.Event()
        channel.on("bufferedamountlow", gone.set)
        channel.send(wire.farewell(told, returns=told == SERVER_STOPS))
        # closing at once would leave the last words unsent; a viewer that does not take them is not waited for
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                await gone.wait()

    def _channel_offered(self, channel: RTCDataChannel) -> None:
        if self._channel is not None:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._message_arrived)
        while self._waiting and channel.readyState == "open":
            channel.send(self._waiting.popleft())
        self._guarded(self._on_open)

    def _message_arrived(self, message: str | bytes) -> None:
        self.heard()
        if not isinstance(message, str):
            self._guarded(self._on_refused, InvalidField("messages are text", field="message"))
        elif len(message.encode()) > MESSAGE_MAX_BYTES:
            limit = f"{MESSAGE_MAX_BYTES} bytes"
            self._guarded(self._on_refused, TooLarge("the message is too long", field="message", limit=limit))
        else:
            self._guarded(self._on_message, message)


def close_all(peers: Sequence[Peer], reason: str) -> asyncio.Future[list[Any]]:
    """Close several peers at once."""
    return asyncio.gather(*(peer.close(reason) for peer in peers), return_exceptions=True)
