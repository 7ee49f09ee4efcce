"""Ten seconds of overload in virtual time: the ladder is down within 200 ms, back within 3 s, and does not swing."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, cast

import pytest

from realtime.core.budget import Ladder, Step
from realtime.core.pressure import Waits, held_up_s
from realtime.core.units import FRAME_S
from realtime.core.values import Frame, Rung
from realtime.feeling import Feeling
from realtime.generator import Generator
from realtime.mailbox import Mailbox
from tests.realtime.test_faults import Denoiser, Device, Show
from tests.virtual_time import now_s, run_virtual

BEGINS_S, ENDS_S = 3.0, 13.0
R = TypeVar("R")


def overloaded(calm_s: float, hard_s: float) -> tuple[Show, list[Step]]:
    """A session whose pieces of work take `hard_s` instead of `calm_s` for ten seconds."""

    async def main() -> tuple[Show, list[Step]]:
        steps: list[Step] = []
        show = Show(lambda piece: hard_s if BEGINS_S <= now_s() < ENDS_S else calm_s)
        show.generator = Generator(show.shop, Mailbox(), on_frame=show.frames.append, on_step=steps.append)
        await show.run(ENDS_S + 5.0)
        return show, [step for step in steps if step.kind == "ladder"]

    return run_virtual(main())


@pytest.mark.parametrize(("calm_s", "hard_s"), [(0.015, 0.05), (0.01, 0.08), (0.012, 0.12)])
def test_down_within_200_ms_and_back_within_3_s(calm_s: float, hard_s: float) -> None:
    show, steps = overloaded(calm_s, hard_s)
    down = [step.at_s for step in steps if step.down and step.at_s >= BEGINS_S]
    # the frame in the making when the overload begins is the first that can tell
    assert BEGINS_S < down[0] <= BEGINS_S + 0.2 + hard_s
    assert show.ladder.rung == "warp" and show.ladder.every == 1
    assert max(step.at_s for step in steps) <= ENDS_S + 3.0


def test_no_picture_is_lost_before_or_after() -> None:
    show, _ = overloaded(0.012, 0.06)
    before = [frame.index for frame in show.frames if 1.0 < frame.media_s < BEGINS_S - 0.1]
    after = [frame.index for frame in show.frames if frame.media_s > ENDS_S + 3.2]
    for run in (before, after):
        assert run == list(range(run[0], run[-1] + 1))


def test_a_frame_left_out_behind_the_generator_counts_as_strain() -> None:
    async def main() -> list[Step]:
        steps: list[Step] = []
        show = Show(lambda piece: 0.003)

        def leave_out(frame: object) -> None:
            trace = frame.trace  # type: ignore[attr-defined]
            if 2.0 <= trace.stamps_s["published"] < 3.0:
                trace.stamps_s["left_out"] = now_s()

        show.generator = Generator(show.shop, Mailbox(), on_frame=leave_out, on_step=steps.append)
        await show.run(3.0)
        return steps

    steps = run_virtual(main())
    assert steps and steps[0].down and steps[0].at_s <= 2.2


class Worker:
    """Sessions that share a device and feel its pressure together; a piece of their work takes `calm_s`, and `hard_s`
    for ten seconds. The device tells how long work waits for it, as a compute thread does."""

    thread_id = None

    def __init__(self, sessions: int, calm_s: float, hard_s: float, best: Rung = "warp") -> None:
        self.waited = Waits(0, 0.0)
        self.steps: list[list[Step]] = [[] for _ in range(sessions)]
        self._began_s = 0.0

        def takes_s(piece: str) -> float:
            self._began_s = now_s()
            return hard_s if BEGINS_S <= self._began_s < ENDS_S else calm_s

        self._device = Device(takes_s)
        feeling = Feeling(cast(Any, self))
        self.shows: list[Show] = []
        self.mailboxes: list[Mailbox[Frame]] = []
        for index in range(sessions):
            phase_s = FRAME_S * index / sessions
            show = Show(
                lambda piece: 0.0, device=cast(Any, self), clock=lambda phase_s=phase_s: now_s() + phase_s,
            )  # fmt: skip
            show.shop.ladder = show.ladder = Ladder(best=best)
            show.shop.feeling = feeling
            self.mailboxes.append(Mailbox())
            show.generator = Generator(
                show.shop, self.mailboxes[-1], on_frame=show.frames.append, on_step=self.steps[index].append
            )
            self.shows.append(show)

    async def run(self, left_s: float, work: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        asked_s = now_s()

        def begun() -> R:
            # the device is still ours: nothing else has begun since
            held_s = held_up_s(self._began_s - asked_s, left_s)
            self.waited = Waits(self.waited.count + 1, self.waited.total_s + held_s)
            return work(*args, **kwargs)

        begun.__name__ = work.__name__
        return await self._device.run(left_s, begun)

    async def speak(self, length_s: float) -> "Worker":
        await asyncio.gather(*(show.run(length_s) for show in self.shows))
        return self

    def ladder(self, index: int) -> list[Step]:
        return [step for step in self.steps[index] if step.kind == "ladder"]


@pytest.mark.parametrize(("sessions", "calm_s", "hard_s"), [(8, 0.0025, 0.010), (4, 0.004, 0.03), (1, 0.012, 0.08)])
def test_all_sessions_of_a_worker_step_down_and_come_back_together(
    sessions: int, calm_s: float, hard_s: float
) -> None:
    worker = run_virtual(Worker(sessions, calm_s, hard_s).speak(ENDS_S + 5.0))
    for index, show in enumerate(worker.shows):
        steps = [step for step in worker.ladder(index) if step.at_s > BEGINS_S]
        assert steps[0].down and steps[0].at_s <= BEGINS_S + 0.2 + hard_s + FRAME_S, f"session {index}"
        assert show.ladder.rung == "warp" and show.ladder.every == 1
        assert max(step.at_s for step in steps) <= ENDS_S + 3.0 + FRAME_S, f"session {index}"
        assert not [step for step in worker.ladder(index) if step.down and 0.5 < step.at_s < BEGINS_S], "not before"


def test_low_priorities_give_way_first_and_normal_ones_in_time_all_the_same() -> None:
    hard_s = 0.010

    async def main() -> Worker:
        worker = Worker(8, 0.0025, hard_s)
        for index, show in enumerate(worker.shows):
            show.shop.priority = ("low", "normal", "high", "normal")[index % 4]
        return await worker.speak(ENDS_S + 5.0)

    worker = run_virtual(main())
    made: dict[str, list[int]] = {"low": [], "normal": [], "high": []}
    for index, show in enumerate(worker.shows):
        steps = [step for step in worker.ladder(index) if step.at_s > BEGINS_S]
        if show.shop.priority != "high":
            assert steps[0].down and steps[0].at_s <= BEGINS_S + 0.2 + hard_s + FRAME_S, f"session {index}"
        assert show.ladder.rung == "warp" and show.ladder.every == 1, "and all come back"
        assert max((step.at_s for step in steps), default=0.0) <= ENDS_S + 3.0 + FRAME_S, f"session {index}"
        made[show.shop.priority].append(sum(BEGINS_S <= frame.media_s < ENDS_S for frame in show.frames))
    assert max(made["low"]) <= min(made["normal"]) and max(made["normal"]) <= min(made["high"])
    assert max(made["low"]) < min(made["high"])


def test_four_rungs_are_climbed_within_three_seconds() -> None:
    async def main() -> Worker:
        worker = Worker(1, 0.004, 0.08, best="refine2")
        worker.shows[0].shop.denoiser = Denoiser()
        return await worker.speak(ENDS_S + 5.0)

    worker = run_virtual(main())
    show, steps = worker.shows[0], [step for step in worker.ladder(0) if step.at_s > BEGINS_S]
    assert steps[0].down and show.ladder.rung == "refine2" and show.ladder.every == 1
    assert max(step.at_s for step in steps) <= ENDS_S + 3.0
