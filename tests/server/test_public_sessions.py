"""Visitors without the key: what they may open, how many at once and for how long, and what stays closed to them."""

import asyncio
from typing import Any

import pytest

from realtime.core.errors import CapacityError, ConfigError
from server.config import Config
from server.housekeeping import keep_once
from server.public import PublicPlaces
from tests.server.conftest import AUTH, KEY, Bench, Start

CLOSED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/v1/sessions", {}),
    ("POST", "/v1/sessions/{id}/tokens", {"json": {"scopes": ["view"]}}),
    ("POST", "/v1/sessions/{id}/outputs", {"json": {"kind": "mp4"}}),
    ("GET", "/v1/sessions/{id}/director", {}),
    ("POST", "/v1/backgrounds", {"data": b"\x89PNG", "headers": {"Content-Type": "image/png"}}),
    ("POST", "/v1/prompts", {"json": {"prompt": {}, "name": "mine"}}),
    ("POST", "/record", {"json": {"sessionid": "{id}", "type": "start_record"}}),
    ("GET", "/v1/connectivity", {}),
]
"""What takes the server key, and recording."""


async def opened(bench: Bench, **options: Any) -> tuple[dict[str, Any], dict[str, str]]:
    status, made = await bench.call("POST", "/v1/sessions", json={}, **options)
    assert status == 201 and made["public"], made
    return made, {"Authorization": f"Bearer {made['token']}"}


async def test_without_the_setting_a_visitor_opens_nothing(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    status, answer = await bench.call("POST", "/v1/sessions", json={})
    assert status == 401 and answer["error"]["field"] == "Authorization"


async def test_a_visitor_opens_one_and_the_next_is_told_to_come_back(start: Start) -> None:
    bench = await start(api_keys=(KEY,), public_sessions=1)
    made, token = await opened(bench)
    for path, body in (("chat", {"text": "hi"}), ("say", {"text": "hi"}), ("cue", {"gesture": "nod"})):
        assert (await bench.call("POST", f"/v1/sessions/{made['id']}/{path}", json=body, headers=token))[0] == 202
    refused = await bench.raw("POST", "/v1/sessions", json={})
    assert refused.status == 503 and 1 <= int(refused.headers["Retry-After"]) <= 15
    assert "places for visitors are taken" in (await refused.json())["error"]["message"]
    status, own = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    assert status == 201 and not own["public"], "the key's holder needs no visitor's place"
    assert (await bench.call("DELETE", f"/v1/sessions/{made['id']}", headers=token))[0] == 204
    await opened(bench)


@pytest.mark.parametrize(("method", "path", "sent"), CLOSED)
async def test_what_takes_the_key_stays_closed(start: Start, method: str, path: str, sent: dict[str, Any]) -> None:
    bench = await start(api_keys=(KEY,), public_sessions=2)
    made, token = await opened(bench)
    options = dict(sent)
    if "json" in options:
        fields = options["json"].items()
        options["json"] = {key: made["id"] if value == "{id}" else value for key, value in fields}
    path = path.replace("{id}", made["id"])
    headers = options.pop("headers", {})
    assert (await bench.raw(method, path, headers=headers | token, **options)).status == 403
    assert (await bench.raw(method, path, headers=headers, **options)).status == 401


async def test_a_sessions_token_opens_no_other_session(start: Start) -> None:
    bench = await start(api_keys=(KEY,), public_sessions=2)
    _, token = await opened(bench)
    assert (await bench.call("POST", "/v1/sessions", json={}, headers=token))[0] == 403


async def test_visitors_are_held_to_the_rate_of_their_address(start: Start) -> None:
    bench = await start(api_keys=(KEY,), public_sessions=9, sessions_per_min=2.0, proxy_hops=1)
    here = {"X-Forwarded-For": "1.2.3.4"}
    answers = [await bench.raw("POST", "/v1/sessions", json={}, headers=here) for _ in range(3)]
    assert [answer.status for answer in answers] == [201, 201, 429] and answers[2].headers["Retry-After"]
    await opened(bench, headers={"X-Forwarded-For": "5.6.7.8"})
    assert len(bench.state.public) == 3, "a refused one holds no place"


async def test_a_visitors_time_ends_though_it_watches(start: Start) -> None:
    bench = await start(api_keys=(KEY,), public_sessions=1, public_session_s=60.0)
    made, _ = await opened(bench)
    bench.services.sessions.running[made["id"]].viewers = 1
    own = await bench.session()
    own.viewers = 1
    for _ in range(59):
        bench.now_s += 1.0
        await keep_once(bench.state, 0.1)
    refused = await bench.raw("POST", "/v1/sessions", json={})
    assert refused.headers["Retry-After"] == "1", "it is known when the place is free"
    bench.now_s += 1.0
    await keep_once(bench.state, 0.1)
    assert bench.services.sessions.closed == [(made["id"], "a visitor's time is over")]
    assert list(bench.services.sessions.running) == [own.id]
    await opened(bench)


async def test_a_visitors_session_warms_and_paints_nothing(start: Start) -> None:
    bench = await start(api_keys=(KEY,), public_sessions=1)
    status, made = await bench.call("POST", "/v1/sessions", json={"cache_hint": ["nod"]})
    spec = bench.services.sessions.running[made["id"]].spec
    assert status == 201 and spec.public and spec.cache_hint == ()


async def test_places_are_held_while_sessions_open() -> None:
    places = PublicPlaces(1, 60.0)
    with places.opening(0.0):
        with pytest.raises(CapacityError):
            with places.opening(0.0):
                await asyncio.sleep(0)
    with places.opening(0.0):
        places.take("a", 0.0)
    with pytest.raises(CapacityError) as refused, places.opening(50.0):
        pass
    assert refused.value.retry_after_s == 10.0
    places.keep(())
    with places.opening(51.0):
        pass


def test_visitors_do_not_stand_for_a_key() -> None:
    with pytest.raises(ConfigError, match="api_keys is empty"):
        Config(host="0.0.0.0", public_sessions=1)
