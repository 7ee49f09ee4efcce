"""Tokens with fewer rights: what each scope opens over HTTP and over the data channel, and what it does not."""

import json
import re
from typing import Any, cast

import pytest
from aiohttp import FormData

from realtime.core import wire
from server.app import OPERATIONS
from server.auth import SCOPES, Scope
from server.metrics import Metrics
from server.sessions.inbox import SCOPE_OF, Directed, Inbox
from tests.server.conftest import AUTH, KEY, Bench, Start
from tests.server.test_recordings import sound_file

SDP = {"Content-Type": "application/sdp"}
CALLS: list[tuple[str, str, dict[str, Any], str]] = [
    ("GET", "/v1/sessions/{id}", {}, "view"),
    ("POST", "/api/offer?session={id}", {"json": {"sdp": "v=0", "type": "offer"}}, "view"),
    ("POST", "/whep/{id}", {"data": "v=0", "headers": SDP}, "view"),
    ("POST", "/offer", {"json": {"sdp": "v=0", "type": "offer"}}, "view"),
    ("POST", "/is_speaking", {"json": {"sessionid": "{id}"}}, "view"),
    ("POST", "/v1/sessions/{id}/chat", {"json": {"text": "hi"}}, "talk"),
    ("POST", "/v1/sessions/{id}/interrupt", {}, "talk"),
    ("POST", "/whip/{id}", {"data": "v=0", "headers": SDP}, "talk"),
    ("POST", "/human", {"json": {"sessionid": "{id}", "text": "x", "type": "chat"}}, "talk"),
    ("POST", "/human", {"json": {"sessionid": "{id}", "text": "x", "type": "echo"}}, "direct"),
    ("POST", "/v1/sessions/{id}/say", {"json": {"text": "hi"}}, "direct"),
    ("POST", "/v1/sessions/{id}/cue", {"json": {"gesture": "nod"}}, "direct"),
    ("POST", "/humanaudio", {"form": True}, "direct"),
    ("DELETE", "/v1/sessions/{id}", {}, "direct"),
]


async def with_scope(bench: Bench, scope: str) -> tuple[str, dict[str, str]]:
    _, made = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    path = f"/v1/sessions/{made['id']}/tokens"
    status, token = await bench.call("POST", path, json={"scopes": [scope]}, headers=AUTH)
    assert status == 201 and token["scopes"] == [scope]
    return made["id"], {"Authorization": f"Bearer {token['token']}"}


CLOSED = [one for one in OPERATIONS if one.auth == "key"]


@pytest.mark.parametrize("index", range(len(CLOSED)), ids=lambda i: f"{CLOSED[i].method} {CLOSED[i].path}")
async def test_what_takes_the_key_is_closed_to_tokens_and_to_strangers(start: Start, index: int) -> None:
    bench, wanted = await start(api_keys=(KEY,)), CLOSED[index]
    session_id, token = await with_scope(bench, "direct")
    path = re.sub(r"{\w+}", session_id, wanted.path)
    body: dict[str, Any] = {"json": {}} if wanted.body is not None else {}
    if wanted.text_body:
        body = {"data": b"x", "headers": {"Content-Type": wanted.text_body}}
    headers = body.pop("headers", {})
    assert (await bench.raw(wanted.method, path, headers=headers, **body)).status == 401
    assert (await bench.raw(wanted.method, path, headers=headers | token, **body)).status == 403


@pytest.mark.parametrize(("method", "path", "sent", "needed"), CALLS)
@pytest.mark.parametrize("scope", SCOPES)
async def test_each_call_takes_its_scope(
    start: Start, method: str, path: str, sent: dict[str, Any], needed: str, scope: str
) -> None:
    bench = await start(api_keys=(KEY,))
    session_id, token = await with_scope(bench, scope)
    options = {key: value for key, value in sent.items() if key in ("json", "data")}
    if "json" in options:
        options["json"] = {k: v.replace("{id}", session_id) for k, v in options["json"].items()}
    if "form" in sent:
        form = FormData(default_to_multipart=True)
        form.add_field("sessionid", session_id)
        form.add_field("file", sound_file("wav", "pcm_s16le", 0.1), filename="a.wav", content_type="audio/wav")
        options["data"] = form
    headers = sent.get("headers", {}) | token
    answer = await bench.raw(method, path.replace("{id}", session_id), headers=headers, **options)
    assert (answer.status == 403) == (scope != needed), await answer.text()
    if scope == needed:
        assert answer.status < 300, await answer.text()


async def test_only_the_key_makes_tokens(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    session_id, token = await with_scope(bench, "direct")
    path = f"/v1/sessions/{session_id}/tokens"
    assert (await bench.call("POST", path, json={"scopes": ["view"]}, headers=token))[0] == 403
    for scopes in ([], ["all"], ["view"] * 4, None):
        assert (await bench.call("POST", path, json={"scopes": scopes}, headers=AUTH))[0] == 422
    for _ in range(63):
        assert (await bench.call("POST", path, json={"scopes": ["view"]}, headers=AUTH))[0] == 201
    assert (await bench.call("POST", path, json={"scopes": ["view"]}, headers=AUTH))[0] == 409


def test_messages_that_make_the_host_do_something_take_a_scope() -> None:
    harmless = {wire.ClientReady, wire.Stats, wire.FramesShown, wire.TrackStatus, wire.Ping, wire.Camera}
    assert set(SCOPE_OF) | harmless == set(wire.ClientMessage.__args__)
    assert set(SCOPE_OF.values()) == {"talk", "direct"}


class Untouched:
    """A session that no message may reach."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was touched")


@pytest.mark.parametrize("scopes", [{"view"}, {"view", "talk"}])
def test_a_viewer_without_the_scope_is_answered_and_reaches_nothing(scopes: set[Scope]) -> None:
    sent: list[str] = []

    class Session(Untouched):
        conductor = None

    inbox = Inbox(
        cast(Directed, Session()), sent.append, clock=lambda: 0.0, metrics=Metrics(), messages_per_s=10.0,
        text_limit_chars=100, about=dict, scopes=lambda: frozenset(scopes),
    )  # fmt: skip
    data = {"t": "say", "d": {"text": "x"}}
    inbox.receive(json.dumps({"label": "rtvi-ai", "type": "client-message", "id": "1", "data": data}))
    answer = json.loads(sent[-1])
    assert answer["type"] == "error-response" and "scope" in json.dumps(answer["data"])
