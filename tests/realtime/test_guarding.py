"""Faulty pixels do not leave: patches with seams, jumps and quivers, injected through the avatar, in virtual time."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.sync import Said, speak
from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.presets import presets
from realtime.core.budget import CostModel, Ladder
from realtime.core.facs import Controls, Emotion
from realtime.core.plan import Plan
from realtime.core.values import I420, BaseKey, Frame, Patch, Region
from realtime.generator import Generator
from realtime.guarding import Guarding
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.ports import Avatar
from realtime.stock import Stock
from tests.fakes import FlatAvatar, InlineCompute
from tests.virtual_time import now_s, run_virtual

Spoil = Callable[[int, Patch], Patch]


class SoftAvatar(FlatAvatar):
    """A mouth that fades into its base frame, as drawn regions do; `spoil` may change what the n-th drawing gives."""

    def __init__(self, spoil: Spoil = lambda number, patch: patch) -> None:
        super().__init__()
        self._spoil = spoil

    def base_key(self, controls: Controls) -> BaseKey:
        return (0,)

    def regions(self, key: BaseKey, controls: Controls) -> tuple[Region, ...]:
        # every frame's own key: each is drawn anew
        steps = round(controls["AU26"] * 4000)
        return (Region("lower", self.MOUTH, (self.regions_drawn, steps)),)

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        self.regions_drawn += 1
        pixels = np.full((24, 32), 100, np.uint8)
        pixels[4:12, 4:-4] = 100 - round(controls["AU26"] * 40)
        return self._spoil(self.regions_drawn, Patch(region.roi, pixels))


def _brighter(patch: Patch, levels: int, *, inside: bool = False) -> Patch:
    pixels = patch.pixels.copy()
    part = (slice(2, 14), slice(4, -4)) if inside else (slice(None), slice(None))
    pixels[part] = np.clip(pixels[part].astype(int) + levels, 0, 255)
    return Patch(patch.roi, pixels)


async def _frames(
    avatar: Avatar, length_s: float, act: Callable[[Plan], None] = lambda plan: None
) -> tuple[list[Frame], Guarding]:
    plan, frames, guard = Plan(seed=1), list[Frame](), Guarding(avatar.displacement_px)
    act(plan)
    compute: Any = InlineCompute()
    shop = Workshop(plan, now_s, Stock(avatar), compute, CostModel(), Ladder(), guard=guard)
    task = asyncio.create_task(Generator(shop, Mailbox(), on_frame=frames.append).run())
    await asyncio.sleep(length_s)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return frames, guard


def _kinds(guard: Guarding) -> set[str]:
    return {kind for _, kind in guard.faults}


def test_good_patches_pass() -> None:
    frames, guard = run_virtual(_frames(SoftAvatar(), 4.0))
    assert not guard.faults and all(not frame.trace.faults for frame in frames)


def test_a_seam_is_not_shown() -> None:
    avatar = SoftAvatar(lambda number, patch: _brighter(patch, 40) if number == 30 else patch)
    frames, guard = run_virtual(_frames(avatar, 3.0))
    assert guard.faults == {("lower", "seam"): 1}
    hurt = [frame for frame in frames if frame.trace.faults]
    assert len(hurt) == 1 and hurt[0].trace.faults == {"lower": "seam"}
    mouth = FlatAvatar.MOUTH
    assert int(hurt[0].pixels[mouth.y, mouth.x]) == 100, "the patch before it stands in"


def test_the_first_patch_gives_way_to_the_base_frame() -> None:
    avatar = SoftAvatar(lambda number, patch: _brighter(patch, 40) if number == 1 else patch)
    frames, guard = run_virtual(_frames(avatar, 0.5))
    assert guard.faults == {("lower", "seam"): 1}
    assert np.array_equal(frames[0].pixels, avatar.render_base((0,)))


def test_a_jump_without_a_cause_is_not_shown() -> None:
    avatar = SoftAvatar(lambda number, patch: _brighter(patch, 60, inside=True) if number == 30 else patch)
    frames, guard = run_virtual(_frames(avatar, 3.0))
    assert _kinds(guard) == {"jitter"}
    assert sum(bool(frame.trace.faults) for frame in frames) == 1


def test_a_mouth_that_quivers_in_silence_is_held() -> None:
    avatar = SoftAvatar(lambda number, patch: _brighter(patch, 3 * (number % 2), inside=True))
    frames, guard = run_virtual(_frames(avatar, 4.0))
    assert _kinds(guard) == {"quiver"} and guard.faults["lower", "quiver"] > 30
    shown = [int(frame.pixels[FlatAvatar.MOUTH.y + 8, FlatAvatar.MOUTH.x + 8]) for frame in frames[25:]]
    changes = sum(a != b for a, b in zip(shown, shown[1:], strict=False))
    assert changes < len(shown) / 2, "without the guard every frame changes"


def test_a_fault_that_stays_is_shown_in_the_end() -> None:
    avatar = SoftAvatar(lambda number, patch: _brighter(patch, 40) if number > 20 else patch)
    frames, _ = run_virtual(_frames(avatar, 3.0))
    assert any(not frame.trace.faults for frame in frames[30:]), "a guard that errs does not freeze a face"


def test_a_faulty_patch_is_not_kept_for_others() -> None:
    avatar = FlatAvatar()
    stock, region = Stock(avatar), Region("lower", FlatAvatar.MOUTH, "key")
    stock.keep_patch(region, Patch(region.roi, np.zeros((24, 32), np.uint8)))
    held = stock.size_bytes
    stock.forget_patch(region)
    stock.forget_patch(region)
    assert stock.patch(region) is None and held > 0 and stock.size_bytes == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mei", "kofi"])
def test_no_false_alarm_in_a_minute_of_a_real_host(name: str) -> None:
    spec = presets()[name]
    said = asyncio.run(speak(11))
    assert said[-1].end_s > 55.0

    def act(plan: Plan) -> None:
        loop = asyncio.get_running_loop()
        for one in said:
            loop.call_at(one.begin_s - 0.2, _speak, plan, one)
        for number, emotion in enumerate((Emotion.HAPPY, Emotion.SAD, Emotion.SURPRISE, Emotion.ANGRY)):
            plan.feel(emotion, 0.8, 6.0 + 12.0 * number)
        for number, gesture in enumerate(("wave", "nod", "shrug", "laugh")):
            plan.gesture(gesture, 10.0 + 12.0 * number)

    frames, guard = run_virtual(_frames(IllustratedHost(spec, paint_layers(spec)), 60.0, act))
    drawn = sum(len(frame.trace.drawn) for frame in frames)
    assert len(frames) > 1490 and drawn > 1500
    assert not guard.faults, f"of {drawn} regions drawn"


def _speak(plan: Plan, said: Said) -> None:
    plan.speak(said.phonemes, said.begin_s, said.end_s)
