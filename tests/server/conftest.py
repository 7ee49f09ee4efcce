"""A running application on fakes, with a clock that tests set."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from server.app import create_app
from server.config import Config
from server.state import STATE, State
from tests.server.fakes import FakeServices, FakeSession

KEY = "a-key-of-enough-length"
AUTH = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


@dataclass
class Bench:
    """One running application, its fakes and a client."""

    client: TestClient[Request, Application]
    services: FakeServices
    now_s: float = 1000.0

    @property
    def state(self) -> State:
        app = self.client.server.app  # type: ignore[attr-defined]  # TestServer has it, its base class does not
        assert isinstance(app, Application)
        return app[STATE]

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and JSON of one request; None for an answer without a body."""
        async with self.client.request(method, path, **options) as response:
            return response.status, await response.json() if response.content_type == "application/json" else None

    async def raw(self, method: str, path: str, **options: Any) -> ClientResponse:
        """A whole answer, read."""
        response = await self.client.request(method, path, **options)
        await response.read()
        return response

    async def session(self, **wish: Any) -> FakeSession:
        """A fresh session."""
        status, answer = await self.call("POST", "/v1/sessions", json=wish, headers=AUTH)
        assert status == 201, answer
        return self.services.sessions.running[answer["id"]]


Start = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts applications with given settings; all are closed after the test."""
    running: list[TestClient[Request, Application]] = []

    async def begin(**settings: Any) -> Bench:
        services = FakeServices()
        bench: Bench
        app = create_app(services, Config(**settings), clock=lambda: bench.now_s)
        client = TestClient(TestServer(app))
        bench = Bench(client, services)
        await client.start_server()
        running.append(client)
        return bench

    yield begin
    for client in running:
        await client.close()


@pytest.fixture
async def bench(start: Start) -> Bench:
    """An application as on a developer's machine: loopback, no key."""
    return await start()
