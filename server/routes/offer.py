"""`/api/offer`: WebRTC signalling as SmallWebRTC clients (Pipecat) speak it."""

from typing import Final

from aiohttp import web
from pydantic import BaseModel

from realtime.core.errors import InvalidField, NotFound, Unauthorised
from server.auth import Grant
from server.middleware import grant_of
from server.routes.access import close_session, open_session, session_of
from server.routes.bodies import Answer, CreateSession, Offer, Trickle
from server.routes.reading import read_body
from server.routes.sessions import BAD_BODY, spec_of
from server.routes.table import Operation
from server.state import GRANT, STATE, State
from server.surfaces import LiveSession


class Done(BaseModel):
    """The candidates were taken."""

    status: str = "success"


async def offer(request: web.Request) -> web.Response:
    """Join a session. Where no key is set, an offer without a session opens a default one."""
    body = await read_body(request, Offer)
    state = request.app[STATE]
    grant = _grant(request, state, body.token or body.request_data.token)
    wanted = request.query.get("session") or body.session or body.request_data.session or grant.session_id
    session = _named(state, grant, wanted) or _of_peer(state, grant, body.pc_id)
    plain = {"sdp": body.sdp, "type": body.type, "pc_id": body.pc_id, "restart_pc": body.restart_pc}
    if session is not None:
        return web.json_response(await session.offer(plain, grant.scopes))
    if not state.is_open:
        if not grant.server:
            raise Unauthorised("an offer takes a session's token", field="Authorization")
        raise InvalidField("an offer names its session", field="session")
    session = await open_session(request, spec_of(CreateSession(), state))
    try:
        # a connection that no session knows is one from before a restart: its viewer starts anew
        answer = await session.offer(plain | {"pc_id": None, "restart_pc": None})
    except BaseException:
        await close_session(state, session.id, "its first offer failed")
        raise
    return web.json_response(answer)


async def trickle(request: web.Request) -> web.Response:
    """Add ICE candidates to a connection."""
    body = await read_body(request, Trickle)
    state = request.app[STATE]
    grant = _grant(request, state, body.token)
    wanted = request.query.get("session") or body.session or grant.session_id
    session = _named(state, grant, wanted) or _of_peer(state, grant, body.pc_id)
    if session is None:
        if not grant.server:
            raise Unauthorised("candidates take a session's token", field="Authorization")
        raise NotFound("there is no such connection, or no longer", field="pc_id")
    await session.trickle({"pc_id": body.pc_id, "candidates": [one.model_dump() for one in body.candidates]})
    return web.json_response({"status": "success"})


def _grant(request: web.Request, state: State, token: str | None) -> Grant:
    """The request's grant, or that of a token in the body: a browser's client library may not let headers be set."""
    grant = request[GRANT]
    return grant if token is None or grant.server or grant.session_id is not None else grant_of(state, token)


def _named(state: State, grant: Grant, session_id: str | None) -> LiveSession | None:
    return session_of(state, grant, session_id, "view") if session_id else None


def _of_peer(state: State, grant: Grant, pc_id: str | None) -> LiveSession | None:
    """The session that this connection belongs to, among those the grant allows."""
    if not pc_id:
        return None
    sessions = (one for one in state.services.sessions.all() if grant.allows(one.id))
    return next((one for one in sessions if one.has_peer(pc_id)), None)


GROUP: Final = "WebRTC"
OPERATIONS: Final = (
    Operation(
        "POST", "/api/offer", offer, "Join a session (SmallWebRTC); ?session= names it", GROUP, Offer, {200: Answer},
        (*BAD_BODY, 401, 403, 404, 409, 429, 503), "session",
    ),
    Operation(
        "PATCH", "/api/offer", trickle, "Trickle ICE candidates (SmallWebRTC)", GROUP, Trickle, {200: Done},
        (*BAD_BODY, 401, 403, 404, 429), "session",
    ),
)  # fmt: skip
