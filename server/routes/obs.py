"""`/obs`: the host alone on a transparent page, for a streaming program's browser source."""

from typing import Final

from aiohttp import web

from realtime.core.errors import NotFound
from server.routes.page import page_dir
from server.routes.table import Operation
from server.state import STATE


async def obs_page(request: web.Request) -> web.StreamResponse:
    """The page; its settings stand in the address."""
    file = page_dir() / "obs.html"
    if not request.app[STATE].config.page or not file.is_file():
        raise NotFound("this server shows no page", field="path")
    return web.FileResponse(file, headers={"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"})


GROUP: Final = "Avatars"
OPERATIONS: Final = (
    Operation("GET", "/obs", obs_page, "The host alone, transparent", GROUP, None, {200: "HTML."}, (404,)),
)
