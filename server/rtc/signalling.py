"""SmallWebRTC signalling without HTTP: offers and trickled candidates of one session, by connection id."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from realtime.core.errors import CapacityError, Conflict, InvalidField, Malformed, NotFound, TooLarge
from server.auth import ALL_SCOPES, Scope
from server.rtc.ice import IceConnection
from server.rtc.sdp_guard import CANDIDATES_MAX
from server.rtc.sdpfrag import Credentials

VIEWERS_MAX: Final = 64
_RETRY_AFTER_S: Final = 5.0
_OFFER_FIELDS: Final = frozenset({"sdp", "type", "pc_id", "restart_pc", "requestData", "request_data"})
_TRICKLE_FIELDS: Final = frozenset({"pc_id", "candidates"})
_CANDIDATE_FIELDS: Final = frozenset({"candidate", "sdp_mid", "sdp_mline_index"})


class Answering(Protocol):
    """A connection that can be negotiated: a `Peer` or a `Publisher`."""

    scopes: frozenset[Scope]
    """What its client may do; set before any of its messages can come."""

    @property
    def state(self) -> str: ...

    @property
    def remote_ufrag(self) -> str | None: ...

    @property
    def first_section(self) -> tuple[str, str]: ...

    async def answer(self, sdp: str, kind: str) -> str: ...

    async def add_candidate(self, candidate: dict[str, Any], field: str = ...) -> None: ...

    async def restart_ice(self, remote: Credentials) -> IceConnection: ...

    async def restart_by_offer(self, sdp: str) -> str | None: ...

    async def close(self, reason: str = ...) -> None: ...


class OfferBook:
    """The connections of one session. Offers are answered one after the other; a connection that has closed is
    forgotten, so its id is unknown from then on.

    `make_peer` is called once per accepted offer and must not block."""

    def __init__(self, make_peer: Callable[[], Answering], *, max_viewers: int = VIEWERS_MAX) -> None:
        self._make_peer = make_peer
        self._max_viewers = max_viewers
        self._peers: dict[str, Answering] = {}
        self._turn = asyncio.Lock()

    def has(self, pc_id: str) -> bool:
        """Whether this connection is open here."""
        peer = self._peers.get(pc_id)
        return peer is not None and peer.state != "closed"

    def peer(self, pc_id: str) -> Answering:
        """An open connection. Raises `NotFound`."""
        if not self.has(pc_id):
            raise NotFound("there is no such connection, or no longer", field="pc_id")
        return self._peers[pc_id]

    async def offer(self, body: Mapping[str, Any], scopes: frozenset[Scope] = ALL_SCOPES) -> dict[str, Any]:
        """Answer `{sdp, type, pc_id?, restart_pc?}` with `{sdp, type, pc_id}`.

        Without `pc_id` a new connection is made. With the id of an open one the offer restarts its ICE, if that is all
        it changes; else it is a `Conflict`, unless `restart_pc` replaces that connection under the same id. An unknown
        id is `NotFound`; with `restart_pc` it makes a new connection, for a client that comes back after its connection
        was given up here. Raises `RequestError`, or `CapacityError` when the session has as many viewers as it may."""
        sdp, kind, pc_id, restart = _read_offer(body)
        async with self._turn:
            self._forget_closed()
            known = self._peers.get(pc_id) if pc_id is not None else None
            if known is None and pc_id is not None and not restart:
                raise NotFound("there is no such connection, or no longer", field="pc_id")
            if known is not None and not restart:
                restarted = await known.restart_by_offer(sdp) if kind == "offer" else None
                if restarted is not None:
                    return {"sdp": restarted, "type": "answer", "pc_id": pc_id}
                raise Conflict(
                    "this connection is negotiated already; send restart_pc to replace it",
                    field="pc_id",
                    limit="one offer per connection, and ICE restarts",
                )
            if known is None and len(self._peers) >= self._max_viewers:
                raise CapacityError(f"the session has {self._max_viewers} viewers", retry_after_s=_RETRY_AFTER_S)
            new_id = pc_id if known is not None and pc_id is not None else secrets.token_urlsafe(16)
            peer = self._make_peer()
            peer.scopes = scopes
            answer = await peer.answer(sdp, kind)
            # Only now: a broken offer must not cost the viewer the connection it has.
            self._peers[new_id] = peer
            if known is not None:
                await known.close("replaced by its viewer")
            return {"sdp": answer, "type": "answer", "pc_id": new_id}

    async def trickle(self, body: Mapping[str, Any]) -> None:
        """Add `{pc_id, candidates: [{candidate, sdp_mid, sdp_mline_index}]}`. Raises `RequestError`."""
        _refuse_unknown(body, _TRICKLE_FIELDS, "")
        pc_id = body.get("pc_id")
        if not isinstance(pc_id, str):
            raise InvalidField("pc_id is a string", field="pc_id")
        candidates = body.get("candidates")
        if not isinstance(candidates, list):
            raise InvalidField("candidates is a list", field="candidates")
        if len(candidates) > CANDIDATES_MAX:
            raise TooLarge("too many candidates", field="candidates", limit=str(CANDIDATES_MAX))
        peer = self.peer(pc_id)
        for index, candidate in enumerate(candidates):
            field = f"candidates[{index}]"
            if not isinstance(candidate, Mapping):
                raise InvalidField("a candidate is an object", field=field)
            _refuse_unknown(candidate, _CANDIDATE_FIELDS, f"{field}.")
            await peer.add_candidate(dict(candidate), field)

    def _forget_closed(self) -> None:
        self._peers = {pc_id: peer for pc_id, peer in self._peers.items() if peer.state != "closed"}


def _read_offer(body: Mapping[str, Any]) -> tuple[str, str, str | None, bool]:
    _refuse_unknown(body, _OFFER_FIELDS, "")
    sdp, kind = body.get("sdp"), body.get("type")
    if not isinstance(sdp, str) or not sdp:
        raise Malformed("an offer has its SDP as a string", field="sdp")
    if not isinstance(kind, str):
        raise InvalidField("type is a string", field="type", limit="offer")
    pc_id, restart = body.get("pc_id"), body.get("restart_pc")
    if pc_id is not None and not isinstance(pc_id, str):
        raise InvalidField("pc_id is a string or null", field="pc_id")
    if restart is not None and not isinstance(restart, bool):
        raise InvalidField("restart_pc is true, false or null", field="restart_pc")
    return sdp, kind, pc_id or None, bool(restart)


def _refuse_unknown(body: Mapping[str, Any], known: frozenset[str], prefix: str) -> None:
    unknown = sorted(str(name) for name in body if name not in known)
    if unknown:
        raise InvalidField(
            f"unknown field {unknown[0][:60]}", field=f"{prefix}{unknown[0][:60]}", limit=", ".join(sorted(known))
        )
