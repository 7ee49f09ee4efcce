"""Catalogues: the avatars, voices, motion primitives and emotions that requests may name."""

import asyncio
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any, Final

from aiohttp import web

from realtime.core.errors import NotFound
from server.routes.checks import EMOTIONS, gestures
from server.routes.table import Operation
from server.state import GRANT, STATE

NO_PORTRAITS: Final = (
    "Nothing here can find the face in a photo. In Anima's folder, say: make setup-photos. Then start the server again."
)


async def avatars(request: web.Request) -> web.Response:
    """The avatars, the default one marked, and whether the caller can have a portrait made of a photo."""
    services, config = request.app[STATE].services, request.app[STATE].config
    found = services.avatars()
    default = config.avatar or found[0].name
    listed = [asdict(info) | {"default": info.name == default} for info in found]
    return web.json_response({"avatars": listed, "portraits": _portraits(request)})


async def poster(request: web.Request) -> web.Response:
    """A still picture of an avatar."""
    return await _poster(request, request.match_info["name"])


async def default_poster(request: web.Request) -> web.Response:
    """A still picture of the default avatar: what the page shows before it streams."""
    services, config = request.app[STATE].services, request.app[STATE].config
    return await _poster(request, config.avatar or services.avatars()[0].name)


async def voices(request: web.Request) -> web.Response:
    """The voices and the languages they speak."""
    return _listing("voices", [asdict(info) for info in request.app[STATE].services.voices()])


async def primitives(request: web.Request) -> web.Response:
    """The motion primitives, and the names that a cue may use."""
    services = request.app[STATE].services
    found = [
        {"name": one.name, "kind": one.kind, "duration_s": one.duration_s, "description": one.description}
        | {"cueable": one.kind == "gesture"}
        for one in services.primitives().values()
    ]
    return web.json_response({"primitives": found, "gestures": gestures(services), "emotions": list(EMOTIONS)})


async def scenes(request: web.Request) -> web.Response:
    """The scenes a session may be for, their budgets, and what they can be about."""
    programmes = request.app[STATE].services.programmes
    found = [
        scene.as_json() | {"contents": [content.as_json() for content in programmes.contents(scene.name)]}
        for scene in programmes.scenes()
    ]
    return _listing("scenes", found)


def _portraits(request: web.Request) -> dict[str, Any]:
    """Who may not make portraits is not told what it takes: it is the operator's business."""
    if not request[GRANT].server:
        return {"possible": False, "why": ""}
    # only looked for: what finds faces runs in a process of its own
    if find_spec("mediapipe") is None:
        return {"possible": False, "why": NO_PORTRAITS}
    return {"possible": True, "why": ""}


async def _poster(request: web.Request, name: str) -> web.Response:
    services = request.app[STATE].services
    picture = await asyncio.to_thread(services.poster, name)
    if picture is None:
        names = ", ".join(info.name for info in services.avatars())
        raise NotFound(f"there is no avatar of this name; there are {names}", field="name")
    return web.Response(body=picture, content_type="image/jpeg", headers={"Cache-Control": "max-age=300"})


def _listing(name: str, items: list[dict[str, Any]]) -> web.Response:
    return web.json_response({name: items})


GROUP: Final = "Catalogues"
OPERATIONS: Final = (
    Operation(
        "GET", "/v1/avatars", avatars, "Avatars, and whether portraits can be made", GROUP, None,
        {200: "A list of avatars; `portraits` is `{possible, why}`."}, (429,), id="avatars",
    ),
    Operation(
        "GET", "/v1/avatars/{name}/poster.jpg", poster, "A still picture", GROUP, None, {200: "JPEG."}, (404, 429)
    ),
    Operation("GET", "/poster.jpg", default_poster, "The default avatar's picture", GROUP, None, {200: "JPEG."}),
    Operation("GET", "/v1/voices", voices, "Voices", GROUP, None, {200: "A list of voices."}, (429,)),
    Operation(
        "GET", "/v1/primitives", primitives, "Motion primitives, gestures and emotions", GROUP, None,
        {200: "Lists of primitives, gestures and emotions."}, (429,),
    ),
    Operation("GET", "/v1/scenes", scenes, "Scenes", GROUP, None, {200: "A list of scenes."}, (429,)),
)  # fmt: skip
