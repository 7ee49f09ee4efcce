"""Outputs of a real session: several at once, no viewer needed, whole at the session's end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import av
import pytest

from realtime.core.errors import Conflict, InvalidField, NotFound
from server.config import Config
from server.outputs.book import OUTPUTS_MAX, OutputWish
from tests.server.outputs.stage import until
from tests.server.sessions.test_session import SPEC, House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(replace(Config(), recordings_dir=tmp_path, output_private=True))
    yield made
    await made.sessions.aclose()
    made.compute.close()


def held(path: Path) -> tuple[int, float, float]:
    """Pictures, and how long picture and sound last, in seconds."""
    with av.open(str(path)) as file:
        times: dict[str, list[float]] = {"video": [], "audio": []}
        for packet in file.demux():
            if packet.pts is not None:
                times[packet.stream.type].append(float(packet.pts * packet.time_base))
    video, sound = times["video"], times["audio"]
    assert video == sorted(set(video)) and sound == sorted(set(sound))
    return len(video), max(video) - min(video), max(sound) - min(sound)


async def test_several_at_once_and_none_in_the_others_way(house: House, tmp_path: Path) -> None:
    session = await house.sessions.create(SPEC)
    one = await session.outputs.open(OutputWish("mp4", name="one"))
    await session.outputs.open(OutputWish("hls", name="two"))
    # nobody listens there
    dead = await session.outputs.open(OutputWish("rtmp", url="rtmp://127.0.0.1:9/live/the-key"))
    assert session.viewers == 0 and session.outputs.running == 3 and "the-key" not in str(dead)
    await session.say("one two three")
    await until(lambda: min(o["pictures"] for o in session.outputs.all()[:2]) >= 60, "pictures without any viewer")
    await until(lambda: session.outputs.one(dead["id"])["attempts"] >= 2, "the dead one is tried again")
    shown = await session.outputs.close(one["id"])
    await house.sessions.close(session.id, "the test is over")
    assert [o["state"] for o in session.outputs.all()] == ["ended"] * 3 and session.outputs.running == 0
    pictures, video_s, sound_s = held(tmp_path / "one.mp4")
    assert pictures == shown["pictures"] and abs(video_s - sound_s) < 0.2
    pictures, video_s, sound_s = held(tmp_path / "two" / "index.m3u8")
    assert pictures == session.outputs.all()[1]["pictures"] and abs(video_s - sound_s) < 0.2
    metrics = house.metrics
    assert metrics.value("anima_outputs", kind="mp4") == 0
    assert metrics.value("anima_outputs_opened_total", kind="mp4") == 1
    assert metrics.value("anima_output_failures_total", kind="rtmp") >= 2


async def test_what_is_refused(house: House) -> None:
    session = await house.sessions.create(SPEC)
    for wish in (
        OutputWish("mp4", url="rtmp://a.example/x/y"), OutputWish("rtmp", name="x", url="rtmp://a.example/x/y"),
        OutputWish("rtmp"), OutputWish("whip", url="http://127.0.0.1:9/x", sound="aac"), OutputWish("mp4", name="../x"),
    ):  # fmt: skip
        with pytest.raises(InvalidField):
            await session.outputs.open(wish)
    with pytest.raises(NotFound):
        session.outputs.one("other")
    for index in range(OUTPUTS_MAX):
        await session.outputs.open(OutputWish("mp4", name=f"n{index}"))
    with pytest.raises(Conflict):
        await session.outputs.open(OutputWish("mp4"))
    await house.sessions.close(session.id, "over")
    with pytest.raises(Conflict):
        await session.outputs.open(OutputWish("mp4"))
