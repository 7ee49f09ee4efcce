"""`/v1/sessions`: open a session, look at it, make it speak, answer, fall silent and act, and end it."""

from typing import Any, Final

from aiohttp import web

from realtime.core.errors import Conflict, InvalidField, RequestError
from realtime.core.prompting import read_prompt
from realtime.core.prompting_look import look_of
from realtime.core.scenes import SCENES
from server.auth import TOKENS_PER_SESSION
from server.routes import checks
from server.routes.access import close_session, endpoint_url, offer_url, open_session, own_session, require_server
from server.routes.bodies import (
    Accepted,
    Chat,
    Created,
    CreateSession,
    CueBody,
    NewToken,
    NewTokenMade,
    Say,
    SessionState,
    Silenced,
)
from server.routes.public import is_visitor, open_public
from server.routes.reading import read_body
from server.routes.styles import order_of
from server.routes.table import Operation
from server.state import STATE, State
from server.surfaces import Cue, LiveSession, SessionSpec


async def create(request: web.Request) -> web.Response:
    """Open a session; a visitor's, where `public_sessions` lets visitors in."""
    visitor = is_visitor(request)
    if not visitor:
        require_server(request)
    wish = await read_body(request, CreateSession) if request.can_read_body else CreateSession()
    state = request.app[STATE]
    session = await (open_public if visitor else open_session)(request, spec_of(wish, state))
    headers = {"Location": f"/v1/sessions/{session.id}"}
    return web.json_response(created_json(state, session), status=201, headers=headers)


def created_json(state: State, session: LiveSession) -> dict[str, Any]:
    """What the opener of a session is told of it."""
    token = state.tokens.peek(session.id)
    assert token is not None
    return {
        "id": session.id,
        "token": token.text,
        "expires_at": state.expires_at(token.expires_s),
        "ice_servers": [server.as_json() for server in state.viewer_ice_servers(session.id)],
        "offer_url": offer_url(state, session.id),
        "whep_url": endpoint_url(state, "whep", session.id),
        "whip_url": endpoint_url(state, "whip", session.id),
        "public": session.id in state.public,
    }


def spec_of(wish: CreateSession, state: State) -> SessionSpec:
    """A wish with defaults filled in and every name checked against the catalogue."""
    services, config = state.services, state.config
    for i, hint in enumerate(wish.cache_hint):
        checks.one_of(hint, services.primitives(), f"cache_hint[{i}]")
    scenes = [scene.name for scene in services.programmes.scenes()]
    scene = checks.one_of(wish.scene, scenes, "scene") if wish.scene else scenes[0]
    language = checks.language(wish.language, services, config)
    return SessionSpec(
        avatar=checks.avatar(wish.avatar, services, config),
        background=checks.background(wish.background or SCENES[scene].layout.background, services),
        language=language,
        voice=checks.voice(wish.voice, language, services, config),
        rate=wish.rate,
        pitch=wish.pitch,
        scene=scene,
        content=wish.content,
        max_response_time_ms=wish.max_response_time_ms,
        partial_update=wish.partial_update,
        cache_hint=tuple(wish.cache_hint),
        label=wish.label,
        priority=wish.priority,
    )


async def show(request: web.Request) -> web.Response:
    """A session's state and counters."""
    session, state = own_session(request, "view"), request.app[STATE]
    token = state.tokens.peek(session.id)
    answer = {
        **session.state(),
        "id": session.id,
        "expires_at": state.expires_at(token.expires_s) if token else None,
        "offer_url": offer_url(state, session.id),
        "whep_url": endpoint_url(state, "whep", session.id),
        "whip_url": endpoint_url(state, "whip", session.id),
        "viewers": session.viewers,
    }
    return web.json_response(answer)


async def new_token(request: web.Request) -> web.Response:
    """A further token for the session, with fewer rights."""
    require_server(request)
    session, state = own_session(request, "direct"), request.app[STATE]
    body = await read_body(request, NewToken)
    token = state.tokens.issue_lesser(session.id, body.scopes, state.clock())
    if token is None:
        raise Conflict("the session has all the tokens it may have", field="session", limit=str(TOKENS_PER_SESSION))
    return web.json_response({"token": token.text, "scopes": sorted(token.scopes)}, status=201)


async def end(request: web.Request) -> web.Response:
    """End a session."""
    session = own_session(request, "direct")
    await close_session(request.app[STATE], session.id, "ended by request")
    return web.Response(status=204)


async def bye(request: web.Request) -> web.Response:
    """A page closes, or loads anew: its viewer is not waited for as long as one whose network failed."""
    session, state = own_session(request, "view"), request.app[STATE]
    state.parted_s[session.id] = state.clock()
    return web.Response(status=204)


