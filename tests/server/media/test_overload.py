"""Overloaded sessions to the wire, in virtual time: no picture is shown further behind its sound than is borne."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from realtime.core.punctual import SKEW_MAX_S
from realtime.core.units import AUDIO_TICK_S, AUDIO_TICK_SAMPLES, VIDEO_CLOCK_HZ
from realtime.core.values import Frame, Pcm
from realtime.mailbox import Mailbox
from realtime.ports import Clock
from server.media.egress import MediaEgress
from server.media.packets import EncodedSound, EncodedVideo
from tests.realtime.test_overload import BEGINS_S, ENDS_S, Worker
from tests.virtual_time import now_s, run_virtual

FRAME_TICKS = VIDEO_CLOCK_HZ // 25


@dataclass
class Viewer:
    """What came to one viewer, by media time."""

    pictures: dict[float, float] = field(default_factory=dict)
    sounds: dict[float, float] = field(default_factory=dict)
    unseen: list[int] = field(default_factory=list)
    pts: list[int] = field(default_factory=list)

    def show(self, unit: EncodedVideo) -> bool:
        self.pts.append(unit.pts)
        if unit.pts % FRAME_TICKS:
            self.unseen.append(unit.pts)
        else:
            self.pictures[unit.pts / VIDEO_CLOCK_HZ] = now_s()
        return True

    def hear(self, unit: EncodedSound) -> bool:
        self.sounds[round(unit.tick * AUDIO_TICK_S, 3)] = now_s()
        return True

    def skews_s(self) -> list[float]:
        heard = {round(media_s, 3): at_s for media_s, at_s in self.sounds.items()}
        return [at_s - heard[round(m, 3)] for m, at_s in self.pictures.items() if round(m, 3) in heard]


class Hindered:
    """In place of threads: what is given to them takes 2 ms, and under the overload anything up to 90."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    async def __call__(self, pool: object, work: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(self._wait_s())
        found = work(*args)
        await asyncio.sleep(self._wait_s())
        return found

    def _wait_s(self) -> float:
        return min(0.045, self._random.expovariate(100.0)) if BEGINS_S <= now_s() < ENDS_S else 0.001


def quiet(tick: int) -> Pcm:
    return np.zeros(AUDIO_TICK_SAMPLES, np.int16)


def egress(frames: Mailbox[Frame], clock: Clock, width: int, height: int) -> MediaEgress:
    return MediaEgress(frames, quiet, clock, width=width, height=height)


def overloaded(sessions: int, calm_s: float, hard_s: float) -> tuple[list[Viewer], list[MediaEgress]]:
    """Sessions that speak to a viewer each, with an overload from `BEGINS_S` to `ENDS_S`."""

    async def main() -> tuple[list[Viewer], list[MediaEgress]]:
        asyncio.get_running_loop().run_in_executor = Hindered(7)  # type: ignore[assignment,method-assign]
        worker, viewers, out = Worker(sessions, calm_s, hard_s), [], []
        for show, frames in zip(worker.shows, worker.mailboxes, strict=True):
            avatar, viewer = show.stock.avatar, Viewer()
            one = egress(frames, show.shop.clock, avatar.width, avatar.height)
            one.watch("H264", viewer.show)
            one.listen(viewer.hear)
            one.start()
            viewers.append(viewer)
            out.append(one)
        await worker.speak(ENDS_S + 4.0)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*(one.aclose() for one in out))
        return viewers, out

    return run_virtual(main())


def test_no_picture_is_shown_further_behind_its_sound_than_is_borne() -> None:
    viewers, out = overloaded(4, 0.003, 0.012)
    for viewer in viewers:
        skews_s = viewer.skews_s()
        assert len(skews_s) > 200 and max(map(abs, skews_s)) <= SKEW_MAX_S
        assert viewer.pts == sorted(set(viewer.pts)), "time stamps rise"
        shown = sorted(viewer.pictures.values())
        gaps_s = [b - a for a, b in zip(shown, shown[1:], strict=False)]
        assert max(gaps_s) < 0.6, "and none stands for long"
        after = [at_s for at_s in shown if at_s > ENDS_S + 3.0]
        assert len(after) >= 24, "at the full rate again"
    assert sum(one.stats.late_frames for one in out) > 20
    assert sum(one.stats.held_frames for one in out) > 0, "some became late in the encoder"
    assert sum(len(viewer.unseen) for viewer in viewers) > 0
