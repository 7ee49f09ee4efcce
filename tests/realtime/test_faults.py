"""What goes wrong costs pictures and never time: slow and stuck devices, jumps, full caches; in virtual time."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import realtime.compute
from realtime.compute import ComputeThread
from realtime.core.budget import CostModel, Ladder, Step
from realtime.core.facs import Controls
from realtime.core.plan import Plan
from realtime.core.schedule import DeadlineQueue
from realtime.core.values import Frame, Patch, Phoneme
from realtime.generator import Generator
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.ports import Clock, Refined
from realtime.stock import Stock
from tests.fakes import FlatAvatar
from tests.virtual_time import now_s, run_virtual

P = ParamSpec("P")
R = TypeVar("R")


class Device:
    """A compute thread in virtual time: one piece after another, each as long as `cost_s` says of its name."""

    def __init__(self, cost_s: Callable[[str], float]) -> None:
        self._cost_s = cost_s
        self._lock = asyncio.Lock()

    async def run(self, left_s: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        async with self._lock:
            await asyncio.sleep(self._cost_s(work.__name__))
            return work(*args, **kwargs)


class Denoiser:
    name = "fake"
    steps = 2

    def __init__(self) -> None:
        self.calls = 0

    def refine(self, patches: Sequence[Patch], controls: Controls, steps: int, left_s: float) -> Refined:
        self.calls += 1
        return Refined(tuple(patches), steps)


class Show:
    """One session that speaks from 0.2 s on."""

    def __init__(
        self,
        cost_s: Callable[[str], float],
        *,
        denoiser: Denoiser | None = None,
        cache_bytes: int = 1 << 24,
        clock: Clock = now_s,
        device: Device | None = None,
    ) -> None:
        self.plan = Plan(seed=3)
        self.stock = Stock(FlatAvatar(), cache_bytes, cache_bytes)
        self.ladder = Ladder(best="refine2" if denoiser else "warp")
        self.frames: list[Frame] = []
        compute: Any = device or Device(cost_s)
        self.shop = Workshop(self.plan, clock, self.stock, compute, CostModel(), self.ladder, denoiser=denoiser)
        self.generator = Generator(self.shop, Mailbox(), on_frame=self.frames.append)

    async def run(self, length_s: float, at: Mapping[float, Callable[[], object]] | None = None) -> "Show":
        phonemes = [Phoneme("ɑː" if i % 2 else "m", 0.1 * i, 0.1 * (i + 1), 1) for i in range(int(10 * length_s))]
        self.plan.speak(phonemes, 0.2, 0.2 + length_s)
        for time_s, act in (at or {}).items():
            asyncio.get_running_loop().call_at(time_s, act)
        return await self.go_on(length_s)

    async def go_on(self, length_s: float) -> "Show":
        task = asyncio.create_task(self.generator.run())
        await asyncio.sleep(length_s)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return self

    def lags_s(self) -> list[float]:
        return [frame.trace.stamps_s["published"] - frame.media_s for frame in self.frames]


def shown(cost_s: Callable[[str], float], length_s: float = 6.0, **options: Any) -> Show:
    async def main() -> Show:
        return await Show(cost_s, **options).run(length_s)

    return run_virtual(main())


def test_work_is_done_ahead_and_frames_leave_at_their_media_time() -> None:
    show = shown(lambda piece: 0.02)
    assert max(show.lags_s()[25:]) < 0.002, "once it is known what they take"
    assert min(show.lags_s()) > -0.04
    assert show.generator.counters.skipped == 0


def test_a_text_that_comes_in_the_lead_is_still_in_the_frame() -> None:
    async def main() -> tuple[Show, float]:
        show = Show(lambda piece: 0.012)
        spoken_s = 3.005  # frame 76, at 3.04 s, is in the making or has just been made
        speak = show.plan.speak

        def say() -> None:
            show.plan.interrupt(spoken_s)
            speak([Phoneme("ɑː", 0.0, 1.0, 2)], spoken_s, spoken_s + 1.0)

        await show.run(4.0, {spoken_s + 0.001 * i: say if i == 0 else show.plan.epoch.__int__ for i in range(2)})
        return show, spoken_s

    show, spoken_s = run_virtual(main())
    after = [frame for frame in show.frames if frame.trace.stamps_s["published"] > spoken_s + 1e-6]
    assert {frame.epoch for frame in after} == {1}, "no stale frame"
    assert max(lag for lag in show.lags_s()[25:]) < 0.04


def test_a_stream_of_changes_does_not_stop_the_picture() -> None:
    async def main() -> Show:
        show = Show(lambda piece: 0.004)
        cuts = {1.0 + 0.003 * i: lambda: show.plan.look(0.1, 0.0, now_s(), 0.1) for i in range(600)}
        return await show.run(3.0, cuts)

    show = run_virtual(main())
    assert len(show.frames) > 65 and show.generator.counters.redrawn > 10


def test_a_denoisers_rest_and_its_return_are_records() -> None:
    async def main() -> list[Step]:
        steps: list[Step] = []
        show = Show(lambda piece: 0.5 if piece == "_refined" and now_s() < 5.0 else 0.003, denoiser=Denoiser())
        show.shop.on_step = steps.append
        await show.run(20.0)
        return steps

    steps = run_virtual(main())
    assert [(step.kind, step.rung, step.down) for step in steps] == [
        ("denoiser", "rests", True), ("denoiser", "asked", False),
    ]  # fmt: skip
    assert "10 s" in steps[0].reason and steps[1].at_s >= steps[0].at_s + 10.0


def test_a_slow_denoiser_costs_no_time_and_is_left_alone() -> None:
    denoiser = Denoiser()
    show = shown(lambda piece: 0.5 if piece == "_refined" else 0.003, denoiser=denoiser)
    assert {frame.trace.rung for frame in show.frames} <= {"warp", "cached"}
    assert denoiser.calls < 10
    assert len([lag for lag in show.lags_s() if lag > 0.041]) <= 3 * 14, "only while its device was still busy"


def test_a_stuck_denoiser_is_asked_ever_more_seldom_and_costs_no_time() -> None:
    """The refine step never returns, on a device of its own as engines that gather work have it."""

    class Stuck:
        def __init__(self) -> None:
            self.asked_s: list[float] = []
            self.given_up = 0

        async def run(self, left_s: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
            self.asked_s.append(now_s())
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                self.given_up += 1
                raise
            raise AssertionError("it never comes")

    async def main() -> tuple[Show, Stuck]:
        show, stuck = Show(lambda piece: 0.003, denoiser=Denoiser()), Stuck()
        show.shop.refining = stuck  # type: ignore[assignment]  # without its threads
        return await show.run(40.0), stuck

    show, stuck = run_virtual(main())
    assert len(show.frames) > 990 and show.generator.counters.skipped <= 4
    assert {frame.trace.rung for frame in show.frames} <= {"warp", "cached"}
    late = [lag for lag in show.lags_s() if lag > 0.041]
    assert len(late) <= len(stuck.asked_s) < 12 and stuck.given_up == len(stuck.asked_s)
    gaps_s = [b - a for a, b in zip(stuck.asked_s, stuck.asked_s[1:], strict=False)]
    assert max(gaps_s) > 9.0, "it rests"


def test_a_lost_viewer_ends_the_frames_and_the_next_one_begins_in_time() -> None:
    async def main() -> tuple[Show, list[int]]:
        show = Show(lambda piece: 0.003)
        await show.run(2.0)
        made = [len(show.frames)]
        await asyncio.sleep(7.0)
        made.append(len(show.frames))
        await show.go_on(2.0)
        return show, made

    show, made = run_virtual(main())
    assert made[0] == made[1] and made[0] in (50, 51), "nobody watches, nothing is made"
    later = show.frames[made[1] :]
    assert later[0].media_s >= 9.0 - 0.04 and len(later) >= 49, "at the time it is then, not where it was left"
    assert max(show.lags_s()[made[1] + 1 :]) < 0.01


def test_a_cache_without_room_draws_each_time_and_keeps_time() -> None:
    show = shown(lambda piece: 0.003, cache_bytes=0)
    counters = show.stock.counters
    assert show.stock.size_bytes == 0 and counters.bases.hits == 0 and counters.bases.misses > 100
    assert max(show.lags_s()[25:]) < 0.01 and len(show.frames) > 145


def test_a_denoiser_in_time_refines() -> None:
    show = shown(lambda piece: 0.005, denoiser=Denoiser())
    assert any(frame.trace.rung.startswith("refine") for frame in show.frames)
    assert max(show.lags_s()[25:]) < 0.01


def test_a_machine_ten_times_slower_keeps_media_time() -> None:
    show = shown(lambda piece: 0.06, 10.0)
    assert show.ladder.every == 2 and show.generator.every == 2, "half the frames, each in its time"
    late = [lag for lag, frame in zip(show.lags_s(), show.frames, strict=True) if frame.media_s > 2.0]
    assert len(late) > 80 and max(late) < 0.05


def test_a_full_cache_evicts_and_goes_on() -> None:
    show = shown(lambda piece: 0.003, cache_bytes=7000)
    counters = show.stock.counters
    assert counters.bases.evictions + counters.patches.evictions > 0
    assert max(show.lags_s()[25:]) < 0.01


def test_a_clock_that_jumps_ahead_skips_and_keeps_its_rung() -> None:
    async def main() -> Show:
        jump = {"s": 0.0}
        show = Show(lambda piece: 0.003, clock=lambda: now_s() + jump["s"])
        return await show.run(4.0, {2.0: lambda: jump.update(s=30.0)})

    show = run_virtual(main())
    counters = show.generator.counters
    assert 740 < counters.skipped < 760 and counters.steps_down == 0
    assert [f.index for f in show.frames] == sorted({f.index for f in show.frames})
    assert show.frames[-1].media_s > 33.9


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.floats(0.2, 2.0), st.sampled_from("mɑif")), min_size=2, max_size=4))
def test_sessions_on_one_device_show_what_they_show_alone(scripts: list[tuple[float, str]]) -> None:
    """Isolation: frames of sessions that share device, order of work and nothing else are those of each alone."""

    def session(device: Device | None, script: tuple[float, str]) -> Show:
        show = Show(lambda piece: 0.001, device=device)
        start_s, symbol = script
        show.plan.speak([Phoneme(symbol, 0.0, 0.7, 2)], start_s, start_s + 0.7)
        return show

    async def together() -> list[Show]:
        device = Device(lambda piece: 0.001)
        return await asyncio.gather(*(session(device, script).run(1.5) for script in scripts))

    def pixels(show: Show) -> dict[int, bytes]:
        return {frame.index: frame.pixels.tobytes() for frame in show.frames}

    for script, show in zip(scripts, run_virtual(together()), strict=True):
        alone = pixels(run_virtual(session(None, script).run(1.5)))
        both = alone.keys() & pixels(show).keys()
        assert len(both) > 30
        assert all(alone[index] == pixels(show)[index] for index in both)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 7)), max_size=60))
def test_the_queue_gives_each_piece_back_once_by_deadline(pieces: list[tuple[float, int]]) -> None:
    queue: DeadlineQueue[tuple[float, int, int]] = DeadlineQueue()
    for order, (deadline_s, session) in enumerate(pieces):
        queue.push(deadline_s, (deadline_s, session, order))
    found = [queue.pop() for _ in range(len(queue))]
    assert sorted(found) == sorted((d, s, i) for i, (d, s) in enumerate(pieces))
    assert [(d, i) for d, _, i in found] == sorted((d, i) for d, _, i in found)


async def test_a_stuck_piece_is_left_to_its_thread_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime.compute, "STUCK_S", 0.05)
    compute, release = ComputeThread(), threading.Event()
    try:
        stuck = asyncio.ensure_future(compute.run(0.01, release.wait))
        results = await asyncio.gather(*(compute.run(1.0 + i, lambda i=i: i) for i in range(3)))  # type: ignore[misc]
        assert results == [0, 1, 2] and compute.relieved == 1
        release.set()
        assert await stuck is True, "what ends after all is still its caller's"
        assert await compute.run(1.0, lambda: "on") == "on"
    finally:
        release.set()
        compute.close()