async def say(request: web.Request) -> web.Response:
    """Speak exactly this."""
    session = own_session(request, "direct")
    body = await read_body(request, Say)
    if (body.text is None) == (body.ssml is None):
        raise InvalidField("either text or ssml is given", field="text")
    field = "text" if body.ssml is None else "ssml"
    words = checks.text(body.ssml or body.text or "", field, request.app[STATE].config.text_limit_chars)
    emotion = checks.emotion(body.emotion)
    try:
        await session.say(
            words,
            ssml=body.ssml is not None,
            emotion=emotion,
            intensity=body.intensity,
            interrupt=body.interrupt,
        )
    except RequestError as error:
        # below here both are one script, called text
        error.field = field if error.field == "text" else error.field
        raise
    return web.json_response({"accepted": True}, status=202)


async def chat(request: web.Request) -> web.Response:
    """Answer this."""
    session = own_session(request, "talk")
    body = await read_body(request, Chat)
    await session.chat(checks.text(body.text, "text", request.app[STATE].config.text_limit_chars))
    return web.json_response({"accepted": True}, status=202)


async def interrupt(request: web.Request) -> web.Response:
    """Be silent at once."""
    return web.json_response({"epoch": await own_session(request, "talk").interrupt()})


async def cue(request: web.Request) -> web.Response:
    """Direct the avatar."""
    session, state = own_session(request, "direct"), request.app[STATE]
    body = await read_body(request, CueBody)
    given = (body.emotion, body.gesture, body.motion, body.gaze, body.prompt, body.paint, body.style)
    if all(one is None for one in given):
        wanted = "one of emotion, gesture, motion, gaze, prompt, paint and style is given"
        raise InvalidField(wanted, field="emotion")
    if body.gesture is not None and body.motion is not None:
        raise InvalidField("either gesture or motion, not both", field="motion", limit="one of gesture, motion")
    if body.gesture is not None:
        checks.one_of(body.gesture, checks.gestures(state.services), "gesture")
    gaze = None if body.gaze is None else (body.gaze[0], body.gaze[1])
    look = None if body.prompt is None else look_of(read_prompt(body.prompt, "prompt"))
    paint = None if body.paint is None else order_of(body.paint)
    await session.cue(
        Cue(
            checks.emotion(body.emotion), body.intensity, body.gesture, gaze, look, body.motion, paint, body.style,
            body.style_strength,
        )
    )  # fmt: skip
    return web.json_response({"accepted": True}, status=202)


GROUP: Final = "Sessions"
BAD_BODY: Final = (400, 413, 415, 422)

OPERATIONS: Final = (
    Operation(
        "POST", "/v1/sessions", create, "Open a session", GROUP, CreateSession, {201: Created},
        (*BAD_BODY, 401, 403, 429, 503), "key",
    ),
    Operation(
        "GET", "/v1/sessions/{id}", show, "State and counters", GROUP, None, {200: SessionState},
        (401, 403, 404, 429), "session",
    ),
    Operation(
        "DELETE", "/v1/sessions/{id}", end, "End a session", GROUP, None, {204: "It has ended."},
        (401, 403, 404, 429), "session",
    ),
    Operation(
        "POST", "/v1/sessions/{id}/bye", bye, "The page closes; it may come back within 10 s", GROUP, None,
        {204: "Without viewers the session ends soon, unless somebody asks for it again."},
        (401, 403, 404, 429), "session",
    ),
    Operation(
        "POST", "/v1/sessions/{id}/tokens", new_token, "A further token, with fewer rights", GROUP, NewToken,
        {201: NewTokenMade}, (*BAD_BODY, 401, 403, 404, 409, 429), "key",
    ),
    Operation(
        "POST", "/v1/sessions/{id}/say", say, "Speak exactly this", GROUP, Say, {202: Accepted},
        (*BAD_BODY, 401, 403, 404, 429), "session",
    ),
    Operation(
        "POST", "/v1/sessions/{id}/chat", chat, "Answer this from knowledge or language model", GROUP, Chat,
        {202: Accepted}, (*BAD_BODY, 401, 403, 404, 429), "session",
    ),
    Operation(
        "POST", "/v1/sessions/{id}/interrupt", interrupt, "Silence and a closed mouth at once", GROUP, None,
        {200: Silenced}, (401, 403, 404, 429), "session",
    ),
    Operation(
        "POST", "/v1/sessions/{id}/cue", cue, "Direct the avatar, paint around it", GROUP, CueBody,
        {202: Accepted}, (*BAD_BODY, 401, 403, 404, 409, 429, 501), "session",
    ),
)  # fmt: skip
