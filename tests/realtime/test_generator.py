"""The generator in virtual time: on time, complete, reused where nothing moved, skipped where it was late."""

import asyncio
import contextlib
from collections.abc import Callable

import numpy as np

from realtime.core.budget import CostModel, Ladder
from realtime.core.plan import Plan
from realtime.core.values import Frame, Phoneme
from realtime.generator import Generator
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.stock import Stock
from tests.fakes import FlatAvatar, InlineCompute
from tests.virtual_time import now_s, run_virtual


class Studio:
    """A generator on fakes that keeps every frame it publishes."""

    def __init__(self, cost_s: float = 0.0, *, partial_update: bool = True) -> None:
        self.avatar = FlatAvatar()
        self.plan = Plan(seed=1)
        self.compute = InlineCompute(cost_s)
        self.ladder = Ladder()
        self.frames: list[Frame] = []
        shop = Workshop(
            self.plan,
            now_s,
            Stock(self.avatar),
            self.compute,  # type: ignore[arg-type]  # without its thread
            CostModel(),
            self.ladder,
            partial_update=partial_update,
        )
        self.generator = Generator(shop, Mailbox(), on_frame=self.frames.append)

    async def run(self, duration_s: float, at: dict[float, Callable[[], object]] | None = None) -> None:
        loop = asyncio.get_running_loop()
        for time_s, act in (at or {}).items():
            loop.call_at(time_s, act)
        task = asyncio.create_task(self.generator.run())
        await asyncio.sleep(duration_s)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def speech(start_s: float, length_s: float) -> tuple[list[Phoneme], float, float]:
    return [Phoneme("ɑː", 0.0, length_s, 2)], start_s, start_s + length_s


def test_frames_come_at_their_media_time_and_are_never_late() -> None:
    studio = Studio()
    run_virtual(studio.run(2.0))
    assert [f.index for f in studio.frames] == list(range(len(studio.frames)))
    assert len(studio.frames) in (50, 51)
    assert [f.pts for f in studio.frames[:3]] == [0, 3600, 7200]
    assert studio.generator.counters.late == 0


def test_idle_reuses_pixels() -> None:
    studio = Studio()
    run_virtual(studio.run(12.0))
    counters = studio.generator.counters
    assert counters.unchanged > 0.8 * counters.frames
    assert studio.avatar.regions_drawn == 0
    first = studio.avatar.bases_drawn
    run_virtual(studio.run(0.0))
    assert first <= 8, "one base frame per pose, drawn once"


def test_speech_opens_the_mouth_in_the_picture_and_closes_it() -> None:
    studio = Studio()
    run_virtual(studio.run(2.0, {0.5: lambda: studio.plan.speak(*speech(0.5, 0.6))}))
    mouth = FlatAvatar.MOUTH
    greys = [int(f.pixels[mouth.y + 2, mouth.x + 2]) for f in studio.frames]
    opened = [f.media_s for f, grey in zip(studio.frames, greys, strict=True) if grey < 50]
    assert 0.45 <= opened[0] <= 0.65 and 1.0 <= opened[-1] <= 1.35
    assert greys[-1] > 50, "the base frame again"
    outside = [int(f.pixels[2, 2]) for f in studio.frames]
    assert min(outside) > 50, "pixels outside the region are the base frame's"


def test_a_published_picture_is_never_written_again() -> None:
    studio = Studio()
    seen: list[tuple[Frame, bytes]] = []
    run_virtual(studio.run(2.0, {0.2: lambda: studio.plan.speak(*speech(0.3, 1.0))}))
    seen = [(f, f.pixels.tobytes()) for f in studio.frames]
    run_virtual(studio.run(1.0))
    assert all(np.array_equal(np.frombuffer(data, np.uint8), f.pixels.ravel()) for f, data in seen)


def test_a_slow_machine_skips_frames_and_keeps_media_time() -> None:
    studio = Studio(cost_s=0.1)
    run_virtual(studio.run(4.0, {0.1: lambda: studio.plan.speak(*speech(0.2, 3.0))}))
    counters = studio.generator.counters
    assert counters.skipped > 0 and counters.late > 0
    lags = [f.trace.stamps_s["published"] - f.media_s for f in studio.frames]
    assert max(lags) < 0.25, "late by the work of one frame, never by a queue"


def test_ladder_steps_are_counted_under_overload() -> None:
    studio = Studio(cost_s=0.06)
    run_virtual(studio.run(6.0, {0.1: lambda: studio.plan.speak(*speech(0.2, 2.0))}))
    assert studio.generator.counters.steps_down >= 1
    assert studio.generator.counters.steps_up >= 1


def test_epoch_travels_with_the_frames() -> None:
    studio = Studio()
    run_virtual(studio.run(1.0, {0.5: lambda: studio.plan.interrupt(0.5)}))
    assert {f.epoch for f in studio.frames if f.media_s < 0.5} == {0}
    assert {f.epoch for f in studio.frames if f.media_s > 0.52} == {1}


def test_without_partial_update_every_frame_is_drawn_in_full() -> None:
    studio = Studio(partial_update=False)
    run_virtual(studio.run(1.0))
    assert studio.avatar.bases_drawn - studio.generator.counters.frames in (0, 1), "one may be in the making"
    assert studio.generator.counters.unchanged == 0
