"""Sessions sent as RTP to streaming mountpoints of the real Janus, and what a watcher of those decodes."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from server.config import Config
from server.outputs.book import OutputWish
from tests.interop.janus import attached, janus, needs_janus
from tests.server.outputs.ports import free_udp_ports
from tests.server.outputs.stage import until
from tests.server.sessions.test_session import SPEC, House

pytestmark = [pytest.mark.slow, needs_janus]
SRTP_KEY = base64.b64encode(bytes(range(30))).decode()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(replace(Config(), output_private=True))
    yield made
    await made.sessions.aclose()
    made.compute.close()


def mountpoint(port: int, codec: str, more: str = "") -> str:
    """A mountpoint as its operator writes it: picture at the port, sound two further."""
    form = 'videofmtp = "profile-level-id=42e01f;packetization-mode=1"; ' if codec == "h264" else ""
    return (
        'host-1: { type = "rtp"; id = 1; description = "host"; audio = true; video = true;'
        f' audioport = {port + 2}; audiopt = 111; audiocodec = "opus"; audiortcpport = {port + 3};'
        f' videoport = {port}; videopt = 96; videocodec = "{codec}"; videortcpport = {port + 1}; {form}{more} }}\n'
    )


@dataclass
class Watched:
    """What a watcher decoded."""

    frames: int = 0
    bright: float = 0.0
    size: tuple[int, int] = (0, 0)
    ticks: int = 0
    loud: int = 0
    kinds: set[str] = field(default_factory=set)


@asynccontextmanager
async def watching(api: str) -> AsyncIterator[Watched]:
    """aiortc as a watcher of mountpoint 1."""
    seen = Watched()
    connection = RTCPeerConnection()
    tasks: list[asyncio.Task[None]] = []

    async def take(track: MediaStreamTrack) -> None:
        try:
            while True:
                got = await track.recv()
                if isinstance(got, av.VideoFrame):
                    seen.frames += 1
                    seen.size = got.width, got.height
                    seen.bright = float(got.to_ndarray(format="gray").mean())
                elif isinstance(got, av.AudioFrame):
                    seen.ticks += 1
                    seen.loud += int(np.abs(got.to_ndarray().astype(int)).max() > 1000)
        except MediaStreamError:
            return

    @connection.on("track")
    def begin(track: MediaStreamTrack) -> None:
        seen.kinds.add(track.kind)
        tasks.append(asyncio.create_task(take(track)))

    async with attached(api, "streaming") as handle:
        try:
            await handle.ask(janus="message", body={"request": "watch", "id": 1})
            offer = (await handle.event("jsep"))["jsep"]
            await connection.setRemoteDescription(RTCSessionDescription(offer["sdp"], offer["type"]))
            await connection.setLocalDescription(await connection.createAnswer())
            answer = {"type": "answer", "sdp": connection.localDescription.sdp}
            await handle.ask(janus="message", body={"request": "start"}, jsep=answer)
            yield seen
        finally:
            await connection.close()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("case", ["h264", "vp8", "h264 over srtp"])
async def test_a_watcher_of_the_mountpoint_decodes_picture_and_sound(house: House, tmp_path: Path, case: str) -> None:
    codec, secure = case.split()[0], "srtp" in case
    session = await house.sessions.create(SPEC)
    port = free_udp_ports(4)
    more = f'srtpsuite = 80; srtpcrypto = "{SRTP_KEY}"; ' if secure else ""
    async with janus(tmp_path, mountpoint(port, codec, more)) as api:
        url = f"rtp://127.0.0.1:{port}?codec={codec}"
        made = await session.outputs.open(OutputWish("rtp", url=url, secret=SRTP_KEY if secure else ""))
        assert SRTP_KEY not in str(made)
        await until(lambda: session.outputs.one(made["id"])["state"] == "live", "nobody refuses it")
        async with watching(api) as seen:
            # a watcher that comes late waits for no more than the next keyframe
            await until(lambda: seen.frames >= 50 and seen.ticks >= 100, "media at the watcher")
            loud = seen.loud
            await session.say("one two three")
            await until(lambda: seen.loud > loud + 5, "the host is heard")
        assert seen.kinds == {"audio", "video"} and 20 < seen.bright < 235
        assert seen.size == (house.avatar.width, house.avatar.height)
        ended = await session.outputs.close(made["id"])
    assert ended["state"] == "ended" and ended["error"] is None and ended["attempts"] == 1
    assert ended["pictures"] >= 50 and ended["sent_bytes"] > ended["payload_bytes"] > 0
