"""`/whep` and `/whip` over HTTP: every status, header and method that the drafts ask for."""

from typing import Any

import pytest

from server.routes.rtc_resources import OPERATIONS
from tests.server.conftest import AUTH, KEY, Bench, Start

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
CANDIDATE = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 UDP 1 192.0.2.1 9 typ host\r\n"
SAME = "a=ice-ufrag:old1\r\na=ice-pwd:" + "p" * 22 + "\r\n"
NEW = "a=ice-ufrag:new1\r\na=ice-pwd:" + "q" * 22 + "\r\n"
DIRECTIONS = sorted({operation.group.lower() for operation in OPERATIONS})


@pytest.fixture(params=DIRECTIONS)
def direction(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def opened(bench: Bench, direction: str) -> tuple[str, str]:
    session = await bench.session()
    made = await bench.raw("POST", f"/{direction}/{session.id}", data="v=0\r\n", headers=SDP)
    assert made.status == 201, await made.text()
    return made.headers["Location"], made.headers["ETag"]


async def test_an_offer_makes_a_resource(bench: Bench, direction: str) -> None:
    session = await bench.session()
    made = await bench.raw("POST", f"/{direction}/{session.id}", data="v=0\r\n", headers=SDP)
    assert made.status == 201 and await made.text() == "v=0\r\n"
    assert made.headers["Content-Type"] == "application/sdp"
    assert made.headers["Location"] == f"/{direction}/{session.id}/r0"
    assert made.headers["ETag"] == '"r0-1"' and made.headers["Cache-Control"] == "no-store"
    assert made.headers["Accept-Patch"] == FRAGMENT["Content-Type"]


async def test_the_sessions_json_names_its_addresses(start: Start, direction: str) -> None:
    bench = await start(public_url="https://host.example/")
    _, made = await bench.call("POST", "/v1/sessions", json={})
    assert made[f"{direction}_url"] == f"https://host.example/{direction}/{made['id']}"
    _, shown = await bench.call("GET", f"/v1/sessions/{made['id']}")
    assert shown[f"{direction}_url"] == made[f"{direction}_url"]


@pytest.mark.parametrize(
    ("headers", "body", "expected", "field"),
    [
        ({"Content-Type": "application/json"}, "{}", 415, "Content-Type"),
        ({"Content-Type": "text/plain"}, "v=0", 415, "Content-Type"),
        (SDP, "", 400, "sdp"),
        (SDP, "garbage", 400, "sdp"),
        (SDP, "v=0" + "x" * 70_000, 413, "body"),
        (SDP, "v=0" + "x" * 300_000, 413, "body"),
        (SDP | {"Accept": "text/html"}, "v=0", 406, "Accept"),
    ],
)
async def test_bad_offers(bench: Bench, direction: str, headers: Any, body: str, expected: int, field: str) -> None:
    session = await bench.session()
    status, answer = await bench.call("POST", f"/{direction}/{session.id}", data=body, headers=headers)
    assert status == expected and answer["error"]["field"] == field, answer


@pytest.mark.parametrize("accept", ["application/sdp", "text/html, application/*;q=0.1", "*/*"])
async def test_an_accepted_type(bench: Bench, direction: str, accept: str) -> None:
    session = await bench.session()
    headers = SDP | {"Accept": accept}
    assert (await bench.raw("POST", f"/{direction}/{session.id}", data="v=0", headers=headers)).status == 201


async def test_candidates_are_trickled(bench: Bench, direction: str) -> None:
    location, tag = await opened(bench, direction)
    for header in ("If-Match", "ETag"):
        headers = FRAGMENT | {header: tag}
        done = await bench.raw("PATCH", location, data=SAME + CANDIDATE, headers=headers)
        assert done.status == 204, await done.text()
    kind = "play" if direction == "whep" else "publish"
    fragments = bench.services.sessions.running["s1"].resources[kind].trickled
    assert len(fragments) == 2 and fragments[0].candidates[0].mid == "0"


@pytest.mark.parametrize(
    ("headers", "body", "expected", "field"),
    [
        (FRAGMENT, CANDIDATE, 428, "If-Match"),
        (FRAGMENT | {"If-Match": '"other"'}, CANDIDATE, 412, "If-Match"),
        (FRAGMENT | {"If-Match": '"r0-1"'}, NEW + CANDIDATE, 412, "If-Match"),
        (SDP | {"If-Match": '"r0-1"'}, CANDIDATE, 415, "Content-Type"),
        (FRAGMENT | {"If-Match": '"r0-1"'}, "no fragment", 400, "body"),
        (FRAGMENT | {"If-Match": '"r0-1"'}, "a=ice-ufrag:only\r\n", 422, "body"),
        (FRAGMENT | {"If-Match": '"r0-1"'}, "a=x:" + "y" * 40_000, 413, "body"),
    ],
)
async def test_bad_fragments(bench: Bench, direction: str, headers: Any, body: str, expected: int, field: str) -> None:
    location, _ = await opened(bench, direction)
    status, answer = await bench.call("PATCH", location, data=body, headers=headers)
    assert status == expected and answer["error"]["field"] == field, answer
    assert (await bench.raw("PATCH", location, data=CANDIDATE, headers=FRAGMENT | {"If-Match": "*"})).status == 204


async def test_a_restart_gives_a_new_tag(bench: Bench, direction: str) -> None:
    location, tag = await opened(bench, direction)
    done = await bench.raw("PATCH", location, data=NEW + CANDIDATE, headers=FRAGMENT | {"If-Match": "*"})
    assert done.status == 200 and done.headers["Content-Type"] == FRAGMENT["Content-Type"]
    assert "a=ice-ufrag:ours" in await done.text() and done.headers["ETag"] != tag
    late = await bench.raw("PATCH", location, data=CANDIDATE, headers=FRAGMENT | {"If-Match": tag})
    assert late.status == 412
    headers = FRAGMENT | {"If-Match": done.headers["ETag"]}
    assert (await bench.raw("PATCH", location, data=NEW + CANDIDATE, headers=headers)).status == 204


async def test_a_resource_is_ended_once(bench: Bench, direction: str) -> None:
    location, _ = await opened(bench, direction)
    assert (await bench.raw("DELETE", location, headers={"If-Match": '"wrong"'})).status == 200
    assert (await bench.raw("DELETE", location)).status == 404
    assert (await bench.raw("PATCH", location, data=CANDIDATE, headers=FRAGMENT | {"If-Match": "*"})).status == 404


async def test_methods(bench: Bench, direction: str) -> None:
    location, _ = await opened(bench, direction)
    endpoint = location.rpartition("/")[0]
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        refused = await bench.raw(method, endpoint)
        assert refused.status == 405 and refused.headers["Allow"] == "OPTIONS,POST"
    assert (await bench.raw("GET", location)).status == (await bench.raw("POST", location)).status == 405
    told = await bench.raw("OPTIONS", endpoint)
    assert told.status == 204 and told.headers["Accept-Post"] == "application/sdp"
    assert "PATCH" in told.headers["Access-Control-Allow-Methods"]
    assert (await bench.raw("OPTIONS", location)).headers["Allow"] == "DELETE, OPTIONS, PATCH"
    assert (await bench.raw("POST", f"/{direction}/none", data="v=0", headers=SDP)).status == 404


async def test_another_sites_player(start: Start, direction: str) -> None:
    bench = await start(allowed_origins=("https://shop.example",))
    session = await bench.session()
    origin = {"Origin": "https://shop.example"}
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}
    preflight = await bench.raw("OPTIONS", f"/{direction}/{session.id}/r0", headers=origin | asked)
    assert preflight.status == 204 and "If-Match" in preflight.headers["Access-Control-Allow-Headers"]
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    made = await bench.raw("POST", f"/{direction}/{session.id}", data="v=0", headers=SDP | origin)
    exposed = made.headers["Access-Control-Expose-Headers"]
    assert all(name in exposed for name in ("Location", "ETag", "Link"))
    foreign = {"Origin": "https://evil.example"}
    assert (await bench.raw("POST", f"/{direction}/{session.id}", headers=foreign)).status == 403


