"""Sessions published to servers nobody here wrote: Pion and Janus by WHIP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from server.outputs.book import OutputWish
from tests.interop.conftest import built_go, needs_pion
from tests.interop.janus import attached, janus, needs_janus
from tests.server.outputs.stage import until
from tests.server.sessions.test_session import SPEC, House

pytestmark = pytest.mark.slow
TOKEN = "stream-key-of-the-test"


@asynccontextmanager
async def pion(folder: Path) -> AsyncIterator[str]:
    """The Go server; its address."""
    process = await asyncio.create_subprocess_exec(await built_go(folder, "pion_whip.go"), TOKEN, stdout=-1)
    try:
        assert process.stdout is not None
        port = json.loads(await process.stdout.readline())["port"]
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


@needs_pion
async def test_pion_takes_the_session(house: House, tmp_path: Path) -> None:
    session = await house.sessions.create(SPEC)
    async with pion(tmp_path) as url, ClientSession() as http:

        async def seen() -> dict[str, Any]:
            async with http.get(f"{url}/seen") as answer:
                found: dict[str, Any] = await answer.json(content_type=None)
                return found

        made = await session.outputs.open(OutputWish("whip", url=f"{url}/whip", secret=TOKEN))
        assert TOKEN not in json.dumps(made)
        got = await seen()
        async with asyncio.timeout(40):
            while got["frames"] < 60 or got["audio"] < 60 or got["keyframes"] < 3:
                await asyncio.sleep(0.2)
                got = await seen()
        assert got["codecs"] == {"video": "video/H264", "audio": "audio/opus"} and got["offers"] == 1
        assert session.outputs.one(made["id"])["state"] == "live"
        ended = await session.outputs.close(made["id"])
        assert ended["state"] == "ended" and ended["error"] is None
        assert (await seen())["deleted"] == 1, "it leaves politely"
        wrong = await session.outputs.open(OutputWish("whip", url=f"{url}/whip", secret="another-key"))
        await until(lambda: session.outputs.one(wrong["id"])["state"] == "failed", "a wrong key is not tried again")
        assert session.outputs.one(wrong["id"])["attempts"] == 1 and (await seen())["refused"] == 1


@needs_janus
async def test_janus_takes_the_session(house: House, tmp_path: Path) -> None:
    session = await house.sessions.create(SPEC)
    async with janus(tmp_path) as api, whip_into(api) as (url, events):
        made = await session.outputs.open(OutputWish("whip", url=url, secret=TOKEN))
        await until(lambda: session.outputs.one(made["id"])["state"] == "live", "Janus takes it")
        await until(lambda: {"audio", "video"} <= {e.get("type") for e in events if e.get("receiving")}, "media")
        await session.outputs.close(made["id"])
        await until(lambda: any(e["janus"] == "hangup" for e in events), "Janus sees it leave")


@asynccontextmanager
async def whip_into(api: str) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A WHIP endpoint in front of Janus's room, which has none of its own; its address, and Janus's events."""
    async with attached(api, "videoroom") as room:

        async def publish(request: web.Request) -> web.Response:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            body = {"request": "joinandconfigure", "ptype": "publisher", "room": 1}
            offer = {"type": "offer", "sdp": await request.text(), "trickle": False}
            await room.ask(janus="message", body=body, jsep=offer)
            answer = (await room.event("jsep"))["jsep"]["sdp"]
            headers = {"Location": "/whip/1"}
            return web.Response(status=201, text=answer, content_type="application/sdp", headers=headers)

        async def leave(request: web.Request) -> web.Response:
            await room.ask(janus="hangup")
            return web.Response()

        app = web.Application()
        app.add_routes([web.post("/whip", publish), web.delete("/whip/1", leave)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/whip", room.events
        finally:
            await runner.cleanup()
