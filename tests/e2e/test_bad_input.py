"""Bad input while somebody watches: clear errors for whoever sent it, and the show goes on for everybody else."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from bench.server_process import ServerProcess
from client.sdk import AnimaClient
from client.viewer.viewer import HeadlessViewer

pytestmark = pytest.mark.slow


async def until(condition: Callable[[], Awaitable[bool] | bool], patience_s: float = 30.0) -> None:
    """Wait for something that happens in another process; `TimeoutError` if it does not."""
    async with asyncio.timeout(patience_s):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


class Audience:
    """A viewer that counts its frames."""

    def __init__(self, viewer: HeadlessViewer) -> None:
        self.viewer = viewer
        self.frames = 0
        self.messages: list[dict[str, Any]] = []
        viewer.on_frame = lambda frame: self._saw()
        viewer.on_message = lambda text: self.messages.append(json.loads(text))

    def _saw(self) -> None:
        self.frames += 1

    async def more(self, frames: int = 10) -> None:
        """Wait for more frames."""
        wanted = self.frames + frames
        await until(lambda: self.frames >= wanted)


async def post(url: str, path: str, **options: Any) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.post(f"{url}{path}", **options) as answer:
        return answer.status, await answer.json()


async def test_the_show_goes_on(server: ServerProcess) -> None:
    async with AnimaClient(server.url) as client:
        session = await client.create_session()
        audience = Audience(session.viewer())
        await audience.viewer.connect()
        await audience.more()
        base = f"/v1/sessions/{session.id}"

        cases: list[tuple[str, dict[str, Any], int, str]] = [
            (f"{base}/say", {"json": {"text": "x" * 6000}}, 413, "text"),
            (f"{base}/say", {"json": {"text": "[juggle] hello"}}, 422, "text"),
            (f"{base}/say", {"json": {"text": "hi", "emotion": "bored"}}, 422, "emotion"),
            (f"{base}/cue", {"json": {"gesture": "juggle"}}, 422, "gesture"),
            (f"{base}/chat", {"data": "hello", "headers": {"Content-Type": "text/plain"}}, 415, "Content-Type"),
            (f"{base}/chat", {"data": "{", "headers": {"Content-Type": "application/json"}}, 400, ""),
            ("/v1/sessions/nobody-knows-me/say", {"json": {"text": "hi"}}, 404, ""),
            ("/api/offer", {"json": {"sdp": "v=0\r\nm=video x y", "type": "offer"}}, 400, "sdp"),
            ("/api/offer", {"json": {"sdp": "v=0\r\n", "type": "offer"}}, 422, "sdp"),
            ("/api/offer", {"json": {"sdp": "a" * 200_000, "type": "offer"}}, 413, "sdp"),
        ]
        for path, options, status, field in cases:
            got, answer = await post(server.url, path, **options)
            assert got == status, (path, got, answer)
            assert answer["error"]["message"] and (not field or answer["error"]["field"] == field), answer

        for i in range(120):
            await audience.viewer.send(json.dumps({"label": "rtvi-ai", "id": str(i), "type": "client-message",
                                                   "data": {"t": "stats", "d": {}}}))  # fmt: skip
        await audience.viewer.send("not json at all")
        await audience.more()
        await until(lambda: any(m["type"] == "error-response" for m in audience.messages))
        refusals = [m for m in audience.messages if m["type"] == "error-response"]
        assert len(refusals) < 60, "a flood is not answered by a flood"

        await audience.more(25)
        await audience.viewer.close()
        await session.delete()


async def test_a_viewer_that_vanishes_in_the_middle_of_its_offer_disturbs_nobody(server: ServerProcess) -> None:
    async with AnimaClient(server.url) as client:
        session = await client.create_session()
        audience = Audience(session.viewer())
        await audience.viewer.connect()
        for _ in range(3):
            stranger = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            stranger.addTransceiver("video", "recvonly")
            await stranger.setLocalDescription(await stranger.createOffer())
            body = {"sdp": stranger.localDescription.sdp, "type": "offer", "session": session.id}
            status, answer = await post(server.url, "/api/offer", json=body)
            assert status == 200, answer
            await stranger.close()
        await audience.more(25)

        async def alone() -> bool:
            return bool((await session.state())["viewers"] == 1)

        await until(alone, 40.0)
        await audience.viewer.close()
        await session.delete()
