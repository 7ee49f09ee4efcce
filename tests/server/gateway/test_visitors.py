"""Two workers behind one address: visitors' places are the server's, and a session is refused once or not at all."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.gateway.affinity import Affinity
from server.gateway.proxy import Gateway
from server.gateway.serving import part_of
from server.gateway.workers import WorkerPool
from tests.server.conftest import AUTH, KEY, Bench, Start


@dataclass
class Front:
    """A gateway before two real applications on fakes."""

    client: TestClient[web.Request, web.Application]
    benches: list[Bench]

    async def open(self, **options: Any) -> tuple[int, dict[str, str], Any]:
        async with self.client.post("/v1/sessions", json={}, **options) as response:
            return response.status, dict(response.headers), await response.json()

    def refused(self, reason: str) -> float:
        """What all workers together have counted."""
        return sum(one.services.metrics.value("anima_sessions_refused_total", reason=reason) for one in self.benches)


Started = AsyncIterator[Any]


@pytest.fixture
async def begin(start: Start) -> Started:
    """Starts a gateway before two workers, which have their parts of `public_sessions`."""
    fronts: list[TestClient[web.Request, web.Application]] = []

    async def begun(public: int, **settings: Any) -> Front:
        benches = [
            await start(
                api_keys=(KEY,), public_sessions=public, public_part=part_of(public, 2, index), proxy_hops=1, **settings
            )
            for index in range(2)
        ]
        pool = WorkerPool(2, (), lambda index: None)
        for bench, worker in zip(benches, pool.workers, strict=True):
            worker.url = str(bench.client.make_url("")).rstrip("/")
        client = TestClient(TestServer(Gateway(pool, Affinity(), 1_000_000).application()))
        await client.start_server()
        fronts.append(client)
        return Front(client, benches)

    yield begun
    for one in fronts:
        await one.close()


@pytest.mark.parametrize("public", [1, 2, 3, 4])
async def test_visitors_have_as_many_places_as_the_server_not_each_worker(begin: Any, public: int) -> None:
    front = await begin(public)
    answers = [await front.open() for _ in range(public + 2)]
    assert [status for status, _, _ in answers] == public * [201] + 2 * [503]
    assert front.refused("public") == 2, "each once, though two workers were asked"
    assert "places for visitors are taken" in answers[-1][2]["error"]["message"]
    assert sum(len(one.services.sessions.running) for one in front.benches) == public
    assert (await front.open(headers=AUTH))[0] == 201, "the key's holder needs none"


async def test_where_visitors_are_kept_out_no_worker_lets_them_in(begin: Any) -> None:
    front = await begin(0)
    status, _, _ = await front.open()
    assert status == 401 and front.refused("public") == 0


async def test_a_visitor_is_told_of_the_place_that_is_free_first(begin: Any) -> None:
    front = await begin(1, public_session_s=60.0)
    assert (await front.open())[0] == 201
    for one in front.benches:
        one.now_s += 57.0
    status, headers, _ = await front.open()
    assert status == 503 and headers["Retry-After"] == "3", "the other worker has no place, and knows of none"


async def test_a_session_that_the_next_worker_takes_was_not_refused(begin: Any) -> None:
    front = await begin(0, max_sessions=1)
    assert [(await front.open(headers=AUTH))[0] for _ in range(3)] == [201, 201, 503]
    assert front.refused("sessions") == 1


async def test_a_rate_is_no_want_of_room_and_counts_at_once(begin: Any) -> None:
    front = await begin(4, sessions_per_min=1.0)
    assert [(await front.open())[0] for _ in range(4)] == [201, 201, 429, 429]
    assert front.refused("rate") == 2


async def test_nobody_outside_speaks_for_the_gateway(begin: Any) -> None:
    front = await begin(0, max_sessions=1)
    for _ in range(2):
        await front.open(headers=AUTH)
    assert (await front.open(headers={**AUTH, "X-Anima-Elsewhere": "yes"}))[0] == 503
    assert front.refused("sessions") == 1


async def test_without_a_proxy_the_gateways_word_means_nothing(start: Start) -> None:
    bench = await start(api_keys=(KEY,), public_sessions=1)
    for _ in range(2):
        await bench.raw("POST", "/v1/sessions", json={}, headers={"X-Anima-Elsewhere": "yes"})
    assert bench.services.metrics.value("anima_sessions_refused_total", reason="public") == 1
