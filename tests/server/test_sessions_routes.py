"""`/v1/sessions` and its calls, on good and bad input."""

import logging
from typing import Any

import pytest

from realtime.core.errors import Malformed, UpstreamError
from realtime.core.facs import Emotion
from server.surfaces import Cue
from tests.server.conftest import AUTH, KEY, Bench, Start


async def test_a_session_is_created_shown_and_ended(bench: Bench) -> None:
    status, made = await bench.call("POST", "/v1/sessions", json={"label": "booth 3", "language": "en"})
    assert status == 201
    assert made["offer_url"] == f"/api/offer?session={made['id']}"
    assert len(made["token"]) >= 40 and made["expires_at"].endswith("Z") and made["ice_servers"] == []
    status, shown = await bench.call("GET", f"/v1/sessions/{made['id']}")
    assert status == 200 and shown["label"] == "booth 3" and shown["viewers"] == 0 and shown["avatar"] == "mira"
    assert (await bench.call("DELETE", f"/v1/sessions/{made['id']}"))[0] == 204
    assert bench.services.sessions.closed == [(made["id"], "ended by request")]
    status, gone = await bench.call("GET", f"/v1/sessions/{made['id']}")
    assert status == 404 and gone["error"]["type"] == "not_found"


async def test_a_session_without_a_body_gets_the_defaults(bench: Bench) -> None:
    status, made = await bench.call("POST", "/v1/sessions")
    spec = bench.services.sessions.running[made["id"]].spec
    assert status == 201 and (spec.avatar, spec.language, spec.voice, spec.scene) == ("mira", "en", "british", "host")


async def test_the_voice_follows_the_language(bench: Bench) -> None:
    assert (await bench.session(language="zh-CN")).spec.voice == "mandarin"


@pytest.mark.parametrize(
    ("wish", "field", "listed"),
    [
        ({"avatar": "nobody"}, "avatar", "mira, juno"),
        ({"voice": "nobody"}, "voice", "british, mandarin"),
        ({"voice": "mandarin", "language": "en"}, "voice", "british"),
        ({"language": "tlh"}, "language", "cmn, en-GB, zh"),
        ({"scene": "moon"}, "scene", "host"),
        ({"cache_hint": ["nod", "fly"]}, "cache_hint[1]", "idle, nod, wave"),
        ({"avatr": "mira"}, "avatr", "known fields: avatar"),
        ({"max_response_time_ms": 5}, "max_response_time_ms", None),
        ({"max_response_time_ms": "100"}, "max_response_time_ms", None),
        ({"partial_update": 1}, "partial_update", None),
        ({"cache_hint": "nod"}, "cache_hint", None),
        ({"label": "x" * 201}, "label", None),
        ({"priority": "urgent"}, "priority", None),
    ],
)
async def test_a_wish_that_cannot_be_met_is_named(
    bench: Bench, wish: dict[str, Any], field: str, listed: str | None
) -> None:
    status, answer = await bench.call("POST", "/v1/sessions", json=wish)
    assert status == 422 and answer["error"]["field"] == field, answer
    assert listed is None or listed in answer["error"]["limit"]
    assert not bench.services.sessions.running


async def test_no_room_is_503_with_a_time_to_come_back(start: Start) -> None:
    bench = await start(max_sessions=1)
    await bench.session()
    response = await bench.raw("POST", "/v1/sessions", json={})
    assert response.status == 503 and int(response.headers["Retry-After"]) >= 1
    assert bench.services.metrics.value("anima_sessions_refused_total", reason="sessions") == 1
    assert len(bench.services.sessions.running) == 1


