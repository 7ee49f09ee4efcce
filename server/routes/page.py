"""The bundled page's files: native ES modules with right types, revalidated by ETag at each load."""

from pathlib import Path
from typing import Final

from aiohttp import web

from server.middleware import Handler
from server.state import STATE

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
LEFT_OUT: Final = frozenset({"node_modules", "tests"})


def page_dir() -> Path:
    """Where the page's files lie."""
    import client

    return Path(client.__file__).parent / "web"


def find(root: Path, path: str) -> Path | None:
    """The file that a request's path means, or None: only known types, nothing hidden, nothing outside of `root`."""
    parts = [part for part in path.split("/") if part] or ["index.html"]
    if any(part.startswith(".") or part in LEFT_OUT or "\\" in part or "\0" in part for part in parts):
        return None
    file = root.joinpath(*parts)
    if file.suffix not in TYPES or not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
        return None
    return file


@web.middleware
async def page_files(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Serve the page where no route matches. A catch-all route would turn every unknown path's 404 into a 405."""
    unmatched = isinstance(request.match_info.http_exception, web.HTTPNotFound)
    if unmatched and request.method in ("GET", "HEAD") and request.app[STATE].config.page:
        file = find(page_dir(), request.path)
        if file is not None:
            headers = {"Content-Type": TYPES[file.suffix], "Cache-Control": "no-cache"}
            return web.FileResponse(file, headers=headers)
    return await handler(request)