async def test_credentials(start: Start, direction: str) -> None:
    bench = await start(api_keys=(KEY,))
    _, one = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    _, other = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    endpoint = f"/{direction}/{one['id']}"
    refused = await bench.raw("POST", endpoint, data="v=0", headers=SDP)
    assert refused.status == 401 and refused.headers["WWW-Authenticate"] == "Bearer"
    foreign = {"Authorization": f"Bearer {other['token']}"}
    assert (await bench.raw("POST", endpoint, data="v=0", headers=SDP | foreign)).status == 403
    own = {"Authorization": f"Bearer {one['token']}"}
    made = await bench.raw("POST", endpoint, data="v=0", headers=SDP | own)
    assert made.status == 201 and "token" not in made.headers["Location"]
    assert (await bench.raw("DELETE", made.headers["Location"])).status == 401
    by_query = await bench.raw("POST", f"{endpoint}?token={one['token']}", data="v=0", headers=SDP)
    assert by_query.status == 201
    assert (await bench.raw("DELETE", by_query.headers["Location"])).status == 200, "its address works as it is"


async def test_ice_servers_are_told_to_those_who_may_come_in(start: Start, direction: str) -> None:
    bench = await start(api_keys=(KEY,), turn_urls=("turn:turn.example:3478",), turn_secret="shared")
    _, made = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    endpoint, own = f"/{direction}/{made['id']}", {"Authorization": f"Bearer {made['token']}"}
    assert "Link" not in (await bench.raw("OPTIONS", endpoint)).headers
    for answer in (
        await bench.raw("OPTIONS", endpoint, headers=own),
        await bench.raw("POST", endpoint, data="v=0", headers=SDP | own),
    ):
        link = answer.headers["Link"]
        assert link.startswith('<turn:turn.example:3478>; rel="ice-server"; username="') and "shared" not in link
    assert made["ice_servers"][0]["urls"] == ["turn:turn.example:3478"] and made["ice_servers"][0]["credential"]
