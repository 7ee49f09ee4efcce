"""Several viewers of one session: each is shown and told everything, and none of them holds up the others."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from realtime.core.errors import CapacityError
from server.config import Config
from server.rtc.sender import EgressSender
from tests.server.sessions.test_session import SPEC, House, Watcher, until


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House(replace(Config(), max_viewers=3))
    yield made
    await made.sessions.aclose()
    made.compute.close()


def _texts(watcher: Watcher, kind: str) -> list[object]:
    return [message["data"] for message in watcher.messages if message["type"] == kind]


async def test_three_viewers_one_leaves_one_is_slow(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await house.sessions.create(SPEC)
    stays, leaves, slow = [await house.viewer(session) for _ in range(3)]
    everybody = (stays, leaves, slow)
    for watcher in everybody:
        await watcher.send("client-ready", {"version": "2.1.0"})
    await until(lambda: all("bot-ready" in watcher.kinds() for watcher in everybody), "everybody is told of the bot")
    # what one viewer brings about, all see and hear and are told of
    await leaves.send("send-text", {"content": "Who are you?"})
    await until(lambda: all("bot-stopped-speaking" in w.kinds() for w in everybody), "the conversation reaches all")
    told = [_texts(watcher, "bot-transcription") for watcher in everybody]
    assert told[0] and told[0] == told[1] == told[2]
    assert all(watcher.loud > 5 and watcher.frames > 5 for watcher in everybody)
    assert session.viewers == 3
    encoded = session._egress.stats.frames_encoded
    assert encoded <= session.figures()["frames"]  # one encode a frame, however many watch

    # one cannot keep up: its packets pile up, it loses pictures, the others do not
    peer = list(session._peers)[2]
    sender = next(s for s in peer._connection.getSenders() if isinstance(s, EgressSender) and s.kind == "video")
    assert sender._outlet is not None
    monkeypatch.setattr(sender, "_pace", lambda estimate_bps: None)
    sender._outlet.path(1_000)
    sender._outlet._pacer.sent(1_000_000)
    before = stays.frames
    await until(lambda: session._egress.stats.viewer_skips > 0, "the slow viewer is moved on")
    await leaves.viewer.close()
    await until(lambda: session.viewers == 2, "one has left")
    await until(lambda: stays.frames > before + 25, "the one that stays goes on seeing")
    assert stays.viewer.state == "connected"
    assert session._egress.stats.video_viewers == 2
    await stays.viewer.close()
    await until(lambda: session.viewers == 1, "the slow one is left")
    await slow.viewer.close()


async def test_a_full_room_refuses_and_has_room_again(house: House) -> None:
    session = await house.sessions.create(SPEC)
    watchers = [await house.viewer(session) for _ in range(3)]
    refused = Watcher(session)
    with pytest.raises(CapacityError):
        await refused.viewer.connect()
    await refused.viewer.close()
    await watchers[0].viewer.close()
    await until(lambda: session.viewers == 2, "one has left")
    late = await house.viewer(session)
    await until(lambda: late.frames > 3, "the late joiner sees")
    for watcher in (*watchers[1:], late):
        await watcher.viewer.close()
