"""Newest wins: a slow viewer skips to the next keyframe and holds up nobody."""

import asyncio

import pytest

from realtime.core.values import FrameTrace
from server.media.packets import EncodedSound, EncodedVideo
from server.media.subscription import SoundSubscription, SubscriptionClosed, VideoSubscription


def _unit(index: int, *, keyframe: bool = False) -> EncodedVideo:
    return EncodedVideo("H264", index * 3600, keyframe, (b"x",), 1, FrameTrace())


class Log:
    """What a subscription told its egress."""

    def __init__(self) -> None:
        self.wanted = self.skips = self.closed = 0
        self.estimates: list[tuple[int, bool]] = []
        self.reports: list[tuple[float, bool]] = []

    def viewer(self) -> VideoSubscription:
        def wanted() -> None:
            self.wanted += 1

        def skip() -> None:
            self.skips += 1

        def closed() -> None:
            self.closed += 1

        return VideoSubscription(
            closed,
            on_keyframe_wanted=wanted,
            on_estimate=lambda estimate_bps, strained: self.estimates.append((estimate_bps, strained)),
            on_report=lambda fraction_lost, queueing: self.reports.append((fraction_lost, queueing)),
            on_sent=lambda unit: None,
            on_skip=skip,
        )


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


def test_feedback_is_passed_on() -> None:
    log = Log()
    viewer = log.viewer()
    viewer.estimated(300_000)
    viewer.estimated(400_000, strained=False)
    viewer.reported(0.25, queueing=True)
    viewer.request_keyframe()
    assert log.reports == [(0.25, True)]
    assert log.estimates == [(300_000, True), (400_000, False)]
    assert log.wanted == 1
