"""Request bodies: read, parsed and checked against their model, every failure an error that names the field."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ConfigDict, ValidationError

from realtime.core.errors import InvalidField, Malformed, TooLarge, UnsupportedType
from server.state import STATE


class Body(BaseModel):
    """A request body: exact types, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LooseBody(BaseModel):
    """A request body of a protocol that is not ours: what we do not know is let be."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


B = TypeVar("B", bound=BaseModel)


async def read_body(request: web.Request, model: type[B]) -> B:
    """The checked body. Raises `UnsupportedType`, `TooLarge`, `Malformed` or `InvalidField`."""
    require_type(request, "application/json")
    return parse_body(await read_raw(request), model)


def require_type(request: web.Request, *allowed: str) -> None:
    """Raise `UnsupportedType` for a body of another content type."""
    if request.content_type not in allowed:
        limit = ", ".join(allowed)
        raise UnsupportedType(f"the body is {limit}", field="Content-Type", limit=limit)


async def read_raw(request: web.Request) -> bytes:
    """The body as it came. Raises `TooLarge` or `Malformed`."""
    return await whole(request, request.app[STATE].config.body_limit_bytes)


async def whole(request: web.Request, limit_bytes: int) -> bytes:
    """The body, where the application holds it to this size. Raises `TooLarge` or `Malformed`."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge("the request's body is too large", field="body", limit=f"{limit_bytes} bytes") from None
    except web.RequestPayloadError:
        raise Malformed("the body is not packed as the headers say", field="body") from None
    except ConnectionError:
        raise Malformed("the body broke off", field="body") from None


async def form_parts(
    request: web.Request, limit_of: Callable[[str | None], int], most: int
) -> AsyncIterator[tuple[str | None, bytes]]:
    """Name and content of the first `most` parts of a multipart form. `limit_of` says how many bytes a part of this
    name may have, or refuses it. Raises `TooLarge`, `InvalidField` or `Malformed`."""
    try:
        reader = await request.multipart()
        for _ in range(most):
            part = await reader.next()
            if part is None:
                return
            if not isinstance(part, BodyPartReader):
                raise InvalidField("forms inside forms are not read", field="body")
            yield part.name, await _content(part, limit_of(part.name))
    except (ValueError, AssertionError, web.HTTPBadRequest, HttpProcessingError) as error:
        raise InvalidField("the form cannot be read", field="body") from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise Malformed("the form broke off, or is not packed as the headers say", field="body") from error


async def _content(part: BodyPartReader, limit_bytes: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > limit_bytes:
            raise TooLarge("this part of the form is too large", field=part.name, limit=f"{limit_bytes} bytes")
    return bytes(content)


def parse_body(raw: bytes, model: type[B]) -> B:
    """JSON text as a checked body."""
    try:
        # RFC 8259 section 8.1: UTF-8; `parse_constant` refuses NaN and Infinity, which are no JSON
        content = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except (UnicodeError, ValueError, RecursionError):
        raise Malformed("the body is not valid JSON in UTF-8", field="body") from None
    if not isinstance(content, dict):
        raise Malformed("the body is a JSON object", field="body")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _named(error, model) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _named(error: ValidationError, model: type[BaseModel]) -> InvalidField:
    """The first problem, with every unknown field in one message."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    unknown = [_path(p["loc"]) for p in problems if p["type"] == "extra_forbidden"]
    if unknown:
        names = ", ".join(unknown)
        fields = ", ".join(sorted(model.model_fields))
        raise InvalidField(f"unknown field: {names}", field=unknown[0], limit=f"known fields: {fields}")
    problem = problems[0]
    return InvalidField(problem["msg"], field=_path(problem["loc"]) or "body")


def _path(location: tuple[int | str, ...]) -> str:
    """`("candidates", 0, "candidate")` as `candidates[0].candidate`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
