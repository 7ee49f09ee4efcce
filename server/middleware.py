"""What every request passes through, outermost first: answer headers, errors, origin, credentials, rate."""

import ipaddress
import logging
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from realtime.core.errors import Forbidden, TooMany, Unauthorised
from server.auth import Grant, bearer, is_server_key, key_digest
from server.faults import answer_for
from server.state import GRANT, STATE, State

logger = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
UNLIMITED_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
CORS_METHODS: Final = "GET, POST, PATCH, DELETE, OPTIONS"
CORS_HEADERS: Final = "Authorization, Content-Type, If-Match, ETag"
CORS_EXPOSED: Final = "Location, ETag, Link, Accept-Post, Accept-Patch, Allow, Retry-After"


@web.middleware
async def answer_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Security and CORS headers on every answer, and the count of requests."""
    state = request.app[STATE]
    response = await handler(request)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.secure:
        # RFC 6797: a browser that was here over TLS does not come back without
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    origin = request.headers.get(hdrs.ORIGIN)
    if origin and not _same_origin(request, origin) and _listed(state, origin):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = CORS_EXPOSED
        response.headers.add(hdrs.VARY, "Origin")
    if request.path.startswith(("/v1/", "/api/", "/whep/", "/whip/")):
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    state.services.metrics.request(_route_of(request), response.status)
    return response


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure becomes one JSON answer."""
    try:
        return await handler(request)
    except Exception as error:
        response = answer_for(error, f"{request.method} {_route_of(request)}")
        if response.status == 413:
            # what is left of an oversized body would be read as the next request
            response.force_close()
        return response


@web.middleware
async def origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep other sites' pages out unless they are listed, and answer the preflights of those that are (Fetch, CORS).

    Without keys the Host header must name this machine too: a foreign name that resolves here is DNS rebinding."""
    state = request.app[STATE]
    if state.is_open and not _is_own_host(state, _hostname(f"//{request.host}")):
        raise Forbidden("without api_keys this server answers to this machine's own names only", field="Host")
    origin = request.headers.get(hdrs.ORIGIN)
    if origin and not _same_origin(request, origin) and not _listed(state, origin):
        raise Forbidden("pages of this origin may not call the server", field="Origin", limit="allowed_origins")
    if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
        allow = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: CORS_METHODS,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: CORS_HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: "600",
        }
        return web.Response(status=204, headers=allow)
    return await handler(request)


@web.middleware
async def credentials(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks. Wrong credentials end here; none at all are the route's business."""
    given = bearer(request.headers.get(hdrs.AUTHORIZATION)) or request.query.get("token")
    request[GRANT] = grant_of(request.app[STATE], given)
    return await handler(request)


@web.middleware
async def rates(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Hold an address to its rate. A server key's holder asks for many viewers, so the key has a rate of its own."""
    state, key = request.app[STATE], request[GRANT].key
    if request.path not in UNLIMITED_PATHS:
        limiter = state.requests if key is None else state.key_requests
        wait_s = limiter.take(key or client_address(request), state.clock())
        if wait_s:
            what = "too many requests" if key is None else "too many requests with this key"
            raise TooMany(what, retry_after_s=wait_s, limit=str(limiter.rate))
    return await handler(request)


MIDDLEWARES: Final = (answer_headers, errors, origins, credentials, rates)


def grant_of(state: State, given: str | None) -> Grant:
    """What these credentials allow. Raises `Unauthorised` for credentials that are neither a key nor a live token."""
    if state.is_open:
        return Grant(server=True)
    if given is None:
        return Grant()
    if is_server_key(given, state.config.api_keys):
        return Grant(server=True, key=key_digest(given))
    grant = state.tokens.grant(given, state.clock())
    if grant is None:
        raise Unauthorised("the key or token is not valid, or no longer")
    return grant


def client_address(request: web.Request) -> str:
    """The viewer's address: the peer's, or what the outermost of our own proxies saw (`proxy_hops`)."""
    hops = request.app[STATE].config.proxy_hops
    if hops:
        seen = [part.strip() for part in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
        if len(seen) >= hops:
            return seen[-hops]
    return request.remote or "unknown"


def _route_of(request: web.Request) -> str:
    """The pattern of the matched route; asked-for paths may hold ids and are without end."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _same_origin(request: web.Request, origin: str) -> bool:
    """Scheme aside, since a proxy may have taken TLS off."""
    return origin.partition("://")[2] == request.host


def _listed(state: State, origin: str) -> bool:
    allowed = state.config.allowed_origins
    return "*" in allowed or origin in allowed


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_own_host(state: State, host: str | None) -> bool:
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost") or host == _hostname(state.config.public_url):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
