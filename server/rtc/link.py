"""What every WebRTC connection of ours has, whichever way its media goes: answering, candidates, liveness, leaving."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from aiortc import RTCPeerConnection
from aiortc.rtcicetransport import RTCIceTransport

from realtime.core.errors import Conflict, InvalidField, Malformed, TooLarge
from server.auth import ALL_SCOPES, Scope
from server.rtc.ice import IceConnection, RestartableTransport, local_candidates
from server.rtc.renegotiation import restart_of, restarted_answer
from server.rtc.sdp_guard import CANDIDATES_MAX, Offer, read_candidate
from server.rtc.sdpfrag import Credentials

_log = logging.getLogger(__name__)


class Link(ABC):
    """One connection. `answer` once, `add_candidate` as they come, `close` whenever; a subclass reads the offer and
    negotiates. `on_closed` gets the reason, once, however the connection ended."""

    left_reason = "the other side left"

    def __init__(
        self,
        connection: RTCPeerConnection,
        on_closed: Callable[[str], None],
        *,
        join_timeout_s: float,
        silence_timeout_s: float,
        on_connected: Callable[[], None] | None = None,
    ) -> None:
        self.scopes: frozenset[Scope] = ALL_SCOPES
        self._connection = connection
        self._on_closed = on_closed
        self._on_connected = on_connected
        self._join_timeout_s = join_timeout_s
        self._silence_timeout_s = silence_timeout_s
        self._connection.on("connectionstatechange", self._state_changed)
        self._candidates = 0
        self._answered = False
        self._descriptions = ("", "")
        self._closing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard_s = 0.0

    # --- for a subclass

    @abstractmethod
    def _read(self, sdp: str, kind: str) -> Offer:
        """Check an offer. Raises `RequestError`."""

    @abstractmethod
    async def _negotiate(self, offer: Offer) -> str:
        """The answer. Raises `RequestError`."""

    @abstractmethod
    async def _release(self, told: str) -> None:
        """Let go of what the connection used, before it is closed. `told` is why we end it; empty if we do not."""

    # --- joining

    async def answer(self, sdp: str, kind: str) -> str:
        """The answer to an offer, with all our candidates. Raises `RequestError`; the connection is then closed."""
        if self._answered:
            raise Conflict("this connection is negotiated already; renegotiation is not supported", field="pc_id")
        self._answered = True
        try:
            offer = self._read(sdp, kind)
            answer = await self._negotiate(offer)
            # only now: a server with much to do must not count its own time against the viewer
            self._arm(self._join_timeout_s, self._join_timed_out)
            self._descriptions = (sdp, answer)
            return answer
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

    async def restart_by_offer(self, sdp: str) -> str | None:
        """The answer to a second offer that restarts ICE and nothing else; None if it is another one.
        Raises `Conflict` before the connection is made."""
        before, answer = self._descriptions
        wanted = restart_of(before, sdp)
        if wanted is None:
            return None
        ours = await self.restart_ice(wanted)
        credentials = Credentials(ours.local_username, ours.local_password)
        answer = restarted_answer(answer, credentials, local_candidates(ours))
        self._descriptions = (sdp, answer)
        return answer

    async def restart_ice(self, remote: Credentials) -> IceConnection:
        """Check new paths towards these credentials while media flows on; returns our side of the new ICE session.
        Raises `Conflict` before the connection is made."""
        transport = self._transport()
        if self.state != "connected" or not isinstance(transport, RestartableTransport):
            raise Conflict("a connection that is not made yet cannot restart ICE", field="If-Match")
        self._candidates = 0
        # whoever asks for another path is alive, though nothing may come through on the old one
        self.heard()
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

    @property
    def state(self) -> str:
        """`new`, `connecting`, `connected`, `failed` or `closed`."""
        return "closed" if self._closing is not None else self._connection.connectionState

    def heard(self) -> None:
        """An authenticated sign of life arrived."""
        self._heard_s = asyncio.get_running_loop().time()

    # --- leaving

    async def close(self, reason: str = "closed by the server") -> None:
        """Tear everything down; safe to call twice and from callbacks."""
        await asyncio.shield(self._begin_close(reason, told=reason))

    # --- inside

    def _transport(self) -> RTCIceTransport | None:
        receivers = self._connection.getReceivers()
        return receivers[0].transport.transport if receivers else None

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self.heard()
            self._arm(self._silence_timeout_s, self._check_silence)
            self._guarded(self._on_connected)
        elif state in ("failed", "closed"):
            self._begin_close("the connection failed" if state == "failed" else self.left_reason)

    def _join_timed_out(self) -> None:
        self._begin_close(f"not connected within {self._join_timeout_s:g} s")

    def _check_silence(self) -> None:
        left_s = self._heard_s + self._silence_timeout_s - asyncio.get_running_loop().time()
        if left_s > 0:
            self._arm(left_s, self._check_silence)
        else:
            self._begin_close(f"nothing heard for {self._silence_timeout_s:g} s")

    def _guarded(self, callback: Callable[..., None] | None, *arguments: object) -> None:
        """An exception that reached aiortc from here would end the connection with only a log line."""
        if callback is None:
            return
        try:
            callback(*arguments)
        except Exception:
            _log.exception("a connection's callback failed")

    def _arm(self, after_s: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._closing is None:
            self._timer = asyncio.get_running_loop().call_later(after_s, then)

    def _begin_close(self, reason: str, told: str = "") -> asyncio.Task[None]:
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(reason, told), name="link-close")
        return self._closing

    async def _close(self, reason: str, told: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            await self._release(told)
            await self._connection.close()
        finally:
            _log.info("connection over: %s", reason)
            self._guarded(self._on_closed, reason)
