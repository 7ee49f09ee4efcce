"""A hostile viewer beside a watching one: bad messages and offers are answered by field and limit, and harm nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from bench.server_process import ServerProcess
from client.sdk import AnimaClient, RemoteSession
from tests.e2e.test_bad_input import Audience, post, until

pytestmark = pytest.mark.slow


def envelope(kind: str, data: Any, number: str = "m1") -> str:
    return json.dumps({"label": "rtvi-ai", "id": number, "type": kind, "data": data})


def told(t: str, **d: Any) -> dict[str, Any]:
    return {"t": t, "d": d}


BAD_MESSAGES: dict[str, tuple[str, int, str, bool]] = {
    "no JSON": ("{", 400, "", False),
    "no object": ("[1, 2]", 400, "", False),
    "another label": (json.dumps({"label": "x", "id": "m1", "type": "send-text", "data": {}}), 422, "label", False),
    "unknown type": (envelope("make-coffee", {}), 422, "type", False),
    "nested too deep": (envelope("client-message", json.loads("[" * 20 + "]" * 20)), 400, "message", True),
    "oversized": (envelope("send-text", {"content": "x" * 70_000}), 413, "", True),
    "text over the limit": (envelope("send-text", {"content": "x" * 2_001}), 413, "data.content", True),
    "unknown emotion": (envelope("client-message", told("cue", emotion="bored")), 422, "data.d.emotion", True),
    "unknown gesture": (envelope("client-message", told("cue", gesture="juggle")), 422, "data.d.gesture", True),
    "intensity": (envelope("client-message", told("say", text="hi", intensity=7)), 422, "data.d.intensity", True),
    "unknown tag": (envelope("client-message", told("say", text="[juggle] hi")), 422, "data.d.text", True),
}
"""Message, status, field of the refusal, and whether the refusal must name the limit."""


@pytest.fixture
async def session(server: ServerProcess) -> AsyncIterator[RemoteSession]:
    async with AnimaClient(server.url) as client, await client.create_session() as running:
        yield running


@pytest.fixture
async def bystander(session: RemoteSession) -> AsyncIterator[Audience]:
    """Somebody who only watches; frames must come before and after whatever the test does."""
    audience = Audience(session.viewer())
    await audience.viewer.connect()
    await audience.more()
    yield audience
    await audience.more(25)
    await audience.viewer.close()


async def test_bad_messages_are_refused_one_by_one(session: RemoteSession, bystander: Audience) -> None:
    stranger = Audience(session.viewer())
    async with stranger.viewer:
        for what, (text, status, field, limited) in BAD_MESSAGES.items():
            stranger.messages.clear()
            await stranger.viewer.send(text)
            await until(lambda: any(m["type"] == "error-response" for m in stranger.messages))
            refusal = next(m["data"] for m in stranger.messages if m["type"] == "error-response")
            assert refusal["status"] == status, (what, refusal)
            assert refusal["error"] and (not field or refusal.get("field") == field), (what, refusal)
            assert not limited or refusal.get("limit"), (what, refusal)
            await asyncio.sleep(0.25)  # refusals beyond five a second are not answered
        stranger.messages.clear()
        await stranger.viewer.send(envelope("client-message", told("cue", gesture="nod"), "good"))
        await until(lambda: any(m["id"] == "good" and m["type"] == "server-response" for m in stranger.messages))
    assert not any(m["type"] == "error-response" for m in bystander.messages), "refusals go to who earned them"


async def test_a_flood_costs_the_flooder_only(session: RemoteSession, bystander: Audience) -> None:
    stranger = Audience(session.viewer())
    async with stranger.viewer:
        begun_frames = bystander.frames
        for second in range(3):
            for number in range(60):
                await stranger.viewer.send(envelope("client-message", told("stats"), f"{second}-{number}"))
            await asyncio.sleep(1.0)
        await bystander.more(5)
        refused = [m["data"] for m in stranger.messages if m["type"] == "error-response"]
        assert refused and all(one["status"] == 429 and one["retry_after_s"] > 0 for one in refused)
        assert len(refused) <= 40, "not a refusal for each"
        # how many frames fit into three seconds is the machine's affair; that they went on is the server's
        assert bystander.frames - begun_frames > 25


async def test_two_offers_at_once_make_two_viewers(
    server: ServerProcess, session: RemoteSession, bystander: Audience
) -> None:
    pair = [Audience(session.viewer()) for _ in range(2)]
    await asyncio.gather(*(one.viewer.connect() for one in pair))
    await asyncio.gather(*(one.more() for one in pair))
    assert len({one.viewer.pc_id for one in pair}) == 2
    assert (await session.state())["viewers"] == 3

    stranger = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    stranger.addTransceiver("video", "recvonly")
    await stranger.setLocalDescription(await stranger.createOffer())
    body = {"sdp": stranger.localDescription.sdp, "type": "offer", "session": session.id, "pc_id": pair[0].viewer.pc_id}
    status, answer = await post(server.url, "/api/offer", json=body)
    assert status == 409 and answer["error"]["field"] == "pc_id", "a second offer for one connection"
    await stranger.close()
    await asyncio.gather(*(one.more() for one in pair))
    for one in pair:
        await one.viewer.close()

    async def alone() -> bool:
        return bool((await session.state())["viewers"] == 1)

    await until(alone)
