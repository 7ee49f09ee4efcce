"""Comments from a live platform, and the director's desk: its page, its state, its stream of changes, its actions."""

import asyncio
import contextlib
import json
from typing import Final

from aiohttp import web

from realtime.core.director_queue import Comment
from realtime.core.errors import InvalidField, NotFound
from server.routes import checks
from server.routes.access import own_session, require_server
from server.routes.bodies import Accepted, Comments, CommentsTaken, DirectorAction
from server.routes.page import page_dir
from server.routes.reading import read_body
from server.routes.table import Operation
from server.state import STATE
from server.surfaces import LiveSession

CHANGES_EVERY_S: Final = 0.2
"""Changes within this time come as one."""
ALIVE_EVERY_S: Final = 2.0
"""Ages and scores change by themselves; and a proxy closes streams that are silent."""
TEXT_ACTIONS: Final = ("replace", "replace_shot", "card")


async def comments(request: web.Request) -> web.Response:
    """Take viewers' comments, gifts and orders in."""
    session = own_session(request, "talk")
    body = await read_body(request, Comments)
    for index, item in enumerate(body.items):
        if item.kind == "comment" and not item.text:
            raise InvalidField("a comment has a text", field=f"items[{index}].text", limit="1..500 characters")
    items = [Comment(one.kind, one.text, one.viewer, one.priority, one.amount) for one in body.items]
    return web.json_response({"outcomes": dict(session.directed.comments(items))}, status=202)


async def director(request: web.Request) -> web.Response:
    """What the director decides by, what waits, what is held."""
    return web.json_response(_desk_of(request).directed.as_json())


async def act(request: web.Request) -> web.Response:
    """Hold, release, approve, skip or replace."""
    session = _desk_of(request)
    body = await read_body(request, DirectorAction)
    if body.action in TEXT_ACTIONS:
        checks.text(body.text, "text", 600)
    session.directed.act(body.action, body.id, body.text)
    return web.json_response({"accepted": True}, status=202)


async def changes(request: web.Request) -> web.StreamResponse:
    """The state after every change, as server-sent events (WHATWG HTML, section 9.2), until the session ends."""
    session, services = _desk_of(request), request.app[STATE].services
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    # a browser that has left is no fault, whichever write meets it
    with session.directed.watched() as changed, contextlib.suppress(ConnectionError):
        while services.sessions.get(session.id) is session and not request.app[STATE].draining:
            try:
                async with asyncio.timeout(ALIVE_EVERY_S):
                    await changed.wait()
            except TimeoutError:
                pass
            changed.clear()
            text = json.dumps(session.directed.as_json(), ensure_ascii=False)
            await response.write(f"event: state\ndata: {text}\n\n".encode())
            await asyncio.sleep(CHANGES_EVERY_S)
        await response.write(b"event: end\ndata: {}\n\n")
    return response


async def sessions(request: web.Request) -> web.Response:
    """The running sessions, for the director to choose from."""
    require_server(request)
    found = [
        {"id": one.id, "viewers": one.viewers} | {key: one.state().get(key) for key in ("scene", "content", "label")}
        for one in request.app[STATE].services.sessions.all()
    ]
    return web.json_response({"sessions": found})


async def page(request: web.Request) -> web.StreamResponse:
    """The director's page; what it shows takes the server key."""
    file = page_dir() / "director.html"
    if not request.app[STATE].config.page or not file.is_file():
        raise NotFound("this server shows no page", field="path")
    return web.FileResponse(file, headers={"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"})


def _desk_of(request: web.Request) -> LiveSession:
    require_server(request)
    return own_session(request, "direct")


GROUP: Final = "Director"
BAD_BODY: Final = (400, 413, 415, 422)
OPERATIONS: Final = (
    Operation(
        "POST", "/v1/sessions/{id}/comments", comments, "Take in viewers' comments, gifts and orders", GROUP, Comments,
        {202: CommentsTaken}, (*BAD_BODY, 401, 403, 404, 429), "session",
    ),
    Operation(
        "GET", "/v1/sessions/{id}/director", director, "The director's state", GROUP, None,
        {200: "Policy, queue, run-down, held and past lines."}, (401, 403, 404, 429), "key",
    ),
    Operation(
        "POST", "/v1/sessions/{id}/director", act, "Hold, approve, skip or replace a line", GROUP, DirectorAction,
        {202: Accepted}, (*BAD_BODY, 401, 403, 404, 409, 429), "key",
    ),
    Operation(
        "GET", "/v1/sessions/{id}/director/events", changes, "The director's state as it changes", GROUP, None,
        {200: "Server-sent events."}, (401, 403, 404, 429), "key",
    ),
    Operation("GET", "/v1/sessions", sessions, "Running sessions", GROUP, None, {200: "A list."}, (401, 403), "key"),
    Operation("GET", "/director", page, "The director's page", GROUP, None, {200: "HTML."}, (404,)),
)  # fmt: skip
