"""A feed begins with a keyframe, never grows without bound, and costs viewers no more than a keyframe."""

import pytest

from server.media.packets import EncodedSound
from server.outputs.feed import PENDING_MAX_S, Feed, SoundForm
from server.outputs.samples import Picture, Sound
from server.outputs.tap import SoundTap
from tests.server.outputs.hands import STEP, Egress
from tests.server.outputs.media import FPS, ticks


def feed_on(egress: Egress, form: SoundForm = "opus", every_s: float = 100.0) -> tuple[Feed, SoundTap]:
    tap = SoundTap(ticks)
    feed = Feed(egress, tap, form, every_s)  # type: ignore[arg-type]  # what is used of an egress is there
    feed.begin()
    assert egress.codec == "H264"
    return feed, tap


async def test_begins_with_a_keyframe_at_zero() -> None:
    egress = Egress()
    feed, _ = feed_on(egress)
    egress.sound(EncodedSound(4, 4 * 960, b"early"))
    egress.picture(2)
    egress.picture(3, keyframe=True)
    egress.sound(EncodedSound(5, 5 * 960, b"before"))
    egress.sound(EncodedSound(6, 6 * 960, b"with"))
    egress.picture(4)
    taken = await feed.take()
    assert [(type(one), one.pts) for one in taken] == [(Picture, 0), (Sound, 0), (Picture, STEP)]
    assert egress.viewer.target_bps >= 1e8, "it does not lower the viewers' rate"


async def test_pcm_comes_from_the_tap_while_it_is_wanted() -> None:
    egress = Egress()
    feed, tap = feed_on(egress, "pcm")
    egress.picture(0, keyframe=True)
    tap.read(0)
    sound = (await feed.take())[1]
    assert isinstance(sound, Sound) and sound.pcm is not None and len(sound.pcm) == 960 and not sound.opus
    feed.pause()
    tap.read(1)
    assert egress.viewer.closed
    feed.end()
    assert await feed.take() == []


async def test_keyframes_come_as_often_as_wanted() -> None:
    egress = Egress()
    feed, _ = feed_on(egress, every_s=2.0)
    egress.picture(0, keyframe=True)
    for index in range(1, 201):
        egress.picture(index)
        await feed.take()
    assert egress.viewer.requests == 4


async def test_a_stuck_sink_is_bounded_and_asks_once_it_is_back() -> None:
    egress = Egress()
    feed, _ = feed_on(egress)
    egress.picture(0, keyframe=True)
    most = int(PENDING_MAX_S * FPS)
    for index in range(1, 5000):
        egress.picture(index, keyframe=index % 500 == 0)
        egress.sound(EncodedSound(2 * index, 2 * index * 960, b"x"))
    assert egress.viewer.requests == 0, "viewers notice nothing"
    taken = await feed.take()
    assert len([one for one in taken if isinstance(one, Picture)]) <= most + 1 and len(taken) <= 2 * most + 2
    assert egress.viewer.requests == 1 and feed.figures.dropped_pictures > 4800
    egress.picture(5000)
    egress.picture(5001, keyframe=True)
    egress.picture(5002)
    assert [one.pts // STEP for one in await feed.take()] == [5001, 5002]


async def test_what_waits_at_the_end_is_not_lost() -> None:
    egress = Egress()
    feed, _ = feed_on(egress)
    for index in range(5):
        egress.picture(index, keyframe=index == 0)
    feed.end()
    assert len(await feed.take()) == 5 and await feed.take() == []
    feed.begin()
    assert await feed.take() == [], "nothing begins after the end"


@pytest.mark.parametrize("origin", [0, 7, 99_999])
async def test_a_second_beginning_starts_at_zero(origin: int) -> None:
    egress = Egress()
    feed, _ = feed_on(egress)
    egress.picture(origin, keyframe=True)
    feed.begin()
    egress.picture(origin + 1)
    egress.picture(origin + 2, keyframe=True)
    assert [one.pts for one in await feed.take()] == [0]
