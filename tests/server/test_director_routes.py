"""The director's routes: comments, the desk's state, stream and actions, and who may use them."""

import pytest

from tests.server.conftest import AUTH, KEY, Bench, Start


async def test_comments_are_taken_in(bench: Bench) -> None:
    session = await bench.session()
    items = [{"text": "How much?", "viewer": "Ann"}, {"kind": "order", "text": "lamp", "amount": 2}]
    answer = await bench.call("POST", f"/v1/sessions/{session.id}/comments", json={"items": items})
    assert answer == (202, {"outcomes": {"new": 2}})
    assert [(one.kind, one.text, one.viewer) for one in session.directed.items] == [
        ("comment", "How much?", "Ann"),
        ("order", "lamp", ""),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [{"text": ""}]}, "items[0].text"),
        ({"items": [{"text": "x" * 501}]}, "items[0].text"),
        ({"items": [{"text": "x"}] * 201}, "items"),
        ({"items": [{"text": "x", "kind": "bribe"}]}, "items[0].kind"),
        ({"items": [{"text": "x", "priority": 11}]}, "items[0].priority"),
        ({"items": [{"text": "x", "stars": 1}]}, "items[0].stars"),
        ({}, "items"),
    ],
)
async def test_bad_comments_are_refused_by_field(bench: Bench, body: object, field: str) -> None:
    session = await bench.session()
    status, answer = await bench.call("POST", f"/v1/sessions/{session.id}/comments", json=body)
    assert status == 422 and answer["error"]["field"] == field and session.directed.items == []


async def test_the_desk_takes_the_server_key(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    session = await bench.session()
    token = bench.state.tokens.peek(session.id)
    assert token is not None
    own = {"Authorization": f"Bearer {token.text}"}
    path = f"/v1/sessions/{session.id}/director"
    for method, where in (("GET", path), ("POST", path), ("GET", f"{path}/events"), ("GET", "/v1/sessions")):
        assert (await bench.call(method, where, json={} if method == "POST" else None))[0] == 401
        assert (await bench.call(method, where, json={} if method == "POST" else None, headers=own))[0] == 403
    assert await bench.call("GET", path, headers=AUTH) == (200, {"acts": 0})
    status, listing = await bench.call("GET", "/v1/sessions", headers=AUTH)
    assert status == 200 and listing["sessions"][0]["id"] == session.id
    body = {"items": [{"text": "x"}]}
    assert (await bench.call("POST", f"/v1/sessions/{session.id}/comments", json=body, headers=own))[0] == 202


async def test_a_person_acts(bench: Bench) -> None:
    session = await bench.session()
    path = f"/v1/sessions/{session.id}/director"
    assert (await bench.call("POST", path, json={"action": "hold"}))[0] == 202
    assert (await bench.call("POST", path, json={"action": "replace", "id": "l1", "text": "Hi."}))[0] == 202
    assert session.directed.acts == [("hold", "", ""), ("replace", "l1", "Hi.")]
    for body, field in (
        ({"action": "replace", "id": "l1", "text": " "}, "text"),
        ({"action": "juggle"}, "action"),
        ({}, "action"),
        ({"action": "hold", "text": "x" * 601}, "text"),
    ):
        status, answer = await bench.call("POST", path, json=body)
        assert status == 422 and answer["error"]["field"] == field
    assert (await bench.call("GET", "/v1/sessions/none/director"))[0] == 404


async def test_the_state_streams_until_the_session_ends(bench: Bench) -> None:
    session = await bench.session()
    session.directed.changed.set()
    async with bench.client.get(f"/v1/sessions/{session.id}/director/events") as response:
        assert response.content_type == "text/event-stream"
        assert await response.content.readline() == b"event: state\n"
        assert await response.content.readline() == b'data: {"acts": 0}\n'
        await bench.services.sessions.close(session.id, "over")
        session.directed.changed.set()
        rest = await response.content.read()
    assert rest.endswith(b"event: end\ndata: {}\n\n")


async def test_the_page_is_served_and_no_other(bench: Bench, start: Start) -> None:
    page = await bench.raw("GET", "/director")
    assert page.status == 200 and "Director" in await page.text()
    hidden = await start(page=False)
    assert (await hidden.call("GET", "/director"))[0] == 404
