"""Errors as HTTP answers: `{"error": {type, message, field, limit}}` with a fitting status, and no internals."""

import logging
import math
import re
import secrets
from typing import Any

from aiohttp import web

from realtime.core.errors import AnimaError, CapacityError, RequestError, TooMany, Unauthorised, UpstreamError

logger = logging.getLogger(__name__)


def answer_for(error: Exception, where: str) -> web.Response:
    """The answer to a request that ended in this error. What is our fault is logged under an id that it names."""
    if isinstance(error, web.HTTPException):
        return _of_http(error)
    if isinstance(error, (RequestError, CapacityError)):
        return _of_known(error)
    incident = secrets.token_hex(6)
    # neither the message nor the type: both may tell of files, addresses and versions
    logger.error("incident %s in %s", incident, where, exc_info=error)
    if isinstance(error, UpstreamError):
        return error_response(502, "upstream_error", f"a model behind the server failed (incident {incident})")
    return error_response(500, "internal_error", f"something failed inside the server (incident {incident})")


def error_response(
    status: int,
    kind: str,
    message: str,
    *,
    field: str | None = None,
    limit: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """One failing answer."""
    body: dict[str, Any] = {"error": {"type": kind, "message": message, "field": field, "limit": limit}}
    return web.json_response(body, status=status, headers=headers)


def kind_of(error: AnimaError) -> str:
    """An error's class as clients see it: `InvalidField` is `invalid_field`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def _of_known(error: RequestError | CapacityError) -> web.Response:
    headers: dict[str, str] = {}
    if isinstance(error, (TooMany, CapacityError)):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if isinstance(error, Unauthorised):
        headers["WWW-Authenticate"] = "Bearer"
    field = error.field if isinstance(error, RequestError) else None
    limit = error.limit if isinstance(error, RequestError) else None
    return error_response(error.status, kind_of(error), error.message, field=field, limit=limit, headers=headers)


def _of_http(error: web.HTTPException) -> web.Response:
    """aiohttp's own answers (no such route, wrong method, too large) in our form; `Allow` and `Location` are kept."""
    kept = {name: error.headers[name] for name in ("Allow", "Location") if name in error.headers}
    kind = error.reason.lower().replace(" ", "_")
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return error_response(413, "too_large", "the request's body is too large", field="body", headers=kept)
    if error.status < 400:
        return web.Response(status=error.status, headers=kept)
    return error_response(error.status, kind, f"{error.status} {error.reason}", headers=kept)
