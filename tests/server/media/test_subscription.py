"""Newest wins: a slow viewer skips to the next keyframe and holds up nobody."""

import asyncio

import pytest

from realtime.core.values import FrameTrace
from server.media.feedback import ViewerBudget
from server.media.packets import EncodedSound, EncodedVideo
from server.media.subscription import SoundSubscription, SubscriptionClosed, VideoSubscription


def _unit(index: int, *, keyframe: bool = False) -> EncodedVideo:
    return EncodedVideo("H264", index * 3600, keyframe, (b"x",), 1, FrameTrace())


class Log:
    """A room that notes what its viewer asks."""

    def __init__(self) -> None:
        self.wanted = self.skips = self.closed = 0

    def left(self, viewer: VideoSubscription) -> None:
        self.closed += 1

    def keyframe_wanted(self, viewer: VideoSubscription) -> None:
        self.wanted += 1

    def skipped(self, viewer: VideoSubscription) -> None:
        self.skips += 1

    def rate_bps(self, viewer: VideoSubscription) -> int:
        return 800_000

    def viewer(self) -> VideoSubscription:
        return VideoSubscription(self, ViewerBudget())


async def test_nothing_before_the_first_keyframe() -> None:
    viewer = Log().viewer()
    viewer.offer(_unit(0))
    viewer.offer(_unit(1, keyframe=True))
    viewer.offer(_unit(2))
    assert [(await viewer.next()).pts, (await viewer.next()).pts] == [3600, 7200]


async def test_slow_viewer_skips_to_the_next_keyframe() -> None:
    log = Log()
    viewer = log.viewer()
    viewer.offer(_unit(0, keyframe=True))
    for index in range(1, 10):
        viewer.offer(_unit(index))
    assert (log.skips, log.wanted) == (1, 1)
    viewer.offer(_unit(10, keyframe=True))
    viewer.offer(_unit(11))
    assert [(await viewer.next()).pts // 3600, (await viewer.next()).pts // 3600] == [10, 11]


def test_a_sink_gets_each_unit_at_once_and_may_refuse() -> None:
    log = Log()
    got: list[int] = []
    full = False

    def sink(unit: EncodedVideo) -> bool:
        if full:
            return False
        got.append(unit.pts // 3600)
        return True

    viewer = VideoSubscription(log, ViewerBudget(), sink)
    taken = [viewer.offer(_unit(0)), viewer.offer(_unit(1, keyframe=True)), viewer.offer(_unit(2))]
    full = True
    taken.append(viewer.offer(_unit(3)))
    full = False
    taken += [viewer.offer(_unit(4)), viewer.offer(_unit(5, keyframe=True)), viewer.offer(_unit(6))]
    assert taken == [False, True, True, False, False, True, True]
    assert got == [1, 2, 5, 6]
    assert (log.skips, log.wanted) == (1, 1)


async def test_waiting_reader_is_woken_and_ended() -> None:
    log = Log()
    viewer = log.viewer()
    reader = asyncio.create_task(viewer.next())
    await asyncio.sleep(0)
    viewer.offer(_unit(0, keyframe=True))
    assert (await reader).keyframe
    reader = asyncio.create_task(viewer.next())
    await asyncio.sleep(0)
    viewer.close()
    viewer.close()
    with pytest.raises(SubscriptionClosed):
        await reader
    viewer.offer(_unit(1, keyframe=True))
    with pytest.raises(SubscriptionClosed):
        await viewer.next()
    assert log.closed == 1


async def test_sound_drops_the_oldest() -> None:
    listener = SoundSubscription(lambda: None)
    for tick in range(12):
        listener.offer(EncodedSound(tick, tick * 960, b"x"))
    assert [(await listener.next()).tick for _ in range(5)] == [7, 8, 9, 10, 11]


def test_feedback_moves_the_budget() -> None:
    log = Log()
    viewer = log.viewer()
    viewer.estimated(1_000_000, strained=False)
    assert viewer.budget.bps == 800_000
    viewer.estimated(400_000)
    assert viewer.budget.bps == 320_000
    viewer.reported(0.25, queueing=True)
    assert viewer.budget.bps == 280_000
    viewer.request_keyframe()
    assert log.wanted == 1


def test_a_listener_that_lost_sound_says_so() -> None:
    told: list[bool] = []
    listener = SoundSubscription(lambda: None, on_loss=lambda: told.append(True))
    listener.reported(0.0)
    assert not told
    listener.reported(1 / 256)
    assert told == [True]
