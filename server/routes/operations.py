"""For operators: is it alive, is it ready, what does it measure."""

from typing import Final

from aiohttp import web

from server.routes.table import Operation
from server.state import STATE


async def health(request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """Whether a new session would be taken: every part is up and the server is not shutting down."""
    state = request.app[STATE]
    parts = {**state.services.readiness(), "accepting": not state.draining}
    up, notices = all(parts.values()), state.services.notices()
    headers = {} if up else {"Retry-After": "2"}
    told = {"ready": up, "parts": parts, **({"notices": dict(notices)} if notices else {})}
    return web.json_response(told, status=200 if up else 503, headers=headers)


async def metrics(request: web.Request) -> web.Response:
    """Prometheus metrics."""
    found = request.app[STATE].services.metrics
    return web.Response(body=found.exposition(), headers={"Content-Type": found.content_type})


GROUP: Final = "Operations"
OPERATIONS: Final = (
    Operation("GET", "/healthz", health, "The process answers", GROUP, None, {200: "It lives."}),
    Operation("GET", "/readyz", ready, "New sessions are taken", GROUP, None, {200: "Ready.", 503: "Not ready."}),
    Operation("GET", "/metrics", metrics, "Prometheus metrics", GROUP, None, {200: "Prometheus text format."}),
)