async def test_a_priority_reaches_the_session(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    assert (await bench.session()).spec.priority == "normal"
    assert (await bench.session(priority="low")).spec.priority == "low"
    assert (await bench.session(priority="high")).spec.priority == "high"


async def test_a_visitor_gets_no_high_priority(start: Start) -> None:
    bench = await start(api_keys=(KEY,), public_sessions=2)
    status, answer = await bench.call("POST", "/v1/sessions", json={"priority": "high"})
    assert status in (401, 403) and not bench.services.sessions.running, answer


async def test_lasting_pressure_refuses_what_would_add_to_it(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    bench = await start()
    bench.services.sessions.pressed_s = 5.0
    session = await bench.session()
    with caplog.at_level(logging.INFO):
        response = await bench.raw("POST", "/v1/sessions", json={})
    assert response.status == 503 and int(response.headers["Retry-After"]) >= 1
    assert bench.services.metrics.value("anima_sessions_refused_total", reason="pressure") == 1
    assert "a session is refused: running sessions have been held up for 5.0 s" in caplog.text
    bench.services.sessions.pressed_s = 0.4
    assert (await bench.session()).id != session.id, "a short burst refuses nobody"


async def test_a_rate_and_a_shutdown_are_refusals_too(start: Start) -> None:
    bench = await start(sessions_per_min=1.0)
    await bench.session()
    assert (await bench.raw("POST", "/v1/sessions", json={})).status == 429
    bench.now_s += 60.0
    bench.state.draining = True
    assert (await bench.raw("POST", "/v1/sessions", json={})).status == 503
    value = bench.services.metrics.value
    assert [value("anima_sessions_refused_total", reason=why) for why in ("rate", "draining")] == [1, 1]


async def test_say_reaches_the_session(bench: Bench) -> None:
    session = await bench.session()
    body = {"text": "Hello [wave]", "emotion": "happy", "intensity": 0.5, "interrupt": True}
    status, answer = await bench.call("POST", f"/v1/sessions/{session.id}/say", json=body)
    assert (status, answer) == (202, {"accepted": True})
    await bench.call("POST", f"/v1/sessions/{session.id}/say", json={"ssml": "<speak>Hi</speak>"})
    assert session.calls == [
        ("say", ("Hello [wave]", False, Emotion.HAPPY, 0.5, True)),
        ("say", ("<speak>Hi</speak>", True, None, 1.0, False)),
    ]


@pytest.mark.parametrize("field", ["text", "ssml"])
async def test_a_script_that_cannot_be_read_is_named_as_it_was_sent(bench: Bench, field: str) -> None:
    session = await bench.session()
    session.failure = Malformed("unclosed token", field="text")
    status, answer = await bench.call("POST", f"/v1/sessions/{session.id}/say", json={field: "<speak><bad"})
    assert status == 400 and answer["error"]["field"] == field


async def test_chat_interrupt_and_cue_reach_the_session(bench: Bench) -> None:
    session = await bench.session()
    assert (await bench.call("POST", f"/v1/sessions/{session.id}/chat", json={"text": "Price?"}))[0] == 202
    assert await bench.call("POST", f"/v1/sessions/{session.id}/interrupt") == (200, {"epoch": 1})
    cue = {"gesture": "nod", "emotion": "sad", "intensity": 0.25, "gaze": [0.5, -1]}
    assert (await bench.call("POST", f"/v1/sessions/{session.id}/cue", json=cue))[0] == 202
    assert session.calls == [
        ("chat", "Price?"),
        ("interrupt", 1),
        ("cue", Cue(Emotion.SAD, 0.25, "nod", (0.5, -1.0))),
    ]


BAD_CALLS: list[tuple[str, Any, int, str]] = [
    ("say", {}, 422, "text"),
    ("say", {"text": "a", "ssml": "b"}, 422, "text"),
    ("say", {"text": ""}, 422, "text"),
    ("say", {"text": " \n\t"}, 422, "text"),
    ("say", {"text": 5}, 422, "text"),
    ("say", {"text": "x" * 5001}, 413, "text"),
    ("say", {"ssml": "x" * 5001}, 413, "ssml"),
    ("say", {"text": "a", "emotion": "bored"}, 422, "emotion"),
    ("say", {"text": "a", "intensity": 1.5}, 422, "intensity"),
    ("say", {"text": "a", "intensity": "0.5"}, 422, "intensity"),
    ("say", {"text": "a", "interrupt": "yes"}, 422, "interrupt"),
    ("say", {"text": "a", "volume": 3, "speed": 2}, 422, "volume"),
    ("chat", {}, 422, "text"),
    ("chat", {"text": None}, 422, "text"),
    ("chat", {"text": "x" * 5001}, 413, "text"),
    ("cue", {}, 422, "emotion"),
    ("cue", {"gesture": "fly"}, 422, "gesture"),
    ("cue", {"gesture": "nod", "motion": "nods"}, 422, "motion"),
    ("cue", {"motion": ""}, 422, "motion"),
    ("cue", {"gesture": "idle"}, 422, "gesture"),
    ("cue", {"emotion": "HAPPY"}, 422, "emotion"),
    ("cue", {"gaze": [0.0]}, 422, "gaze"),
    ("cue", {"gaze": [0.0, 2.0]}, 422, "gaze[1]"),
]


@pytest.mark.parametrize(("call", "body", "expected", "field"), BAD_CALLS)
async def test_bad_calls_are_refused_with_their_field(
    bench: Bench, call: str, body: Any, expected: int, field: str
) -> None:
    session = await bench.session()
    status, answer = await bench.call("POST", f"/v1/sessions/{session.id}/{call}", json=body)
    assert status == expected and answer["error"]["field"] == field, answer
    assert session.calls == []


async def test_unknown_names_come_with_what_exists(bench: Bench) -> None:
    session = await bench.session()
    _, answer = await bench.call("POST", f"/v1/sessions/{session.id}/cue", json={"emotion": "bored"})
    assert answer["error"]["limit"] == "angry, disgust, fear, happy, sad, surprise, neutral"
    _, answer = await bench.call("POST", f"/v1/sessions/{session.id}/cue", json={"gesture": "fly"})
    assert answer["error"]["limit"] == "nod, wave"
    _, answer = await bench.call("POST", f"/v1/sessions/{session.id}/say", json={"text": "a" * 6000})
    assert answer["error"]["limit"] == "5000 characters"


@pytest.mark.parametrize(
    ("raw", "content_type", "expected"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"hello"', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"text": NaN}', "application/json", 400),
        (b'{"text": "\\ud800"}', "application/json", 400),
        (b'{"a":' * 50_000, "application/json", 400),
        (b'{"text": "hi"}', "text/plain", 415),
        (b"text=hi", "application/x-www-form-urlencoded", 415),
        (b'{"text": "' + b"x" * 300_000 + b'"}', "application/json", 413),
    ],
)
async def test_bodies_that_are_no_json_are_refused(bench: Bench, raw: bytes, content_type: str, expected: int) -> None:
    session = await bench.session()
    path = f"/v1/sessions/{session.id}/say"
    status, answer = await bench.call("POST", path, data=raw, headers={"Content-Type": content_type})
    assert status == expected and set(answer["error"]) == {"type", "message", "field", "limit"}
    assert session.calls == []


@pytest.mark.parametrize(("method", "call"), [("GET", ""), ("DELETE", ""), ("POST", "/say"), ("POST", "/chat")])
async def test_an_unknown_session_is_404(bench: Bench, method: str, call: str) -> None:
    status, answer = await bench.call(method, f"/v1/sessions/none{call}", json={"text": "x"})
    assert status == 404 and answer["error"]["field"] == "session"


async def test_a_failing_model_is_502_and_tells_nothing(bench: Bench) -> None:
    session = await bench.session()
    session.failure = UpstreamError("http://10.0.0.7:8000 said: bad key sk-12345")
    status, answer = await bench.call("POST", f"/v1/sessions/{session.id}/chat", json={"text": "x"})
    assert status == 502 and "10.0.0.7" not in str(answer) and "sk-12345" not in str(answer)


async def test_keys_are_accepted_as_headers(start: Start) -> None:
    bench = await start(api_keys=("a-key-of-enough-length",))
    assert (await bench.call("POST", "/v1/sessions", json={}, headers=AUTH))[0] == 201
