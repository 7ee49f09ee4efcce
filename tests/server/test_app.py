"""The application as a whole: credentials, origins, rates, errors, headers, page, operations, life cycle."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.core.errors import ConfigError, Conflict, PackError
from server.app import OPERATIONS, create_app
from server.config import Config
from server.faults import kind_of
from server.state import STATE
from tests.server.conftest import AUTH, KEY, Bench, Start
from tests.server.fakes import FakeServices


async def test_the_key_creates_and_the_token_uses_its_own_session_only(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    response = await bench.raw("POST", "/v1/sessions", json={})
    assert response.status == 401 and response.headers["WWW-Authenticate"] == "Bearer"
    wrong = {"Authorization": "Bearer wrong-key-of-enough-length"}
    assert (await bench.call("POST", "/v1/sessions", json={}, headers=wrong))[0] == 401
    _, one = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    _, other = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    own = {"Authorization": f"Bearer {one['token']}"}
    assert (await bench.call("GET", f"/v1/sessions/{one['id']}"))[0] == 401
    assert (await bench.call("GET", "/v1/sessions/none"))[0] == 401, "who has no key learns nothing"
    assert (await bench.call("GET", f"/v1/sessions/{one['id']}", headers=own))[0] == 200
    assert (await bench.call("GET", f"/v1/sessions/{other['id']}", headers=own))[0] == 403
    assert (await bench.call("POST", "/v1/sessions", json={}, headers=own))[0] == 403
    assert (await bench.call("GET", f"/v1/sessions/{other['id']}", headers=AUTH))[0] == 200


async def test_a_token_expires_unless_it_is_used(start: Start) -> None:
    bench = await start(api_keys=(KEY,), token_ttl_s=100.0)
    _, made = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    path, own = f"/v1/sessions/{made['id']}", {"Authorization": f"Bearer {made['token']}"}
    for _ in range(3):
        bench.now_s += 90.0
        assert (await bench.call("GET", path, headers=own))[0] == 200
    bench.now_s += 101.0
    assert (await bench.call("GET", path, headers=own))[0] == 401


async def test_a_deleted_sessions_token_is_void(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    _, made = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    path, own = f"/v1/sessions/{made['id']}", {"Authorization": f"Bearer {made['token']}"}
    assert (await bench.call("DELETE", path, headers=own))[0] == 204
    assert (await bench.call("GET", path, headers=own))[0] == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://["])
async def test_other_sites_are_kept_out(bench: Bench, origin: str) -> None:
    status, answer = await bench.call("POST", "/v1/sessions", json={}, headers={"Origin": origin})
    assert status == 403 and answer["error"]["field"] == "Origin"
    assert not bench.services.sessions.running


async def test_the_own_page_is_let_in(bench: Bench) -> None:
    origin = f"http://{bench.client.host}:{bench.client.port}"
    assert (await bench.call("POST", "/v1/sessions", json={}, headers={"Origin": origin}))[0] == 201


async def test_a_listed_origin_gets_cors(start: Start) -> None:
    bench = await start(allowed_origins=("https://shop.example",))
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    preflight = await bench.raw("OPTIONS", "/v1/sessions", headers=headers)
    assert preflight.status == 204 and preflight.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    made = await bench.raw("POST", "/v1/sessions", json={}, headers={"Origin": "https://shop.example"})
    assert made.status == 201 and made.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    failed = await bench.raw("GET", "/v1/sessions/none", headers={"Origin": "https://shop.example"})
    assert failed.status == 404 and "Access-Control-Allow-Origin" in failed.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "10.0.0.1", "[::", ""])
async def test_rebound_names_are_refused_without_keys(bench: Bench, host: str) -> None:
    status, answer = await bench.call("GET", "/v1/avatars", headers={"Host": host})
    assert status == 403 and answer["error"]["field"] == "Host"


async def test_rates_are_held_per_address(start: Start) -> None:
    bench = await start(requests_per_s=1.0, proxy_hops=1)
    there, elsewhere = {"X-Forwarded-For": "spoofed, 1.2.3.4"}, {"X-Forwarded-For": "5.6.7.8"}
    codes = [(await bench.raw("GET", "/v1/avatars", headers=there)).status for _ in range(6)]
    assert codes == [200] * 4 + [429] * 2
    refused = await bench.raw("GET", "/v1/avatars", headers=there)
    assert refused.headers["Retry-After"] == "1"
    assert (await bench.raw("GET", "/v1/avatars", headers=elsewhere)).status == 200
    assert (await bench.raw("GET", "/healthz", headers=there)).status == 200
    bench.now_s += 1.0
    assert (await bench.raw("GET", "/v1/avatars", headers=there)).status == 200


async def test_new_sessions_have_a_rate_of_their_own(start: Start) -> None:
    bench = await start(sessions_per_min=2.0)
    codes = [(await bench.call("POST", "/v1/sessions", json={}))[0] for _ in range(3)]
    assert codes == [201, 201, 429]


async def test_the_server_key_is_not_held(start: Start) -> None:
    bench = await start(sessions_per_min=1.0, requests_per_s=1.0, api_keys=(KEY,))
    codes = [(await bench.call("POST", "/v1/sessions", json={}, headers=AUTH))[0] for _ in range(6)]
    assert codes == [201] * 6


async def test_an_unexpected_error_leaks_nothing_and_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    session = await bench.session()
    session.failure = RuntimeError("secret at /etc/anima/key.pem")
    with caplog.at_level(logging.ERROR):
        response = await bench.raw("POST", f"/v1/sessions/{session.id}/chat", json={"text": "x"})
    text = await response.text()
    assert response.status == 500 and "secret" not in text and "RuntimeError" not in text and "Traceback" not in text
    incident = json.loads(text)["error"]["message"].partition("incident ")[2].rstrip(")")
    assert incident in caplog.text and "/etc/anima/key.pem" in caplog.text


@pytest.mark.parametrize("error", [PackError("/home/x/packs is corrupt"), ConfigError("key = hunter2")])
async def test_our_own_faults_are_not_told_either(bench: Bench, error: Exception) -> None:
    session = await bench.session()
    session.failure = error
    status, answer = await bench.call("POST", f"/v1/sessions/{session.id}/interrupt")
    assert status == 500 and str(error) not in str(answer)


async def test_a_conflict_in_the_session_is_told(bench: Bench) -> None:
    session = await bench.session()
    session.failure = Conflict("two offers at once", field="pc_id", limit="one")
    status, answer = await bench.call("POST", f"/v1/sessions/{session.id}/chat", json={"text": "x"})
    assert status == 409
    assert answer == {"error": {"type": "conflict", "message": "two offers at once", "field": "pc_id", "limit": "one"}}


async def test_unknown_routes_and_methods_are_json(bench: Bench) -> None:
    for method in ("GET", "POST"):
        status, answer = await bench.call(method, "/v1/nothing")
        assert status == 404 and answer["error"]["type"] == "not_found"
    response = await bench.raw("PUT", "/v1/sessions")
    assert response.status == 405 and "POST" in response.headers["Allow"]
    assert (await response.json())["error"]["type"] == "method_not_allowed"


async def test_every_answer_carries_security_headers(bench: Bench) -> None:
    for path in ("/healthz", "/v1/nothing", "/docs"):
        headers = (await bench.raw("GET", path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff" and "default-src" in headers["Content-Security-Policy"]
    assert (await bench.raw("GET", "/v1/avatars")).headers["Cache-Control"] == "no-store"


async def test_catalogues(bench: Bench) -> None:
    _, avatars = await bench.call("GET", "/v1/avatars")
    assert [(one["name"], one["default"]) for one in avatars["avatars"]] == [("mira", True), ("juno", False)]
    _, voices = await bench.call("GET", "/v1/voices")
    assert voices["voices"][0]["languages"] == ["en-GB"]
    _, motion = await bench.call("GET", "/v1/primitives")
    assert motion["gestures"] == ["nod", "wave"] and "happy" in motion["emotions"]
    assert [one["cueable"] for one in motion["primitives"]] == [False, True, True]
    _, scenes = await bench.call("GET", "/v1/scenes")
    assert [(one["name"], one["budget_ms"], len(one["contents"])) for one in scenes["scenes"]] == [
        ("host", 400, 0),
        ("commerce", 400, 1),
    ]


async def test_health_readiness_and_metrics(bench: Bench) -> None:
    assert await bench.call("GET", "/healthz") == (200, {"status": "ok"})
    assert (await bench.call("GET", "/readyz"))[0] == 200
    bench.services.parts["voice"] = False
    status, answer = await bench.call("GET", "/readyz")
    assert status == 503 and answer["parts"] == {"voice": False, "avatar": True, "accepting": True}
    await bench.session()
    response = await bench.raw("GET", "/metrics")
    text = await response.text()
    assert "anima_sessions 1.0" in text and "anima_resident_memory_bytes" in text
    assert 'anima_http_requests_total{route="/v1/sessions",status="201"} 1.0' in text
    assert "unmatched" not in text


async def test_two_applications_share_nothing() -> None:
    one, other = (create_app(FakeServices(), Config()) for _ in range(2))
    one[STATE].tokens.issue("s", 0.0)
    assert len(other[STATE].tokens) == 0


async def test_services_start_and_close_with_the_application(start: Start) -> None:
    bench = await start()
    session = await bench.session()
    assert bench.services.life == ["start"]
    await bench.client.close()
    assert bench.services.life == ["start", "close"]
    assert bench.services.sessions.closed == [(session.id, "shutdown")]


def test_a_default_that_does_not_exist_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"avatar = 'nobody' .* mira, juno"):
        create_app(FakeServices(), Config(avatar="nobody"))


async def test_the_specification_names_every_operation(bench: Bench) -> None:
    _, spec = await bench.call("GET", "/openapi.json")
    for operation in OPERATIONS:
        described = spec["paths"][operation.path][operation.method.lower()]
        assert described["summary"] == operation.summary
        assert operation.auth == "none" or described["security"]
    names = [one["operationId"] for path in spec["paths"].values() for one in path.values()]
    assert len(names) == len(set(names)), "operation ids are unique"
    references = {part.split('"')[0] for part in json.dumps(spec).split("#/components/schemas/")[1:]}
    assert references <= set(spec["components"]["schemas"])
    page = await bench.raw("GET", "/docs")
    text = await page.text()
    assert page.content_type == "text/html" and "<script" not in text and "http://" not in text
    assert all(operation.path.replace("{", "&#x7b;") in text or operation.path in text for operation in OPERATIONS)


def test_every_path_stands_in_the_documentation() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")
    for operation in OPERATIONS:
        assert operation.path in text, f"{operation.path} is not in docs/api.md"


def test_error_kinds_are_snake_case() -> None:
    assert kind_of(Conflict("x")) == "conflict" and kind_of(PackError("x")) == "pack_error"


SLOTS = [
    "avatar", "scene", "content", "language", "voice", "max_response_time_ms", "partial_update", "cache_hint", "label",
    "x",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(SLOTS), JSON, max_size=5) | JSON)
async def test_no_body_breaks_the_server(bench: Bench, body: object) -> None:
    text = json.dumps(body)
    headers = {"Content-Type": "application/json"}
    bench.now_s += 3600.0
    bench.services.sessions.running.clear()
    for path in ("/v1/sessions", "/api/offer"):
        status, answer = await bench.call("POST", path, data=text, headers=headers)
        assert status in (201, 400, 422), answer


async def test_a_body_that_is_not_packed_as_it_says_is_the_client_s_fault(bench: Bench) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, answer = await bench.call("POST", "/v1/sessions", data=b"hello", headers=headers)
    assert (status, answer["error"]["type"], answer["error"]["field"]) == (400, "malformed", "body")
