"""Sessions of visitors without the key (`public_sessions`): who may open one, and what such a session is kept from."""

from dataclasses import replace

from aiohttp import web

from realtime.core.errors import Forbidden
from server.routes.access import open_session, refused
from server.state import GRANT, STATE, State
from server.surfaces import LiveSession, SessionSpec


def is_visitor(request: web.Request) -> bool:
    """Whether somebody without any credentials asks, and visitors are let in."""
    grant = request[GRANT]
    return not grant.server and grant.session_id is None and request.app[STATE].config.public_sessions > 0


async def open_public(request: web.Request, spec: SessionSpec) -> LiveSession:
    """Open a visitor's session, within the rate of its address. Raises `TooMany` or `CapacityError`."""
    state = request.app[STATE]
    state.public.keep(session.id for session in state.services.sessions.all())
    if not state.public.free:
        refused(request, "public", "all places for visitors are taken")
    with state.public.opening(state.clock()):
        # what is warmed ahead is work that nobody has asked for yet
        session = await open_session(request, replace(spec, public=True, cache_hint=()))
        state.public.take(session.id, state.clock())
    return session


def refuse_public(state: State, session_id: str) -> None:
    """What fills the disk is the operator's to begin. Raises `Forbidden`."""
    if session_id in state.public:
        raise Forbidden("a session opened without the server key is not recorded", field="Authorization")
