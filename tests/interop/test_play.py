"""Foreign peers that play a session: each receives moving pictures and sound."""

from pathlib import Path

import pytest

from bench.server_process import ServerProcess
from tests.interop.conftest import (
    built_go,
    in_browser,
    in_node,
    needs_pion,
    new_session,
    output_of,
    session_state,
)
from tests.peers import needs

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@needs("chromium", "npm")
async def test_eyevinns_player(server: ServerProcess, packages: Path) -> None:
    session = await new_session(server)
    seen = await in_browser(packages, "eyevinn_player.js", url=session["whep_url"], token=session["token"])
    assert seen["different"] >= 10 and (seen["width"], seen["height"]) == (512, 512)
    assert (await session_state(server, session["id"]))["viewers"] == 0, "its DELETE ended the connection"


@needs("chromium", "npm")
async def test_pipecats_client(server: ServerProcess, packages: Path) -> None:
    session = await new_session(server)
    seen = await in_browser(packages, "pipecat.js", endpoint=session["offer_url"], token=session["token"])
    assert seen["different"] >= 10 and seen["started"] and seen["spoken"]
    assert seen["ready"]["version"].startswith("2."), seen["ready"]


@needs("chromium", "npm")
async def test_ice_restarts_under_running_media(server: ServerProcess, packages: Path) -> None:
    session = await new_session(server)
    seen = await in_browser(packages, "whep_restart.js", url=session["whep_url"], token=session["token"])
    assert seen["statuses"] and set(seen["statuses"]) == {204}
    assert seen["restarted"] == {"status": 200, "etag": seen["restarted"]["etag"], "flowed": True, "state": "connected"}
    assert seen["restarted"]["etag"] != seen["etag"]
    before, after = seen["pairs"]
    assert before["remotePort"] != after["remotePort"], "the new ICE session has a path of its own"
    assert seen["deleted"] == 200


@needs("npm")
async def test_werift(server: ServerProcess, packages: Path) -> None:
    session = await new_session(server)
    seen = await in_node(packages, "werift_whep.mjs", session["whep_url"], session["token"])
    assert seen["state"] == "connected" and seen["frames"] >= 25 and seen["audio"] >= 25 and seen["deleted"] == 200


@needs_pion
async def test_pion(server: ServerProcess, tmp_path: Path) -> None:
    program = await built_go(tmp_path, "pion_whep.go")
    session = await new_session(server)
    seen = await output_of(program, session["whep_url"], session["token"], folder=tmp_path)
    assert seen["state"] == "connected" and seen["frames"] >= 25 and seen["audio"] >= 25 and seen["deleted"] == 200
