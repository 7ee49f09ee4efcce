"""The headless viewer over real HTTP signalling, and what it says when it cannot connect."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from client.viewer import HeadlessViewer, OfferRefused, ViewerError
from client.viewer.signalling import Answer
from server.rtc.signalling import OfferBook
from tests.server.rtc.rig import HEIGHT, WIDTH, Rig, session


@asynccontextmanager
async def served(rig: Rig, seen: list[web.Request] | None = None, status: int = 200) -> AsyncIterator[str]:
    """An HTTP server with one offer route."""
    book = OfferBook(rig.peer)

    async def offer(request: web.Request) -> web.Response:
        if seen is not None:
            seen.append(request)
        if status != 200:
            return web.json_response({"error": {"message": "no"}}, status=status)
        body: dict[str, Any] = await request.json()
        return web.json_response(await book.offer(body))

    app = web.Application()
    app.router.add_post("/api/offer", offer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/offer"
    finally:
        await runner.cleanup()


async def test_watches_over_http_with_a_token() -> None:
    requests: list[web.Request] = []
    async with session() as rig, served(rig, requests) as url:
        async with HeadlessViewer(url, "secret", pixel_format="bgr") as viewer:
            frame = await anext(viewer.frames())
            sound = await anext(viewer.sounds())
            assert frame.pixels.shape == (HEIGHT, WIDTH, 3)
            assert frame.arrived_s <= frame.decoded_s
            assert sound.pcm.shape == (960,)
            assert viewer.pc_id
        assert requests[0].headers["Authorization"] == "Bearer secret"


async def test_iterators_end_with_the_connection() -> None:
    async with session() as rig:
        viewer = HeadlessViewer(signaller=rig)
        await viewer.connect()
        await anext(viewer.frames())
        reading = asyncio.create_task(_exhaust(viewer))
        await rig.peers[0].close("over")
        await asyncio.wait_for(reading, 10)
        await viewer.close()


async def _exhaust(viewer: HeadlessViewer) -> None:
    async for _ in viewer.messages():
        pass
    async for _ in viewer.sounds():
        pass


async def test_refusal_is_told() -> None:
    async with session() as rig, served(rig, status=422) as url:
        with pytest.raises(OfferRefused) as caught:
            async with HeadlessViewer(url):
                pass
        assert caught.value.status == 422


class DeadEnd:
    """A signaller whose answers lead nowhere."""

    def __init__(self, rig: Rig, change: Callable[[str], str]) -> None:
        self._rig = rig
        self._change = change

    async def offer(self, sdp: str) -> Answer:
        answer = await self._rig.offer(sdp)
        return Answer(self._change(answer.sdp), answer.pc_id)

    async def aclose(self) -> None:
        """Nothing to release."""


async def test_gives_up_when_nobody_answers() -> None:
    def nowhere(sdp: str) -> str:
        kept = [line for line in sdp.splitlines() if "candidate" not in line]
        return "\r\n".join(line.replace("ice-pwd:", "ice-pwd:wrong") for line in kept) + "\r\n"

    async with session() as rig:
        viewer = HeadlessViewer(signaller=DeadEnd(rig, nowhere))
        with pytest.raises(ViewerError, match="0.3 s"):
            await viewer.connect(timeout_s=0.3)
        await viewer.close()
        assert viewer.state == "closed"


def test_needs_somewhere_to_go() -> None:
    with pytest.raises(ValueError, match="signaller"):
        HeadlessViewer()
