"""The gateway in front of small fake workers."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.gateway.affinity import Affinity
from server.gateway.proxy import Gateway
from server.gateway.workers import WorkerPool
from server.noise import quieten


@dataclass
class FakeWorker:
    """Answers what it was asked, opens sessions, or says it is full."""

    name: str
    full: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    forwarded: list[str | None] = field(default_factory=list)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/sessions", self._open)
        app.router.add_get("/v1/sessions", self._list)
        app.router.add_post("/v1/avatars", self._bake)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/events", self._events)
        app.router.add_route("*", "/{path:.*}", self._echo)
        return app

    async def _open(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path))
        if self.full:
            return web.json_response({"error": {"message": "full"}}, status=503, headers={"Retry-After": "5"})
        name = f"{self.name}-session-{len(self.asked):04}"
        return web.json_response({"id": name, "token": f"{name}-token"}, status=201)

    async def _list(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer key":
            return web.json_response({"error": {"message": "no key"}}, status=401)
        return web.json_response({"sessions": [{"id": f"{self.name}-session"}]}, headers={"Cache-Control": "no-store"})

    async def _bake(self, request: web.Request) -> web.Response:
        name = f"{self.name}-task-0123456789"
        return web.json_response({"id": name}, status=202, headers={"Location": f"/v1/avatars/tasks/{name}"})

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text="# TYPE anima_sessions gauge\nanima_sessions 2.0\n")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for i in range(3):
            await response.write(f"data: {i}\n\n".encode())
        return response

    async def _echo(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path))
        self.forwarded.append(request.headers.get("X-Forwarded-For"))
        if request.path == "/redirect":
            raise web.HTTPTemporaryRedirect("/elsewhere")
        return web.json_response({"worker": self.name, "body": await request.text(), "query": request.query_string})


@dataclass
class Front:
    """A gateway, its workers and a client."""

    client: TestClient[web.Request, web.Application]
    workers: list[FakeWorker]
    pool: WorkerPool

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        async with self.client.request(method, path, **options) as response:
            return response.status, await response.json()


Start = Callable[..., Awaitable[Front]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts gateways in front of fake workers."""
    open_ones: list[Any] = []

    async def begin(*workers: FakeWorker) -> Front:
        pool = WorkerPool(len(workers), (), lambda index: None)
        for worker, slot in zip(workers, pool.workers, strict=True):
            server = TestServer(worker.application())
            await server.start_server()
            open_ones.append(server)
            slot.url = str(server.make_url("")).rstrip("/")
        client = TestClient(TestServer(Gateway(pool, Affinity(), 1_000_000).application()))
        await client.start_server()
        open_ones.append(client)
        return Front(client, list(workers), pool)

    yield begin
    for one in reversed(open_ones):
        await one.close()


async def test_sessions_are_spread_and_stay_where_they_are(start: Start) -> None:
    front = await start(FakeWorker("a"), FakeWorker("b"))
    made = [(await front.call("POST", "/v1/sessions", json={}))[1] for _ in range(4)]
    assert sorted(one["id"][0] for one in made) == ["a", "a", "b", "b"]
    for one in made:
        _, answer = await front.call("POST", f"/v1/sessions/{one['id']}/say", json={"text": "hello"})
        assert answer["worker"] == one["id"][0] and "hello" in answer["body"]
        _, answer = await front.call("GET", "/v1/primitives", headers={"Authorization": f"Bearer {one['token']}"})
        assert answer["worker"] == one["id"][0]


async def test_a_full_worker_is_passed_over(start: Start) -> None:
    front = await start(FakeWorker("a", full=True), FakeWorker("b"))
    status, made = await front.call("POST", "/v1/sessions", json={})
    assert status == 201 and made["id"].startswith("b")
    front.workers[1].full = True
    async with front.client.post("/v1/sessions", json={}) as response:
        assert response.status == 503 and response.headers["Retry-After"] == "5"


async def test_without_a_ready_worker_the_answer_says_when_to_come_back(start: Start) -> None:
    front = await start(FakeWorker("a"))
    front.pool.workers[0].url = None
    async with front.client.get("/anything") as response:
        assert response.status == 503 and "Retry-After" in response.headers


async def test_a_worker_that_does_not_answer_costs_one_request(start: Start) -> None:
    front = await start(FakeWorker("a"))
    front.pool.workers[0].url = "http://127.0.0.1:1"
    status, answer = await front.call("GET", "/x")
    assert status == 503 and "worker" in answer["error"]["message"]


