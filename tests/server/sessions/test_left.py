"""Nothing of a session that has ended is kept alive: every object of it is collected."""

import asyncio
import gc
import weakref
from dataclasses import replace

from av.codec.context import CodecContext

from realtime.conductor import Conductor
from realtime.generator import Generator
from server.config import Config
from server.media.egress import MediaEgress
from server.media.room import Rung, VideoRoom
from server.media.subscription import VideoSubscription
from server.media.video_encoder import H264Encoder, Vp8Encoder
from server.rtc.peer import Peer
from server.sessions.production import Production
from server.sessions.session import Session
from server.sessions.transcript import Transcript
from tests.server.sessions.test_session import SPEC, House, until

PARTS = (
    Session, Peer, Production, Conductor, Generator, MediaEgress, VideoRoom, Rung, VideoSubscription,
    H264Encoder, Vp8Encoder, Transcript, CodecContext,
)  # fmt: skip


def _alive(of: tuple[type, ...]) -> list[object]:
    # asking some objects for their class warns; asking for their type does not
    return [one for one in gc.get_objects() if issubclass(type(one), of)]


def _outside() -> list[object]:
    """Objects of the WebRTC library that hold a connection's sockets and buffers."""
    return [one for one in gc.get_objects() if str(type(one).__module__).startswith(("aiortc.", "aioice."))]


async def _comes_and_goes(house: House) -> list[weakref.ref[object]]:
    session = await house.sessions.create(SPEC)
    watcher = await house.viewer(session)
    await session.say("Hello there. [wave] How are you?")
    await until(lambda: watcher.frames > 2 and watcher.loud > 0, "picture and sound")
    parts = [one for one in _alive(PARTS) if type(one).__weakrefoffset__]
    assert {Session, Peer, VideoSubscription} <= {type(one) for one in parts}
    found = [weakref.ref(one) for one in parts]
    await house.sessions.close(session.id, "test")
    await watcher.viewer.close()
    return found


async def test_a_left_session_is_collected_whole() -> None:
    house = House(replace(Config(), messages_per_s=10.0))
    before = len(asyncio.all_tasks())
    refs = await _comes_and_goes(house)
    await until(lambda: len(asyncio.all_tasks()) <= before, "its tasks ended")
    await asyncio.sleep(0)

    def gone() -> bool:
        gc.collect()
        return all(ref() is None for ref in refs)

    await until(gone, "every part of the session was collected")
    await house.sessions.aclose()
    house.compute.close()


async def test_the_tenth_session_leaves_no_more_objects_than_the_second() -> None:
    house = House(replace(Config(), messages_per_s=10.0))

    async def left() -> tuple[int, int]:
        await _comes_and_goes(house)
        await until(lambda: not (gc.collect(), _alive(PARTS))[1], "its parts are gone")
        return len(_outside()), len(asyncio.all_tasks())

    await left()
    second = await left()
    for _ in range(7):
        await left()
    assert await left() <= second
    await house.sessions.aclose()
    house.compute.close()
