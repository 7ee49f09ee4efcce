"""From a request to the session it may use, and the opening of new ones."""

import logging
from typing import Literal
from urllib.parse import quote

from aiohttp import web

from realtime.core.errors import CapacityError, Forbidden, NotFound, TooMany, Unauthorised
from server.admission import ELSEWHERE, Refused
from server.auth import Grant, Scope
from server.middleware import client_address
from server.state import GRANT, STATE, State
from server.surfaces import LiveSession, SessionSpec

logger = logging.getLogger(__name__)


def require_server(request: web.Request) -> None:
    """Only the server key may do this."""
    grant = request[GRANT]
    if grant.server:
        return
    if grant.session_id is not None:
        raise Forbidden("a session's token does not allow this; it takes the server key", field="Authorization")
    raise Unauthorised("this takes the server key as Authorization: Bearer", field="Authorization")


def own_session(request: web.Request, scope: Scope) -> LiveSession:
    """The session in the path, if the caller may do this with it."""
    return session_of(request.app[STATE], request[GRANT], request.match_info["id"], scope)


def session_of(state: State, grant: Grant, session_id: str, scope: Scope) -> LiveSession:
    """A session by its id, if this grant allows it. Who may not know of it learns nothing about whether it exists."""
    if not grant.allows(session_id):
        if grant.session_id is not None:
            raise Forbidden("this token belongs to another session", field="Authorization")
        raise Unauthorised("this takes the session's token or the server key", field="Authorization")
    if scope not in grant.scopes:
        raise Forbidden("this token's scopes do not allow this", field="Authorization", limit=f"scope {scope}")
    session = state.services.sessions.get(session_id)
    if session is None:
        raise NotFound("there is no such session, or no longer", field="session")
    touch(state, session_id)
    return session


def touch(state: State, session_id: str) -> None:
    """Note that a session is in use."""
    now_s = state.clock()
    state.used_s[session_id] = now_s
    state.parted_s.pop(session_id, None)
    state.tokens.renew(session_id, now_s)


async def open_session(request: web.Request, spec: SessionSpec) -> LiveSession:
    """Open a session if rate and capacity allow. Raises `TooMany`, `CapacityError`, or `Forbidden` for a high priority
    without the server key."""
    if spec.priority == "high" and not request[GRANT].server:
        raise Forbidden("a high priority takes the server key", field="priority", limit="low, normal")
    state, key = request.app[STATE], request[GRANT].key
    now_s = state.clock()
    limiter = state.new_sessions if key is None else state.key_sessions
    wait_s = limiter.take(key or client_address(request), now_s)
    if wait_s:
        refused(request, "rate", f"too many new sessions {'from one address' if key is None else 'with one key'}")
        raise TooMany("too many new sessions", retry_after_s=wait_s, limit=str(limiter.rate))
    if state.draining:
        refused(request, "draining", "the server is shutting down")
        raise CapacityError("the server is shutting down", retry_after_s=state.config.drain_timeout_s)
    running = state.services.sessions
    decision = state.admission.decide(len(running.all()) + state.opening, now_s, spec.priority, running.pressed_s)
    if isinstance(decision, Refused):
        refused(request, decision.why, decision.reason)
        raise CapacityError(decision.reason, retry_after_s=decision.retry_after_s)
    state.opening += 1
    try:
        session = await state.services.sessions.create(spec)
    finally:
        state.opening -= 1
    state.services.metrics.session_opened()
    state.tokens.issue(session.id, state.clock())
    touch(state, session.id)
    return session


def refused(request: web.Request, why: str, reason: str) -> None:
    """No session is refused without a record. Where another process is asked next, that one refuses or does not; only
    what is over its rate is asked for no further."""
    state = request.app[STATE]
    if why != "rate" and state.config.proxy_hops and ELSEWHERE in request.headers:
        return
    state.services.metrics.session_refused(why)
    # an address that is over its rate could fill the log
    logger.log(logging.DEBUG if why == "rate" else logging.INFO, "a session is refused: %s", reason)


async def close_session(state: State, session_id: str, reason: str) -> None:
    """End a session and void its token."""
    state.used_s.pop(session_id, None)
    state.parted_s.pop(session_id, None)
    state.watched.discard(session_id)
    state.tokens.void(session_id)
    await state.services.sessions.close(session_id, reason)


def offer_url(state: State, session_id: str) -> str:
    """Where a session's offers go."""
    return f"{state.config.public_url.rstrip('/')}/api/offer?session={session_id}"


def endpoint_url(state: State, direction: Literal["whep", "whip"], session_id: str) -> str:
    """Where a session is played from (WHEP) or published to (WHIP)."""
    return f"{state.config.public_url.rstrip('/')}/{direction}/{session_id}"


def resource_url(request: web.Request, direction: Literal["whep", "whip"], session_id: str, resource_id: str) -> str:
    """The address of one connection. A token that came in the query goes on in it: such a client can set no header."""
    url = f"{endpoint_url(request.app[STATE], direction, session_id)}/{resource_id}"
    token = request.query.get("token")
    return f"{url}?token={quote(token, safe='')}" if token else url
