"""`/whep/{session}` and `/whip/{session}`: signalling for players and publishers that nobody here wrote.

WHEP is draft-ietf-wish-whep, WHIP is RFC 9725; both share everything but the direction of media."""

from collections.abc import Iterable
from typing import Final, Literal

from aiohttp import hdrs, web

from realtime.core.errors import NotAcceptable, PreconditionFailed, PreconditionRequired, TooLarge
from server.auth import Scope
from server.ice_servers import link_headers
from server.routes.access import resource_url, session_of
from server.routes.reading import read_raw, require_type
from server.routes.table import Operation
from server.rtc.resources import ANY_TAG
from server.rtc.sdp_guard import SDP_MAX_BYTES
from server.rtc.sdpfrag import FRAGMENT_MAX_BYTES, FRAGMENT_TYPE, parse_fragment
from server.state import GRANT, STATE
from server.surfaces import Connections

Direction = Literal["whep", "whip"]
SDP_TYPE: Final = "application/sdp"
ENDPOINT_METHODS: Final = "OPTIONS, POST"
RESOURCE_METHODS: Final = "DELETE, OPTIONS, PATCH"


class Signalling:
    """The handlers of one direction."""

    def __init__(self, direction: Direction) -> None:
        self._direction = direction

    async def post(self, request: web.Request) -> web.Response:
        """Make a connection: an SDP offer comes in, the answer goes out with every candidate in it."""
        connections = self._connections(request)
        require_type(request, SDP_TYPE)
        _require_accepted(request, SDP_TYPE)
        opened = await connections.open(await _text(request, SDP_MAX_BYTES), request[GRANT].scopes)
        session_id = request.match_info["id"]
        headers = {
            hdrs.LOCATION: resource_url(request, self._direction, session_id, opened.id),
            hdrs.ETAG: opened.etag,
            "Accept-Patch": FRAGMENT_TYPE,
        }
        response = _answer(201, opened.sdp, SDP_TYPE, headers)
        _add_links(response, request, session_id)
        return response

    async def patch(self, request: web.Request) -> web.Response:
        """Trickle candidates, or restart ICE (RFC 9725 section 4.3)."""
        connections = self._connections(request)
        resource_id = request.match_info["resource"]
        tag = connections.etag(resource_id)
        require_type(request, FRAGMENT_TYPE)
        # clients written to early drafts send the tag as ETag
        given = request.headers.get(hdrs.IF_MATCH) or request.headers.get(hdrs.ETAG)
        if given is None:
            raise PreconditionRequired("the ICE session is named by If-Match", field=hdrs.IF_MATCH, limit=f"{tag} or *")
        fragment = parse_fragment(await _text(request, FRAGMENT_MAX_BYTES))
        named = {part.strip() for part in given.split(",")}
        is_restart = connections.restarts(resource_id, fragment)
        if is_restart and ANY_TAG in named:
            restarted = await connections.restart(resource_id, fragment)
            return _answer(200, restarted.fragment, FRAGMENT_TYPE, {hdrs.ETAG: restarted.etag})
        if is_restart or not named & {tag, ANY_TAG}:
            raise PreconditionFailed(
                "this ICE session is not the running one; a restart takes If-Match: *", field=hdrs.IF_MATCH, limit=tag
            )
        await connections.trickle(resource_id, fragment)
        return web.Response(status=204, headers={hdrs.ETAG: tag})

    async def delete(self, request: web.Request) -> web.Response:
        """End a connection; entity tags do not matter here."""
        await self._connections(request).hang_up(request.match_info["resource"])
        return web.Response(status=200)

    async def options(self, request: web.Request) -> web.Response:
        """What can be done here, and for those who may come in also the ICE servers, before an offer is made."""
        session_id, at_endpoint = request.match_info["id"], "resource" not in request.match_info
        headers = {
            hdrs.ALLOW: ENDPOINT_METHODS if at_endpoint else RESOURCE_METHODS,
            # publishing clients ask the endpoint whether trickling is possible, so the resource's methods are told here
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "DELETE, OPTIONS, PATCH, POST",
            "Accept-Patch": FRAGMENT_TYPE,
        }
        response = web.Response(status=204, headers=headers)
        if at_endpoint:
            response.headers["Accept-Post"] = SDP_TYPE
        if at_endpoint and request[GRANT].allows(session_id):
            _add_links(response, request, session_id)
        return response

    def _connections(self, request: web.Request) -> Connections:
        scope: Scope = "view" if self._direction == "whep" else "talk"
        session = session_of(request.app[STATE], request[GRANT], request.match_info["id"], scope)
        return session.connections("play" if self._direction == "whep" else "publish")

    def operations(self, what: str) -> Iterable[Operation]:
        """The table's rows."""
        name, group = self._direction, self._direction.upper()
        endpoint, resource = f"/{name}/{{id}}", f"/{name}/{{id}}/{{resource}}"
        bad = (400, 401, 403, 404, 413, 415, 422, 429)
        yield Operation(
            "POST", endpoint, self.post, f"{what}: SDP offer in, answer out", group, None,
            {201: "The answer; Location is the connection's own address."}, (*bad, 406, 503), "session",
            SDP_TYPE, f"{name}_open",
        )  # fmt: skip
        yield Operation(
            "OPTIONS", endpoint, self.options, "Methods and ICE servers", group, None, {204: "In the headers."},
            id=f"{name}_endpoint_options",
        )  # fmt: skip
        yield Operation(
            "PATCH", resource, self.patch, "Trickle candidates or restart ICE", group, None,
            {200: "A new ICE session, as an SDP fragment.", 204: "The candidates were taken."}, (*bad, 409, 412, 428),
            "session", FRAGMENT_TYPE, f"{name}_trickle",
        )  # fmt: skip
        yield Operation(
            "DELETE", resource, self.delete, "End the connection", group, None, {200: "It has ended."},
            (401, 403, 404, 429), id=f"{name}_close", auth="session",
        )  # fmt: skip
        yield Operation(
            "OPTIONS", resource, self.options, "Methods", group, None, {204: "In the headers."},
            id=f"{name}_options",
        )  # fmt: skip


def _answer(status: int, text: str, content_type: str, headers: dict[str, str]) -> web.Response:
    # these types have no charset parameter, which aiohttp would add to a text
    return web.Response(status=status, body=text.encode(), headers={hdrs.CONTENT_TYPE: content_type} | headers)


def _add_links(response: web.Response, request: web.Request, session_id: str) -> None:
    for link in link_headers(request.app[STATE].viewer_ice_servers(session_id)):
        response.headers.add(hdrs.LINK, link)


def _require_accepted(request: web.Request, offered: str) -> None:
    """RFC 9110 section 12.5.1, without preferences: there is only one type to choose from."""
    header = ",".join(request.headers.getall(hdrs.ACCEPT, []))
    ranges = {part.partition(";")[0].strip().lower() for part in header.split(",") if part.strip()}
    if ranges and not ranges & {offered, "application/*", "*/*"}:
        raise NotAcceptable(f"the answer is {offered}", field=hdrs.ACCEPT, limit=offered)


async def _text(request: web.Request, limit_bytes: int) -> str:
    raw = await read_raw(request)
    if len(raw) > limit_bytes:
        raise TooLarge("the body is too large", field="body", limit=f"{limit_bytes} bytes")
    return raw.decode("utf-8", "replace")


OPERATIONS: Final = (
    *Signalling("whep").operations("Play a session"),
    *Signalling("whip").operations("Publish a camera or microphone to a session"),
)
