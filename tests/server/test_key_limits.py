"""A server key is held to a rate of its own: not by address, and not with other keys."""

from server.auth import key_digest
from server.limits import KeyedLimiter, Rate
from tests.server.conftest import AUTH, KEY, Start

OTHER = "another-key-of-enough-length"
OTHER_AUTH = {"Authorization": f"Bearer {OTHER}"}


def test_keys_are_counted_apart_and_not_kept() -> None:
    limiter = KeyedLimiter(Rate(per_s=1.0, burst=1.0))
    assert limiter.take(key_digest(KEY), 0.0) == 0.0 and limiter.take(key_digest(KEY), 0.0) > 0.0
    assert limiter.take(key_digest(OTHER), 0.0) == 0.0
    assert KEY not in key_digest(KEY) and key_digest(KEY) == key_digest(KEY)


async def test_a_key_is_held_to_its_own_rate_and_no_other_key_by_it(start: Start) -> None:
    bench = await start(api_keys=(KEY, OTHER), requests_per_s=0.25, key_requests_per_s=1.0)
    seen = [(await bench.raw("GET", "/v1/avatars", headers=AUTH)).status for _ in range(5)]
    assert seen == [200] * 4 + [429], "four seconds' worth at once"
    refused = await bench.raw("GET", "/v1/avatars", headers=AUTH)
    assert int(refused.headers["Retry-After"]) >= 1 and KEY not in await refused.text()
    assert (await bench.raw("GET", "/v1/avatars", headers=OTHER_AUTH)).status == 200
    assert (await bench.raw("GET", "/v1/avatars")).status == 200, "nor does the address pay for its key"
    assert (await bench.raw("GET", "/healthz", headers=AUTH)).status == 200
    bench.now_s += 1.0
    assert (await bench.raw("GET", "/v1/avatars", headers=AUTH)).status == 200


async def test_a_keys_new_sessions_are_held_too(start: Start) -> None:
    bench = await start(api_keys=(KEY, OTHER), key_sessions_per_min=2.0)
    opened = [(await bench.raw("POST", "/v1/sessions", json={}, headers=AUTH)).status for _ in range(3)]
    assert opened == [201, 201, 429]
    assert (await bench.raw("POST", "/v1/sessions", json={}, headers=OTHER_AUTH)).status == 201
    assert bench.services.metrics.value("anima_sessions_refused_total", reason="rate") == 1
    bench.now_s += 30.0
    assert (await bench.raw("POST", "/v1/sessions", json={}, headers=AUTH)).status == 201
