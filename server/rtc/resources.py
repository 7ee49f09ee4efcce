"""WHIP and WHEP resources without HTTP: each is one connection of a session, its ICE session named by an entity tag."""

import secrets
from dataclasses import dataclass
from typing import Final

from realtime.core.errors import InvalidField, NotFound
from server.auth import ALL_SCOPES, Scope
from server.rtc.ice import local_candidates
from server.rtc.sdp_guard import PLAY, read_offer
from server.rtc.sdpfrag import Credentials, Fragment, write_fragment
from server.rtc.signalling import OfferBook

ANY_TAG: Final = "*"


@dataclass(frozen=True, slots=True)
class Opened:
    """A resource that was made."""

    id: str
    sdp: str
    etag: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """A new ICE session of a resource: our part of it as an SDP fragment, and its tag."""

    fragment: str
    etag: str


class Resources:
    """The resources of one direction of one session (RFC 9725 section 4, draft-ietf-wish-whep section 4)."""

    def __init__(self, book: OfferBook, directions: tuple[str, ...] = PLAY) -> None:
        self._book = book
        self._directions = directions
        self._tags: dict[str, str] = {}

    async def open(self, sdp: str, scopes: frozenset[Scope] = ALL_SCOPES) -> Opened:
        """Answer an offer. Raises `RequestError`: an offer is taken whole or not at all, never section by section."""
        for section in read_offer(sdp, "offer", self._directions).sections:
            if section.role == "idle":
                raise InvalidField(
                    f"the {section.kind} m-line with mid {section.mid} cannot be served", field="sdp",
                    limit="one audio and one video m-line in the right direction, one data m-line",
                )  # fmt: skip
        answer = await self._book.offer({"sdp": sdp, "type": "offer"}, scopes)
        self._tags = {key: tag for key, tag in self._tags.items() if self._book.has(key)}
        self._tags[answer["pc_id"]] = tag = _new_tag()
        return Opened(answer["pc_id"], answer["sdp"], tag)

    def etag(self, resource_id: str) -> str:
        """The tag of the ICE session that is running. Raises `NotFound`."""
        if resource_id not in self._tags or not self._book.has(resource_id):
            raise NotFound("there is no such connection, or no longer", field="resource")
        return self._tags[resource_id]

    def restarts(self, resource_id: str, fragment: Fragment) -> bool:
        """Whether this fragment's credentials begin a new ICE session (RFC 8839 section 4.4.1.1.1)."""
        if fragment.credentials is None:
            return False
        return fragment.credentials.ufrag != self._book.peer(resource_id).remote_ufrag

    async def trickle(self, resource_id: str, fragment: Fragment) -> None:
        """Add a fragment's candidates. Raises `RequestError`."""
        peer = self._book.peer(resource_id)
        for index, one in enumerate(fragment.candidates):
            line = one.line if one.mid is None else None
            body = {"candidate": one.candidate, "sdp_mid": one.mid, "sdp_mline_index": line}
            await peer.add_candidate(body, f"candidates[{index}]")

    async def restart(self, resource_id: str, fragment: Fragment) -> Restarted:
        """Begin a new ICE session beside the running one, which stays if the new one fails. Raises `RequestError`."""
        if fragment.credentials is None:
            raise InvalidField("a restart names ice-ufrag and ice-pwd", field="body")
        peer = self._book.peer(resource_id)
        ours = await peer.restart_ice(fragment.credentials)
        self._tags[resource_id] = tag = _new_tag()
        await self.trickle(resource_id, fragment)
        candidates = local_candidates(ours)
        credentials = Credentials(ours.local_username, ours.local_password)
        mid, kind = peer.first_section
        return Restarted(write_fragment(credentials, candidates, mid, kind), tag)

    async def hang_up(self, resource_id: str) -> None:
        """End a resource. Raises `NotFound`."""
        self.etag(resource_id)
        self._tags.pop(resource_id, None)
        await self._book.peer(resource_id).close("ended by its own request")


def _new_tag() -> str:
    return f'"{secrets.token_hex(8)}"'
