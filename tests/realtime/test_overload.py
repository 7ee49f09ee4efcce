"""Ten seconds of overload in virtual time: the ladder is down within 200 ms, back within 3 s, and does not swing."""

import pytest

from realtime.core.budget import Step
from realtime.generator import Generator
from realtime.mailbox import Mailbox
from tests.realtime.test_faults import Show
from tests.virtual_time import now_s, run_virtual

BEGINS_S, ENDS_S = 3.0, 13.0


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
