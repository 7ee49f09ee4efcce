"""`/v1/backgrounds`: the pictures that can stand behind a host, and uploads of further ones."""

import asyncio
from typing import Final

from aiohttp import web
from pydantic import BaseModel, Field

from realtime.core.backdrop import SYNTAX
from realtime.core.errors import TooLarge
from server.routes.access import require_server
from server.routes.reading import require_type
from server.routes.table import Operation
from server.state import STATE

UPLOAD_LIMIT_BYTES: Final = 8 * 2**20
TYPES: Final = ("image/jpeg", "image/png", "image/webp")


class Background(BaseModel):
    """A picture that can stand behind a host."""

    name: str = Field(description="What POST /v1/sessions takes as background.")
    title: str
    picture_url: str = Field(description="A small JPEG.")


class BackgroundList(BaseModel):
    """The pictures, and what else a background can be."""

    backgrounds: list[Background]
    syntax: str


async def listing(request: web.Request) -> web.Response:
    """The pictures that come with Anima, and those that were uploaded."""
    names = await asyncio.to_thread(request.app[STATE].services.backgrounds.names)
    found = [_described(name, title) for name, title in names.items()]
    return web.json_response(BackgroundList(backgrounds=found, syntax=SYNTAX).model_dump())


async def picture(request: web.Request) -> web.Response:
    """A picture, small."""
    shelf = request.app[STATE].services.backgrounds
    data = await asyncio.to_thread(shelf.thumbnail, request.match_info["name"])
    return web.Response(body=data, content_type="image/jpeg", headers={"Cache-Control": "max-age=300"})


async def upload(request: web.Request) -> web.Response:
    """Keep a picture: the body is the file itself."""
    require_server(request)
    require_type(request, *TYPES)
    data = await _content(request)
    shelf = request.app[STATE].services.backgrounds
    name = await asyncio.to_thread(shelf.add, data)
    titles = await asyncio.to_thread(shelf.names)
    answer = _described(name, titles.get(name, name))
    return web.json_response(answer.model_dump(), status=201, headers={"Location": answer.picture_url})


async def _content(request: web.Request) -> bytes:
    """The body, not a byte more than the limit: the application's own limit is meant for JSON."""
    content = bytearray()
    async for chunk in request.content.iter_chunked(2**16):
        content += chunk
        if len(content) > UPLOAD_LIMIT_BYTES:
            raise TooLarge("the picture is too large", field="body", limit=f"{UPLOAD_LIMIT_BYTES} bytes")
    return bytes(content)


def _described(name: str, title: str) -> Background:
    return Background(name=name, title=title, picture_url=f"/v1/backgrounds/{name}.jpg")


GROUP: Final = "Avatars"
OPERATIONS: Final = (
    Operation(
        "GET", "/v1/backgrounds", listing, "Backgrounds", GROUP, None, {200: BackgroundList}, (429,), id="backgrounds"
    ),
    Operation(
        "GET", "/v1/backgrounds/{name}.jpg", picture, "A background, small", GROUP, None, {200: "JPEG."}, (404, 429),
        id="background_picture",
    ),
    Operation(
        "POST", "/v1/backgrounds", upload, "Keep a picture as a background (JPEG, PNG or WebP as the body)", GROUP,
        None, {201: Background}, (401, 403, 413, 415, 422, 429), "key", "image/png", id="upload_background",
    ),
)  # fmt: skip
