"""The DashScope-shaped call: a session comes out, unknown fields are named."""

from typing import Any

import pytest

from tests.server.conftest import AUTH, KEY, Bench, Start

PATH = "/api/v1/services/aigc/video-generation"
BODY = {
    "model": "qwen-video",
    "input": {"prompt": "A doctor explains the heart.", "interaction_mode": "real_time", "max_response_time_ms": 400},
    "parameters": {"streaming": True, "partial_update": True, "cache_hint": ["doctor_appearance", "wave"]},
}


async def test_a_session_comes_out(start: Start) -> None:
    bench = await start(api_keys=(KEY,), public_url="https://host.example")
    status, answer = await bench.call("POST", PATH, json=BODY, headers=AUTH)
    assert status == 200 and answer["request_id"] and answer["token"]
    assert answer["whep_url"] == f"https://host.example/whep/{answer['id']}"
    assert answer["output"] == {
        "task_id": answer["id"], "task_status": "RUNNING", "ignored_cache_hints": ["doctor_appearance"],
    }  # fmt: skip
    session = bench.services.sessions.running[answer["id"]]
    assert session.calls == [("chat", "A doctor explains the heart.")]
    assert session.spec.max_response_time_ms == 400 and session.spec.cache_hint == ("wave",)
    assert session.spec.label == "qwen-video" and session.spec.avatar == "mira"


async def test_a_model_may_be_an_avatar(bench: Bench) -> None:
    _, answer = await bench.call("POST", PATH, json={"model": "juno", "input": {"prompt": "Hello"}})
    assert bench.services.sessions.running[answer["id"]].spec.avatar == "juno"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (BODY | {"resources": []}, "resources"),
        (BODY | {"input": {"prompt": "x", "negative_prompt": "y"}}, "input.negative_prompt"),
        (BODY | {"parameters": {"streaming": True, "size": "1"}}, "parameters.size"),
        (BODY | {"parameters": {"streaming": False}}, "parameters.streaming"),
        (BODY | {"input": {"prompt": ""}}, "input.prompt"),
        (BODY | {"input": {"prompt": "x", "interaction_mode": "batch"}}, "input.interaction_mode"),
        (BODY | {"input": {"prompt": "x", "max_response_time_ms": 1}}, "input.max_response_time_ms"),
        ({"model": "m"}, "input"),
        ({"input": {"prompt": "x"}}, "model"),
    ],
)
async def test_what_is_wrong_is_named(bench: Bench, body: Any, field: str) -> None:
    status, answer = await bench.call("POST", PATH, json=body)
    assert status == 422 and answer["error"]["field"] == field, answer
    assert not bench.services.sessions.running


async def test_it_takes_the_server_key(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    assert (await bench.call("POST", PATH, json=BODY))[0] == 401
