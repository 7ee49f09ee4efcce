"""One viewer: its connection, its data channel and every way it can leave."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiortc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCSessionDescription

from realtime.core.errors import Conflict, InvalidField, Malformed, RequestError, TooLarge
from server.auth import ALL_SCOPES, Scope
from server.media.egress import MediaEgress
from server.media.packets import VideoCodec
from server.rtc.adapter import ViewerConnection
from server.rtc.ice import IceConnection, IceOptions, RestartableTransport
from server.rtc.microphone import SoundTaker
from server.rtc.sdp_guard import CANDIDATES_MAX, Offer, Section, read_candidate, read_offer
from server.rtc.sdpfrag import Credentials
from server.rtc.sender import EgressSender
from server.rtc.settling import settle

_log = logging.getLogger(__name__)

MESSAGE_MAX_BYTES: Final = 64 * 1024
_WAITING_MESSAGES: Final = 64
_CHANNEL_BACKLOG_BYTES: Final = 1024 * 1024
FEEDBACK_VIEWERS: Final = 32
"""Transport-wide feedback comes up to 20 times a second and costs more than sending does; REMB comes once."""
JOIN_TIMEOUT_S: Final = 15.0
SILENCE_TIMEOUT_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """How viewers are connected. `ice_servers` is empty unless configured: no public server is asked by default."""

    ice_servers: tuple[RTCIceServer, ...] = ()
    video_codecs: tuple[VideoCodec, ...] = ("H264", "VP8")
    """In order of preference."""
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


class Peer:
    """One viewer on one egress.

    `answer` once, `add_candidate` as they come, `send` at any time, `close` whenever. `on_message` gets every text the
    viewer sends, `on_refused` what was wrong with one that is not passed on, `on_open` tells that messages can be
    sent, `on_connected` that media can, `on_closed` the reason, once, however the viewer left: it closed, vanished,
    never connected, or `close` was called. With `open_microphone` the viewer may speak: it is asked, when the first
    packet comes, who takes them."""

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
        self.scopes: frozenset[Scope] = ALL_SCOPES
        self._on_message = on_message
        self._on_closed = on_closed
        self._on_refused = on_refused
        self._on_open = on_open
        self._on_connected = on_connected
        self._options = options or PeerOptions()
        configuration = RTCConfiguration(iceServers=[*self._options.ice_servers, *self._options.relays()])
        self._may_speak = open_microphone is not None
        self._connection = ViewerConnection(configuration, egress, self, self._options.ice, open_microphone)
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._channel_offered)
        self._channel: RTCDataChannel | None = None
        self._waiting: deque[str] = deque()
        self._egress = egress
        self._candidates = 0
        self._answered = False
        self._closing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard_s = 0.0

    # --- joining ------------------------------------------------------------------------------------------------

    async def answer(self, sdp: str, kind: str) -> str:
        """The answer to an offer, with all our candidates. Raises `RequestError`; the peer is then closed."""
        if self._answered:
            raise Conflict("this connection is negotiated already; renegotiation is not supported", field="pc_id")
        self._answered = True
        try:
            offer = read_offer(sdp, kind)
            self._arm(self._options.join_timeout_s, self._join_timed_out)
            return await self._negotiate(offer)
        except BaseException:
            await self.close("the offer was not answered")
            raise

    async def add_candidate(self, candidate: dict[str, Any], field: str = "candidates[0]") -> None:
        """Add a trickled candidate `{candidate, sdp_mid, sdp_mline_index}`; an empty one ends the list.
        Raises `Malformed`, `InvalidField` or `TooLarge`."""
        text = candidate.get("candidate", "")
        mid, line = candidate.get("sdp_mid"), candidate.get("sdp_mline_index")
        if not isinstance(text, str):
            raise InvalidField("a candidate is a string", field=f"{field}.candidate")
        if mid is not None and not isinstance(mid, str):
            raise InvalidField("sdp_mid is a string", field=f"{field}.sdp_mid")
        if line is not None and (not isinstance(line, int) or isinstance(line, bool)):
            raise InvalidField("sdp_mline_index is an integer", field=f"{field}.sdp_mline_index")
        self._candidates += 1
        if self._candidates > CANDIDATES_MAX:
            raise TooLarge("too many candidates", field=field, limit=f"{CANDIDATES_MAX} per connection")
        parsed = read_candidate(text, mid, line, f"{field}.candidate")
        if parsed is None or self._closing is not None:
            return
        if mid is None and line is None:
            raise InvalidField("a candidate names its m-line", field=f"{field}.sdp_mid")
        try:
            await self._connection.addIceCandidate(parsed)
        except ValueError as error:
            raise Malformed(f"the candidate cannot be used: {error}", field=f"{field}.candidate") from error

    async def restart_ice(self, remote: Credentials) -> IceConnection:
        """Check new paths towards these credentials while media flows on; returns our side of the new ICE session.
        Raises `Conflict` before the connection is made."""
        transport = self._transport()
        if self.state != "connected" or transport is None:
            raise Conflict("a connection that is not made yet cannot restart ICE", field="If-Match")
        return await transport.restart(remote)

    @property
    def remote_ufrag(self) -> str | None:
        """The user fragment of the ICE session that is running."""
        transport = self._transport()
        return transport._connection.remote_username if transport is not None else None

    @property
    def first_section(self) -> tuple[str, str]:
        """Mid and kind of the section whose transport all others share."""
        first = self._connection.getTransceivers()[0]
        return first.mid or "0", first.kind

    def _transport(self) -> RestartableTransport | None:
        senders = self._connection.getSenders()
        transport = senders[0].transport.transport if senders else None
        return transport if isinstance(transport, RestartableTransport) else None

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

    # --- leaving ------------------------------------------------------------------------------------------------

    async def close(self, reason: str = "closed by the server") -> None:
        """Tear everything down; safe to call twice and from callbacks."""
        await asyncio.shield(self._begin_close(reason))

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

    @property
    def state(self) -> str:
        """`new`, `connecting`, `connected`, `failed` or `closed`."""
        return "closed" if self._closing is not None else self._connection.connectionState

    def heard(self) -> None:
        """An authenticated sign of life arrived (a report, feedback or a message)."""
        self._heard_s = asyncio.get_running_loop().time()

    # --- negotiation, inside ------------------------------------------------------------------------------------

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

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self.heard()
            self._arm(self._options.silence_timeout_s, self._check_silence)
            self._guarded(self._on_connected)
        elif state in ("failed", "closed"):
            self._begin_close("the connection failed" if state == "failed" else "the viewer left")

    def _join_timed_out(self) -> None:
        self._begin_close(f"not connected within {self._options.join_timeout_s:g} s")

    def _check_silence(self) -> None:
        limit_s = self._options.silence_timeout_s
        left_s = self._heard_s + limit_s - asyncio.get_running_loop().time()
        if left_s > 0:
            self._arm(left_s, self._check_silence)
        else:
            self._begin_close(f"nothing heard for {limit_s:g} s")

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

    def _guarded(self, callback: Callable[..., None] | None, *arguments: object) -> None:
        """An exception that reached aiortc from here would end the viewer's connection with only a log line."""
        if callback is None:
            return
        try:
            callback(*arguments)
        except Exception:
            _log.exception("a peer's callback failed")

    def _arm(self, after_s: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._closing is None:
            self._timer = asyncio.get_running_loop().call_later(after_s, then)

    def _begin_close(self, reason: str) -> asyncio.Task[None]:
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(reason), name="peer-close")
        return self._closing

    async def _close(self, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()
        try:
            await self._connection.close()
        finally:
            _log.info("viewer gone: %s", reason)
            self._guarded(self._on_closed, reason)


def close_all(peers: Sequence[Peer], reason: str) -> asyncio.Future[list[Any]]:
    """Close several peers at once."""
    return asyncio.gather(*(peer.close(reason) for peer in peers), return_exceptions=True)
