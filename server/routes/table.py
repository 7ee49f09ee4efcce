"""One table of operations: the routes are registered from it and the API's specification is written from it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web
from pydantic import BaseModel

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: Literal["GET", "POST", "PATCH", "DELETE", "OPTIONS"]
    path: str
    handler: Handler
    summary: str
    group: str
    body: type[BaseModel] | None = None
    answers: Mapping[int, type[BaseModel] | str] = field(default_factory=dict)
    """Status to the model of its JSON, or words for an answer that has none."""
    failures: tuple[int, ...] = ()
    auth: Literal["none", "key", "session"] = "none"
    """`key`: the server key. `session`: the session's token, or the server key."""
    text_body: str = ""
    """Content type of a body that is not JSON."""
    id: str = ""
    """Unique name; empty takes the handler's."""


def register(router: web.UrlDispatcher, operations: Iterable[Operation]) -> None:
    """Add the routes."""
    for operation in operations:
        router.add_route(operation.method, operation.path, operation.handler)
