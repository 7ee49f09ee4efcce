"""`/v1/connectivity`: who is told, and that the paths are tried once however many ask."""

import asyncio
from collections.abc import Sequence

from server.config import Config
from server.doctor import Check
from server.routes.connectivity import EXAMINER, FRESH_S, Examiner
from tests.server.conftest import AUTH, KEY, Start


class Counted:
    """An examination that finds one thing and counts."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, config: Config) -> Sequence[Check]:
        self.times += 1
        await asyncio.sleep(0)
        return [Check("udp ports", "failure", "all of them are in use", "choose another range")]


async def test_the_key_is_told_and_nobody_else(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    examine = Counted()
    bench.client.server.app[EXAMINER]._examine = examine  # type: ignore[attr-defined]
    _, made = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    own = {"Authorization": f"Bearer {made['token']}"}
    assert (await bench.call("GET", "/v1/connectivity"))[0] == 401
    assert (await bench.call("GET", "/v1/connectivity", headers=own))[0] == 403
    assert examine.times == 0
    status, found = await bench.call("GET", "/v1/connectivity", headers=AUTH)
    assert status == 200
    assert found["paths"] == [
        {
            "name": "udp ports", "result": "failure", "detail": "all of them are in use",
            "remedy": "choose another range",
        }
    ]  # fmt: skip


async def test_many_who_ask_at_once_cost_one_examination() -> None:
    examine, now_s = Counted(), 0.0
    examiner = Examiner(examine)
    await asyncio.gather(*(examiner.checks(Config(), lambda: now_s) for _ in range(5)))
    assert examine.times == 1
    now_s = FRESH_S + 1.0
    await examiner.checks(Config(), lambda: now_s)
    assert examine.times == 2
