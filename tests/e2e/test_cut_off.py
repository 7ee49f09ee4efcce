"""A server that is killed while it records: the next one finishes what it left, and players play it to its end."""

import asyncio
import os
import signal
from pathlib import Path

import av
import pytest
from aiohttp import ClientSession

from bench.server_process import ServerProcess
from tests.server.outputs.stage import until

pytestmark = pytest.mark.slow
PICTURES = 200


async def test_a_killed_servers_recordings_play_to_their_end(tmp_path: Path) -> None:
    settings = {"recordings_dir": str(tmp_path / "recordings")}
    packs_dir = tmp_path / "packs"
    playlist = tmp_path / "recordings" / "cut" / "index.m3u8"
    first = ServerProcess(log=tmp_path / "first.log", packs_dir=packs_dir, settings=settings)
    try:
        await asyncio.to_thread(first.start)
        async with ClientSession(first.url) as http:
            async with http.post("/v1/sessions", json={}) as answer:
                outputs = f"/v1/sessions/{(await answer.json())['id']}/outputs"
            for kind in ("hls", "mp4"):
                async with http.post(outputs, json={"kind": kind, "name": "cut"}) as answer:
                    assert answer.status == 201, await answer.text()
            shown = 0
            async with asyncio.timeout(120):
                while shown < PICTURES or not playlist.exists():
                    await asyncio.sleep(0.2)
                    async with http.get(outputs) as answer:
                        shown = min(one["pictures"] for one in (await answer.json())["outputs"])
        os.kill(first.pid, signal.SIGKILL)
    finally:
        first.stop()
    assert "ENDLIST" not in playlist.read_text()
    with ServerProcess(log=tmp_path / "second.log", packs_dir=packs_dir, settings=settings):
        await until(lambda: playlist.read_text().endswith("#EXT-X-ENDLIST\n"), "the list gets its end")
    for path, least in ((playlist, 90), (tmp_path / "recordings" / "cut.mp4", PICTURES - 50)):
        with av.open(str(path)) as file:
            assert sum(1 for _ in file.decode(video=0)) >= least
    listed = {line for line in playlist.read_text().splitlines() if not line.startswith("#")}
    assert {one.name for one in playlist.parent.iterdir()} == listed | {"index.m3u8", "init.mp4"}
