"""Portraits over HTTP: a photo comes in as a form, a task with progress goes out, an avatar is there in the end.

And they go again when they are not wanted any more."""

from dataclasses import asdict
from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from realtime.core.errors import Conflict, InvalidField, NotFound
from server.portrait_tasks import PortraitTask
from server.routes.access import require_server
from server.routes.reading import form_parts, require_type
from server.routes.table import Operation
from server.state import STATE

PHOTO_LIMIT_BYTES: Final = 32 * 2**20
TEXT_LIMIT_BYTES: Final = 4096
PARTS_MAX: Final = 8


class Task(BaseModel):
    """A portrait on its way."""

    id: str
    name: str = Field(description="The avatar's name once the task is done.")
    state: Literal["running", "done", "failed"]
    what: str = Field(description="What is being done.")
    done: int
    total: int = Field(description="Steps altogether; 0 until the first one is told.")
    error: str | None = Field(description="Why it failed.")
    field: str | None = Field(description="What the error is about: photo, name, consent, licence.")
    reason: str | None = Field(
        description="What is wrong with the photo: unreadable, no_face, faces, small, turned, tilted, blurred."
    )


async def create(request: web.Request) -> web.Response:
    """Make a portrait of one photo: the form has `photo`, `name`, `consent` and, if wanted, `title` and `licence`."""
    require_server(request)
    require_type(request, "multipart/form-data")
    form = await _form(request)
    names = ("name", "consent", "title", "licence")
    texts = {name: form.get(name, b"").decode("utf-8", "replace").strip() for name in names}
    tasks = request.app[STATE].services.portraits
    task = tasks.begin(form.get("photo", b""), texts["name"], texts["consent"], texts["title"], texts["licence"])
    return _answer(task, 202)


async def state(request: web.Request) -> web.Response:
    """How far a portrait is."""
    require_server(request)
    task = request.app[STATE].services.portraits.find(request.match_info["id"])
    if task is None:
        raise NotFound("there is no such task, or no longer", field="id")
    return _answer(task, 200)


async def remove(request: web.Request) -> web.Response:
    """Delete a portrait: its pack, and what was drawn of it. Not a host that comes with Anima, nor one in use."""
    require_server(request)
    services, config = request.app[STATE].services, request.app[STATE].config
    name = request.match_info["name"]
    found = {info.name: info for info in services.avatars()}
    if name not in found:
        raise NotFound("there is no avatar of this name", field="name")
    if found[name].kind != "portrait":
        raise Conflict("only portraits can be removed; this host comes with Anima", field="name")
    if name == config.avatar:
        raise Conflict("this is the server's default avatar; choose another one first", field="name")
    if any(session.state().get("avatar") == name for session in services.sessions.all()):
        raise Conflict("a running conversation shows this portrait; end it first", field="name", limit="not in use")
    await services.portraits.remove(name)
    return web.Response(status=204)


def _answer(task: PortraitTask, status: int) -> web.Response:
    headers = {"Location": f"/v1/avatars/tasks/{task.id}"} if status == 202 else None
    return web.json_response(asdict(task), status=status, headers=headers)


async def _form(request: web.Request) -> dict[str, bytes]:
    return {name: content async for name, content in form_parts(request, _limit_bytes, PARTS_MAX) if name is not None}


def _limit_bytes(name: str | None) -> int:
    if name is None:
        raise InvalidField("forms inside forms are not read", field="body")
    return PHOTO_LIMIT_BYTES if name == "photo" else TEXT_LIMIT_BYTES


GROUP: Final = "Avatars"
OPERATIONS: Final = (
    Operation(
        "POST", "/v1/avatars", create, "Make a portrait of a photo (form: photo, name, consent, title, licence)",
        GROUP, None, {202: Task}, (400, 401, 403, 409, 413, 415, 422, 429, 503), "key", "multipart/form-data",
        id="create_portrait",
    ),
    Operation(
        "GET", "/v1/avatars/tasks/{id}", state, "How far a portrait is", GROUP, None, {200: Task},
        (401, 403, 404, 429), "key", id="portrait_task",
    ),
    Operation(
        "DELETE", "/v1/avatars/{name}", remove, "Remove a portrait that no session shows", GROUP, None,
        {204: "It is gone."}, (401, 403, 404, 409, 429), "key", id="remove_portrait",
    ),
)  # fmt: skip