async def test_the_viewer_s_address_and_query_go_along_and_redirects_come_back(start: Start) -> None:
    front = await start(FakeWorker("a"))
    _, answer = await front.call("GET", "/x?a=1&b=two", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer["query"] == "a=1&b=two"
    assert front.workers[0].forwarded == ["203.0.113.9, 127.0.0.1"]
    async with front.client.get("/redirect", allow_redirects=False) as response:
        assert response.status == 307 and response.headers["Location"] == "/elsewhere"


async def test_events_stream_through(start: Start) -> None:
    front = await start(FakeWorker("a"))
    async with front.client.get("/events") as response:
        assert response.content_type == "text/event-stream"
        assert (await response.text()).count("data:") == 3


async def test_metrics_of_all_workers_carry_their_number(start: Start) -> None:
    front = await start(FakeWorker("a"), FakeWorker("b"))
    async with front.client.get("/metrics") as response:
        text = await response.text()
    assert 'anima_sessions{worker="0"} 2.0' in text and 'anima_sessions{worker="1"} 2.0' in text


async def test_a_packed_body_arrives_unpacked(start: Start) -> None:
    front = await start(FakeWorker("a"))
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    status, answer = await front.call("POST", "/v1/x", data=gzip.compress(b"hello " * 100), headers=headers)
    assert (status, answer["body"]) == (200, "hello " * 100)


@pytest.mark.parametrize(
    ("data", "packing", "status", "kind"),
    [
        (b"hello", "gzip", 400, "malformed"),
        (b"x" * 1_000_001, "", 413, "too_large"),
        (gzip.compress(b"x" * 1_000_001), "gzip", 413, "too_large"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_in_our_form(
    start: Start, caplog: pytest.LogCaptureFixture, data: bytes, packing: str, status: int, kind: str
) -> None:
    quieten()
    front = await start(FakeWorker("a"))
    headers = {"Content-Encoding": packing} if packing else {}
    assert (await front.call("POST", "/v1/x", data=data, headers=headers))[1]["error"]["type"] == kind
    assert front.workers[0].asked == []
    assert [one for one in caplog.records if one.levelno > logging.INFO] == []


DEEP = b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"


@pytest.mark.parametrize("body", [DEEP, b'{"a": "\\ud800"}', b'{"id": 1e999}'])
async def test_a_body_that_the_gateway_cannot_make_out_is_the_worker_s_business(start: Start, body: bytes) -> None:
    front = await start(FakeWorker("a"))
    status, answer = await front.call("POST", "/v1/x", data=body, headers={"Content-Type": "application/json"})
    assert status == 200 and answer["body"] == body.decode()


@pytest.mark.parametrize(
    "head",
    [
        b"X-Odd: \xff\xfe\x80", b"Authorization: Bearer \xff\xfe\x80", b"Content-Length: 2\r\nContent-Encoding: \xff",
        b"Cookie: \xc3\x28", b"X-Forwarded-For: \xff",
    ],
)  # fmt: skip
async def test_odd_bytes_in_headers_are_no_fault_of_ours(
    start: Start, caplog: pytest.LogCaptureFixture, head: bytes
) -> None:
    quieten()
    front = await start(FakeWorker("a"))
    reader, writer = await asyncio.open_connection("127.0.0.1", front.client.port)
    writer.write(b"GET /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n{}")
    status = int((await reader.readline()).split()[1])
    writer.close()
    assert status in (200, 400)
    assert [one for one in caplog.records if one.levelno > logging.INFO] == []


async def test_the_sessions_of_all_workers_are_listed(start: Start) -> None:
    front = await start(FakeWorker("a"), FakeWorker("b"), FakeWorker("c"))
    front.pool.workers[1].url = None
    async with front.client.get("/v1/sessions", headers={"Authorization": "Bearer key"}) as answer:
        assert await answer.json() == {"sessions": [{"id": "a-session"}, {"id": "c-session"}]}
        assert (answer.content_type, answer.headers["Cache-Control"]) == ("application/json", "no-store")
    status, refused = await front.call("GET", "/v1/sessions")
    assert status == 401 and refused["error"]["message"] == "no key"
    for worker in front.pool.workers:
        worker.url = None
    async with front.client.get("/v1/sessions") as answer:
        assert answer.status == 503 and answer.headers["Retry-After"]


async def test_a_task_is_asked_for_where_it_runs(start: Start) -> None:
    front = await start(FakeWorker("a"), FakeWorker("b"))
    front.pool.workers[0].sessions = 1
    _, task = await front.call("POST", "/v1/avatars", data=b"")
    assert task["id"].startswith("b-")
    front.pool.workers[1].sessions = 2
    assert (await front.call("GET", f"/v1/avatars/tasks/{task['id']}"))[1]["worker"] == "b"
