"""The outputs' routes: who may begin one, what is told, and what is refused."""

from typing import Any

import pytest

from server.outputs.book import OutputWish
from tests.server.conftest import AUTH, KEY, Bench, Start

SECRET = "live_5Tr3amK3y"


@pytest.fixture
async def keyed(start: Start) -> Bench:
    return await start(api_keys=(KEY,))


async def test_one_output(keyed: Bench) -> None:
    _, made = await keyed.call("POST", "/v1/sessions", json={}, headers=AUTH)
    root = f"/v1/sessions/{made['id']}/outputs"
    body = {"kind": "rtmp", "url": "rtmp://a.example/live", "secret": SECRET}
    status, output = await keyed.call("POST", root, json=body, headers=AUTH)
    assert status == 201 and output["state"] == "live"
    (wish,) = keyed.services.sessions.running["s1"].outputs.wishes
    assert wish == OutputWish("rtmp", "rtmp://a.example/live", SECRET) and SECRET not in repr(wish)
    token = {"Authorization": f"Bearer {made['token']}"}
    assert (await keyed.call("POST", root, json=body, headers=token))[0] == 403, "a token publishes nowhere"
    assert (await keyed.call("GET", root, headers=token))[1]["outputs"] == [output]
    assert (await keyed.call("GET", f"{root}/{output['id']}", headers=token)) == (200, output)
    status, ended = await keyed.call("DELETE", f"{root}/{output['id']}", headers=token)
    assert status == 200 and ended["state"] == "ended"
    assert (await keyed.call("DELETE", f"{root}/other", headers=AUTH))[0] == 404
    assert (await keyed.call("GET", root))[0] == 401


@pytest.mark.parametrize(
    "body", [{}, {"kind": "avi"}, {"kind": "mp4", "x": 1}, {"kind": "mp4", "sound": "mp3"}, {"kind": "mp4", "name": 5}]
)
async def test_bad_bodies(keyed: Bench, body: dict[str, Any]) -> None:
    _, made = await keyed.call("POST", "/v1/sessions", json={}, headers=AUTH)
    assert (await keyed.call("POST", f"/v1/sessions/{made['id']}/outputs", json=body, headers=AUTH))[0] == 422
