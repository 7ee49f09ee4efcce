"""`PATCH /v1/sessions/{id}/viewers/{pc_id}`: who may promote a viewer, and to what."""

import pytest

from client.sdk import AnimaClient, NotAllowed, NotFound
from tests.server.conftest import AUTH, KEY, Start
from tests.server.test_scopes import with_scope

OFFER = {"sdp": "v=0", "type": "offer"}


async def test_the_key_promotes_and_a_token_no_further_than_itself(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    session_id, token = await with_scope(bench, "direct")
    _, answer = await bench.call("POST", f"/api/offer?session={session_id}", json=OFFER, headers=AUTH)
    path = f"/v1/sessions/{session_id}/viewers/{answer['pc_id']}"
    status, found = await bench.call("PATCH", path, json={"scopes": ["talk", "view"]}, headers=AUTH)
    assert status == 200 and found == {"pc_id": answer["pc_id"], "scopes": ["talk", "view"]}
    noted = bench.services.sessions.running[session_id].calls
    assert ("permit", (answer["pc_id"], frozenset({"talk", "view"}))) in noted
    status, found = await bench.call("PATCH", path, json={"scopes": ["talk"]}, headers=token)
    assert status == 403 and (found["error"]["field"], found["error"]["limit"]) == ("scopes", "direct")
    assert (await bench.call("PATCH", path, json={"scopes": ["direct"]}, headers=token))[0] == 200
    assert (await bench.call("PATCH", path, json={"scopes": ["fly"]}, headers=AUTH))[0] == 422
    assert (await bench.call("PATCH", path, json={"scopes": []}, headers=AUTH))[0] == 422
    assert (await bench.call("PATCH", path, json={"scopes": ["view"]}))[0] == 401


@pytest.mark.parametrize("scope", ["view", "talk"])
async def test_who_may_not_direct_promotes_nobody(start: Start, scope: str) -> None:
    bench = await start(api_keys=(KEY,))
    session_id, token = await with_scope(bench, scope)
    path = f"/v1/sessions/{session_id}/viewers/any"
    assert (await bench.call("PATCH", path, json={"scopes": [scope]}, headers=token))[0] == 403


async def test_the_sdk_promotes(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    session = await bench.session()
    session.peers.add("guest")
    async with AnimaClient(str(bench.client.make_url("")), KEY) as client:
        await client.session(session.id).permit_viewer("guest", ["view", "talk"])
        with pytest.raises(NotFound):
            await client.session(session.id).permit_viewer("nobody", ["view"])
    async with AnimaClient(str(bench.client.make_url(""))) as stranger:
        with pytest.raises(NotAllowed):
            await stranger.session(session.id).permit_viewer("guest", ["view"])
