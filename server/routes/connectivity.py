"""`/v1/connectivity`: what `anima doctor --connect` finds, for the page and for whoever runs the server."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from server.config import Config
from server.connectivity import examine_paths
from server.doctor import Check
from server.routes.access import require_server
from server.routes.table import Operation
from server.state import STATE

FRESH_S: Final = 30.0
"""Within this time what was found last is told again: each examination binds ports and asks servers."""
Examine = Callable[[Config], Awaitable[Sequence[Check]]]


class Path(BaseModel):
    """One way that media can take, and how it is."""

    name: str = Field(description="addresses, udp ports, public address, or the address of a STUN or TURN server.")
    result: Literal["ok", "warning", "failure"]
    detail: str
    remedy: str = Field(description="What to do about it; empty where nothing is to be done.")


class Connectivity(BaseModel):
    """Every path, tried from the server."""

    paths: list[Path]


class Examiner:
    """Examines the paths once at a time, however many ask."""

    def __init__(self, examine: Examine = examine_paths) -> None:
        self._examine = examine
        self._turn = asyncio.Lock()
        self._found: Sequence[Check] = ()
        self._found_s: float | None = None

    async def checks(self, config: Config, clock: Callable[[], float]) -> Sequence[Check]:
        """What is found now, or was found just before."""
        async with self._turn:
            if self._found_s is None or clock() - self._found_s > FRESH_S:
                self._found = await self._examine(config)
                self._found_s = clock()
            return self._found


EXAMINER: Final = web.AppKey("EXAMINER", Examiner)


async def connectivity(request: web.Request) -> web.Response:
    """Each path that media can take, in words what is wrong with it, and what to do."""
    require_server(request)
    state = request.app[STATE]
    checks = await request.app[EXAMINER].checks(state.config, state.clock)
    paths = [{"name": c.name, "result": c.result, "detail": c.detail, "remedy": c.remedy} for c in checks]
    return web.json_response({"paths": paths})


GROUP: Final = "Operations"
OPERATIONS: Final = (
    Operation(
        "GET", "/v1/connectivity", connectivity, "Each path of media, and what is wrong with it", GROUP, None,
        {200: Connectivity}, (401, 403, 429), "key",
    ),
)  # fmt: skip
