"""`/api/offer`: joining with and without a session, trickling, and what is refused."""

from typing import Any

import pytest

from tests.server.conftest import AUTH, KEY, Bench, Start

SDP = {"sdp": "v=0\r\n", "type": "offer"}


async def test_an_offer_joins_its_session(bench: Bench) -> None:
    session = await bench.session()
    status, answer = await bench.call("POST", f"/api/offer?session={session.id}", json=SDP)
    assert status == 200 and answer == {"sdp": "v=0\r\n", "type": "answer", "pc_id": "s1-peer-0"}
    assert session.calls == [("offer", SDP | {"pc_id": None, "restart_pc": None})]


@pytest.mark.parametrize("place", ["query", "body", "request_data", "requestData", "token"])
async def test_a_token_may_come_in_several_places(start: Start, place: str) -> None:
    bench = await start(api_keys=(KEY,))
    _, made = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    named = {"session": made["id"], "token": made["token"]}
    path, body = "/api/offer", dict(SDP)
    if place == "query":
        path += f"?session={named['session']}&token={named['token']}"
    elif place == "body":
        body |= named
    elif place == "token":
        body |= {"token": made["token"]}
    else:
        body |= {place: named}  # type: ignore[dict-item]  # the body's own nesting
    status, answer = await bench.call("POST", path, json=body)
    assert status == 200, answer
    candidates = {"pc_id": answer["pc_id"], "candidates": []}
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert (await bench.call("PATCH", "/api/offer", json=candidates, headers=headers))[0] == 200


async def test_an_offer_without_session_opens_one_on_an_open_server(bench: Bench) -> None:
    status, answer = await bench.call("POST", "/api/offer", json=SDP)
    assert status == 200 and list(bench.services.sessions.running) == ["s1"]
    candidate = {"candidate": "candidate:1 1 UDP 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
    body = {"pc_id": answer["pc_id"], "candidates": [candidate, {"candidate": ""}]}
    assert await bench.call("PATCH", "/api/offer", json=body) == (200, {"status": "success"})
    session = bench.services.sessions.running["s1"]
    assert session.calls[-1][1]["candidates"][0] == {
        "candidate": candidate["candidate"], "sdp_mid": "0", "sdp_mline_index": 0,
    }  # fmt: skip
    again = SDP | {"pc_id": answer["pc_id"], "restart_pc": True}
    assert (await bench.call("POST", "/api/offer", json=again))[0] == 200
    assert list(bench.services.sessions.running) == ["s1"], "renegotiation stays in its session"


async def test_a_viewer_from_before_a_restart_starts_anew(bench: Bench) -> None:
    status, answer = await bench.call("POST", "/api/offer", json=SDP | {"pc_id": "old", "restart_pc": True})
    assert status == 200 and answer["pc_id"] == "s1-peer-0"


async def test_a_failed_first_offer_leaves_no_session(bench: Bench) -> None:
    status, answer = await bench.call("POST", "/api/offer", json={"sdp": "garbage", "type": "offer"})
    assert status == 400 and answer["error"]["field"] == "sdp"
    assert not bench.services.sessions.running and not bench.state.used_s and len(bench.state.tokens) == 0


async def test_a_bad_offer_does_not_end_a_running_session(bench: Bench) -> None:
    session = await bench.session()
    status, _ = await bench.call("POST", f"/api/offer?session={session.id}", json={"sdp": "x", "type": "offer"})
    assert status == 400 and session.id in bench.services.sessions.running


@pytest.mark.parametrize(
    ("body", "expected", "field"),
    [
        ({}, 422, "sdp"),
        ({"sdp": "", "type": "offer"}, 422, "sdp"),
        ({"sdp": 5, "type": "offer"}, 422, "sdp"),
        ({"sdp": "v=0", "type": "answer"}, 422, "type"),
        ({"sdp": "v=0", "type": "offer", "pc_id": 7}, 422, "pc_id"),
        ({"sdp": "v=0" + "x" * 300_000, "type": "offer"}, 413, "body"),
        ({"sdp": "v=0", "type": "offer", "session": "none"}, 404, "session"),
        ({"sdp": "v=0", "type": "offer", "session": ["none"]}, 422, "session"),
    ],
)
async def test_bad_offers(bench: Bench, body: Any, expected: int, field: str) -> None:
    status, answer = await bench.call("POST", "/api/offer", json=body)
    assert status == expected and answer["error"]["field"] == field, answer
    assert not bench.services.sessions.running


@pytest.mark.parametrize(
    ("body", "expected", "field"),
    [
        ({}, 422, "pc_id"),
        ({"pc_id": "none", "candidates": []}, 404, "pc_id"),
        ({"pc_id": "none", "candidates": "all"}, 422, "candidates"),
        ({"pc_id": "none", "candidates": [{}]}, 422, "candidates[0].candidate"),
        ({"pc_id": "none", "candidates": [{"candidate": "", "sdp_mline_index": -1}]}, 422, None),
        ({"pc_id": "none", "candidates": [{"candidate": ""}] * 101}, 422, "candidates"),
    ],
)
async def test_bad_candidates(bench: Bench, body: Any, expected: int, field: str | None) -> None:
    status, answer = await bench.call("PATCH", "/api/offer", json=body)
    assert status == expected and (field is None or answer["error"]["field"] == field), answer


async def test_with_keys_an_offer_needs_its_session(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    assert (await bench.call("POST", "/api/offer", json=SDP))[0] == 401
    assert (await bench.call("PATCH", "/api/offer", json={"pc_id": "x", "candidates": []}))[0] == 401
    status, answer = await bench.call("POST", "/api/offer", json=SDP, headers=AUTH)
    assert status == 422 and answer["error"]["field"] == "session"
    _, one = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    _, other = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    foreign = SDP | {"session": other["id"], "token": one["token"]}
    assert (await bench.call("POST", "/api/offer", json=foreign))[0] == 403
    await bench.call("POST", "/api/offer", json=SDP | {"token": other["token"]})
    peer = next(iter(bench.services.sessions.running[other["id"]].peers))
    stolen = {"pc_id": peer, "candidates": [], "token": one["token"]}
    assert (await bench.call("PATCH", "/api/offer", json=stolen))[0] == 404


async def test_default_sessions_obey_capacity(start: Start) -> None:
    bench = await start(max_sessions=1)
    assert (await bench.call("POST", "/api/offer", json=SDP))[0] == 200
    assert (await bench.call("POST", "/api/offer", json=SDP))[0] == 503
