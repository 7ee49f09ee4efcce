"""What was too dear in a bad moment is tried again, seldom while that lasts and soon after it; in virtual time."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from realtime.core.budget import CostModel, Ladder
from realtime.core.facs import Controls
from realtime.core.values import I420, BaseKey, Patch
from realtime.levels import REFINED_AGAIN_S
from realtime.ports import Refined
from tests.fakes import FlatAvatar
from tests.realtime.test_faults import Denoiser, Device, Show
from tests.virtual_time import now_s, run_virtual


class Laborious(FlatAvatar):
    """A host whose base frames take as long to draw as is said of the moment, on the virtual clock."""

    def __init__(self, base_s: Callable[[float], float]) -> None:
        super().__init__()
        self._base_s = base_s
        self.drawn_s: list[float] = []

    def render_base(self, key: BaseKey) -> I420:
        loop: Any = asyncio.get_running_loop()
        self.drawn_s.append(now_s())
        loop.pass_s(self._base_s(now_s()))
        return super().render_base(key)


@pytest.mark.parametrize("hard_s", [0.08, 0.15, 0.4])
@pytest.mark.parametrize("sessions", [1, 4])
def test_a_body_moves_again_within_a_second_of_the_load(sessions: int, hard_s: float) -> None:
    begins_s, ends_s = 3.0, 9.0

    async def main() -> list[Show]:
        def base_s(at_s: float) -> float:
            return hard_s / sessions if begins_s <= at_s < ends_s else 0.008 / sessions

        device, costs = Device(lambda piece: 0.001), CostModel()
        shows = [Show(lambda piece: 0.0, cache_bytes=0, device=device) for _ in range(sessions)]
        for show in shows:
            show.shop.costs = costs
            show.stock.avatar = Laborious(base_s)
        await asyncio.gather(*(show.run(14.0) for show in shows))
        return shows

    for show in run_virtual(main()):
        avatar = cast(Laborious, show.stock.avatar)
        after = [frame for frame in show.frames if frame.media_s > ends_s]
        moved = [frame.media_s for frame in after if not frame.trace.base_hit and not frame.trace.base_kept]
        assert moved[0] <= ends_s + max(1.0, 5.0 * hard_s) + 0.12
        assert not any(frame.trace.base_kept for frame in after if frame.media_s > moved[0] + 0.2), "and goes on"
        if sessions == 1:
            tried = [at_s for at_s in avatar.drawn_s if begins_s + 1.0 <= at_s < ends_s]
            assert len(tried) <= 6, "while the load lasts it is tried once a second"
            assert sum(frame.trace.base_kept for frame in show.frames if begins_s <= frame.media_s < ends_s) > 100


def test_a_body_that_was_too_dear_to_draw_once_moves_again() -> None:
    async def main() -> Show:
        show = Show(lambda piece: 0.003, cache_bytes=0)
        for _ in range(20):
            show.shop.costs.observe("base", 0, 0.08)
        return await show.run(12.0)

    show = run_virtual(main())
    kept = [frame.trace.base_kept for frame in show.frames]
    assert not any(kept[-270:]) and max(show.lags_s()[25:]) < 0.01


@pytest.mark.parametrize("steps", [1, 2])
def test_a_denoiser_that_was_too_slow_for_a_while_is_asked_again(steps: int) -> None:
    begins_s, ends_s = 3.0, 8.0

    class Laboured(Denoiser):
        def refine(self, patches: Sequence[Patch], controls: Controls, steps: int, left_s: float) -> Refined:
            loop: Any = asyncio.get_running_loop()
            loop.pass_s(0.15 if begins_s <= now_s() < ends_s else 0.002 * steps)
            return super().refine(patches, controls, steps, left_s)

    async def main() -> Show:
        show = Show(lambda piece: 0.002, denoiser=Laboured())
        show.shop.ladder = show.ladder = Ladder(best="refine2" if steps == 2 else "refine1")
        return await show.run(16.0)

    show = run_virtual(main())
    best = {frame.media_s for frame in show.frames if frame.trace.rung == f"refine{steps}"}
    assert {media_s for media_s in best if media_s < begins_s}
    again_s = min(media_s for media_s in best if media_s > ends_s)
    assert again_s <= ends_s + 3.0 + REFINED_AGAIN_S + 0.08, "the ladder's way up, and the wait for a trial"
    before, after = (sum(since_s <= media_s < since_s + 2.0 for media_s in best) for since_s in (1.0, again_s + 0.5))
    assert after > 0.9 * before, "and goes on as it did"
