"""The three levels of hierarchical asynchronous generation, each an async generator over complete frame states.

Contract: each level takes the states of the one below, improves them if the frame's deadline allows, and yields every
one of them. Closing the outermost generator closes the inner ones. All pixels are made on the compute thread."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from realtime.aside import Aside
from realtime.compute import ComputeThread
from realtime.core.breaker import Breaker
from realtime.core.budget import RETRY_S, CostModel, Ladder, Step
from realtime.core.composite import compose
from realtime.core.facs import Controls
from realtime.core.governor import RateGovernor
from realtime.core.pacing import Due, FramePacer, Lead
from realtime.core.plan import Plan
from realtime.core.pressure import Priority
from realtime.core.values import I420, Asked, BaseKey, FrameTrace, Patch, Pose, Region
from realtime.feeling import Feeling
from realtime.guarding import Guarding, View
from realtime.ports import Clock, Denoiser, Done, Refined
from realtime.stock import Stock

MOUTH = "lower"
"""The region speech moves; it is drawn first and dropped last."""
REFINED_AGAIN_S: Final = 2.0
"""Denoising steps are tried against what is expected as seldom as this: for one that takes too long, a frame waits."""
KEPT_FRAMES = 3
"""On the lowest rung a region other than speech's mouth keeps its pixels for so many frames over the same base."""


@dataclass(slots=True)
class FrameState:
    """A frame on its way through the levels; `pixels` is a complete picture from the first level on."""

    due: Due
    pose: Pose
    key: BaseKey
    base: I420
    pixels: I420
    patches: tuple[Patch, ...] = ()
    regions: tuple[Region, ...] = ()
    trace: FrameTrace = field(default_factory=FrameTrace)
    named: tuple[str, ...] = ()
    """The patches' regions."""
    ready_s: float = 0.0
    """When all levels had done with it."""

    @property
    def kind(self) -> str:
        """What its cost is learned under: a speaking frame takes longer than others."""
        return work_kind(speaking=self.pose.activity == "speaking")


@dataclass(slots=True)
class Workshop:
    """What the levels of one session work with: its plan, clock, place on the ladder, and what all share."""

    plan: Plan
    clock: Clock
    stock: Stock
    compute: ComputeThread
    costs: CostModel
    ladder: Ladder
    denoiser: Denoiser | None = None
    refining: Aside | None = None
    """Where the denoiser works, if not on the compute thread."""
    partial_update: bool = True
    """Whether frames are built on cached pixels; False draws base frame and regions of every frame anew."""
    lead: Lead = field(default_factory=Lead)
    trusted: Breaker = field(default_factory=Breaker)
    """Of the denoiser: one that keeps missing its time is left alone for a while."""
    on_step: Callable[[Step], None] = lambda step: None
    """Told when it is left alone, and when it keeps its time again."""
    governor: RateGovernor = field(default_factory=RateGovernor)
    guard: Guarding | None = None
    """Looks at what was drawn before it leaves; None looks at nothing."""
    on_refined: Callable[[int, Done], None] | None = None
    """Told what the denoiser's calls did, by number, late ones too; on the thread it works on."""
    calls: int = 0
    """Of the denoiser, so far."""
    restaged: Stock | None = None
    """The pixels of the frames that follow, taken up between two frames: a frame is made of one host's alone."""
    feeling: Feeling | None = None
    """Feels the pressure on the process; None where sessions feel their own frames only."""
    priority: Priority = "normal"
    common: Clock | None = None
    """The clock of all that share `costs`; None where that is the session's own."""

    def worthwhile(self, kind: str, area_px: int, due: Due, retry_s: float = RETRY_S) -> bool:
        """Whether to take a step for a frame that is due then (`CostModel.worthwhile`)."""
        now_s = self.clock()
        shared_s = now_s if self.common is None else self.common()
        return self.costs.worthwhile(kind, area_px, due.deadline_s - now_s, shared_s, retry_s)


def work_kind(*, speaking: bool) -> str:
    """The kind of work under which a frame's cost is learned."""
    return "speaking" if speaking else "quiet"


async def motion_level(shop: Workshop, pacer: FramePacer) -> AsyncGenerator[FrameState, None]:
    """Level 1: the pose at each media time, begun ahead of it by what such frames take, over a cached base frame.

    A base frame that is not ready is drawn if that fits before the deadline; otherwise the one before stands in."""
    previous: tuple[BaseKey, I420] | None = None
    while True:
        due = _next_due(shop, pacer)
        await asyncio.sleep(due.begin_s - shop.clock())
        if shop.restaged is not None:
            shop.stock, shop.restaged, previous = shop.restaged, None, None
        trace = FrameTrace()
        trace.stamps_s["begun"] = due.begin_s
        pose = shop.plan.sample(due.media_s)
        key = shop.stock.avatar.base_key(pose.controls)
        trace.stamps_s["posed"] = shop.clock()
        base = shop.stock.base(key) if shop.partial_update else None
        if base is None:
            trace.base_hit = False
            if previous is None or shop.worthwhile("base", 0, due):
                base = await shop.compute.run(_left_s(shop, due), _draw_base, shop, key)
            else:
                key, base = previous
                trace.base_kept = True
        previous = (key, base)
        trace.stamps_s["based"] = shop.clock()
        yield FrameState(due, pose, key, base, base, trace=trace)


async def render_level(states: AsyncIterator[FrameState], shop: Workshop) -> AsyncGenerator[FrameState, None]:
    """Level 2: the regions that differ from the base frame, drawn only where nothing ready fits."""
    last: FrameState | None = None
    async for state in states:
        avatar = shop.stock.avatar
        state.regions = avatar.regions(state.key, state.pose.controls)
        if shop.partial_update and last is not None and last.key == state.key and _keys(last) == _keys(state):
            state.patches, state.pixels, state.named = last.patches, last.pixels, last.named
            state.trace.reused.extend(region.name for region in state.regions)
        elif state.regions:
            await shop.compute.run(_left_s(shop, state.due), _draw, shop, state, last)
        state.trace.rois.update((region.name, region.roi) for region in state.regions)
        state.trace.rung = "warp" if state.patches else "cached"
        state.trace.stamps_s["drawn"] = shop.clock()
        last = state
        yield state


async def refine_level(states: AsyncIterator[FrameState], shop: Workshop) -> AsyncGenerator[FrameState, None]:
    """Level 3: diffusion on the regions while the budget lasts. Without a denoiser the states pass as they are."""
    last: FrameState | None = None
    async for state in states:
        if shop.denoiser is not None and state.patches and shop.ladder.rung in ("refine2", "refine1"):
            # pixels of the frame before were refined with it
            if (last is None or state.pixels is not last.pixels) and not shop.trusted.wait_s(shop.clock()):
                await _refine_in_time(shop, shop.denoiser, state, _affordable_steps(shop, state))
                state.trace.stamps_s["refined"] = shop.clock()
        last = state
        yield state


async def _refine_in_time(shop: Workshop, denoiser: Denoiser, state: FrameState, steps: int) -> None:
    """Refine if that is done by the deadline; otherwise the frame goes on as it is."""
    left_s = _left_s(shop, state.due)
    controls, deadline_s = state.pose.controls, state.due.deadline_s
    device = shop.refining or shop.compute
    shop.calls += 1
    state.trace.asked = Asked(shop.calls)
    work = device.run(left_s, _refined, shop, denoiser, state.patches, controls, steps, deadline_s, shop.calls)
    try:
        async with asyncio.timeout(max(0.0, left_s)):
            better = await work
    except TimeoutError:
        _missed(shop, shop.clock())
        return
    if shop.trusted.tripped:
        shop.on_step(Step("asked", False, "it was done in time after a rest", shop.clock(), kind="denoiser"))
    shop.trusted.succeeded()
    if any(a is not b for a, b in zip(better.patches, state.patches, strict=True)):
        _take(shop.guard, state, better.patches)
    if better.steps:
        state.trace.rung = "refine2" if better.steps == 2 else "refine1"


def _missed(shop: Workshop, now_s: float) -> None:
    """The denoiser was not done by the deadline once more."""
    shop.trusted.failed(now_s)
    rest_s = shop.trusted.wait_s(now_s)
    if rest_s:
        shop.on_step(Step("rests", True, f"it missed its time, and rests for {rest_s:g} s", now_s, kind="denoiser"))


def _take(guard: Guarding | None, state: FrameState, better: tuple[Patch, ...]) -> None:
    """Show improved patches; those that are faulty stay as they were drawn."""
    drawn, asked = state.patches, state.trace.asked
    state.patches, state.pixels = better, _compose(replace(state, patches=better))
    changed = [name for name, a, b in zip(state.named, better, drawn, strict=True) if a is not b]
    if asked is not None:
        state.trace.asked = replace(asked, better=tuple(changed))
    if guard is None:
        return
    faults = guard.look(_view(state, dict(zip(state.named, better, strict=True))), changed)
    if faults:
        if asked is not None:
            kept = tuple(name for name in changed if name not in faults)
            spoilt = tuple(name for name in faults if name not in state.trace.faults)
            state.trace.asked = replace(asked, better=kept, spoilt=spoilt)
        state.trace.faults.update({name: fault.kind for name, fault in faults.items()})
        chosen = zip(state.named, better, drawn, strict=True)
        state.patches = tuple(old if name in faults else new for name, new, old in chosen)
        state.pixels = _compose(state)
    guard.shown(state.key, state.pose.controls, dict(zip(state.named, state.patches, strict=True)))


# --- on the compute thread --------------------------------------------------------------------------------------


def _draw_base(shop: Workshop, key: BaseKey) -> I420:
    begin = shop.clock()
    base = shop.stock.make_base(key)
    shop.costs.observe("base", 0, shop.clock() - begin)
    return base


def _draw(shop: Workshop, state: FrameState, last: FrameState | None) -> None:
    """Fill the state's patches, the mouth first; what the deadline forbids keeps its last pixels on the same base."""
    ready: dict[str, Patch] = {}
    for region in sorted(state.regions, key=lambda r: r.name != MOUTH):
        patch = shop.stock.patch(region) if shop.partial_update else None
        if patch is not None:
            state.trace.reused.append(region.name)
        else:
            patch = _drawn_or_kept(shop, state, last, region)
        if patch is not None:
            ready[region.name] = patch
    _arrange(state, ready)
    if shop.guard is not None:
        _guarded(shop.guard, state, ready, shop.stock)


def _arrange(state: FrameState, ready: Mapping[str, Patch]) -> None:
    state.named = tuple(region.name for region in state.regions if region.name in ready)
    state.patches = tuple(ready[name] for name in state.named)
    state.pixels = _compose(state) if state.patches else state.base


def _guarded(guard: Guarding, state: FrameState, ready: dict[str, Patch], stock: Stock) -> None:
    """What was drawn and is faulty gives way to what was shown before, and is not kept for others."""
    view = _view(state, ready)
    faults = guard.look(view, state.trace.drawn)
    for region in state.regions:
        if region.name in faults:
            stock.forget_patch(region)
            kept = guard.stand_in(view, region.name)
            if kept is None:
                del ready[region.name]
            else:
                ready[region.name] = kept
    if faults:
        state.trace.faults.update({name: fault.kind for name, fault in faults.items()})
        _arrange(state, ready)
    guard.shown(state.key, state.pose.controls, ready)


def _view(state: FrameState, patches: Mapping[str, Patch]) -> View:
    resting = () if state.pose.activity == "speaking" or state.pose.mouth_open else (MOUTH,)
    return View(state.due.index, state.key, state.pose.controls, state.base, state.pixels, patches, resting)


def _draw_region(shop: Workshop, state: FrameState, region: Region) -> Patch:
    begin = shop.clock()
    patch = shop.stock.avatar.draw(state.base, state.key, state.pose.controls, region)
    shop.costs.observe(region.name, region.roi.width * region.roi.height, shop.clock() - begin)
    shop.stock.keep_patch(region, patch)
    state.trace.drawn.append(region.name)
    return patch


def _compose(state: FrameState) -> I420:
    return compose(state.base, state.patches, np.empty_like(state.base))


def _drawn_or_kept(shop: Workshop, state: FrameState, last: FrameState | None, region: Region) -> Patch | None:
    """Speech's mouth is always drawn; the rest if the deadline allows, and on the lowest rung only now and then."""
    kept = _stand_in(state, last, region)
    area_px = region.roi.width * region.roi.height
    needed = region.name == MOUTH and state.pose.mouth_open
    spared = shop.ladder.rung == "cached" and kept is not None and state.due.index % (KEPT_FRAMES + 1) != 0
    if needed or not spared and shop.worthwhile(region.name, area_px, state.due):
        return _draw_region(shop, state, region)
    return kept


def _stand_in(state: FrameState, last: FrameState | None, region: Region) -> Patch | None:
    """The region's pixels of the frame before, if they were drawn over the same base frame."""
    if last is None or last.key != state.key:
        return None
    for patch in last.patches:
        if patch.roi == region.roi:
            return patch
    return None


def _refined(
    shop: Workshop, denoiser: Denoiser, patches: tuple[Patch, ...], controls: Controls, steps: int, deadline_s: float,
    call: int,
) -> Refined:  # fmt: skip
    """Touches no frame state: who gave up waiting has published it."""
    begin = shop.clock()
    better = denoiser.refine(patches, controls, steps, deadline_s - begin)
    if better.done is not None and shop.on_refined is not None:
        shop.on_refined(call, better.done)
    if better.steps:
        shop.costs.observe(f"refine{better.steps}", _area(patches), shop.clock() - begin)
    return better


# --- decisions --------------------------------------------------------------------------------------------------


def _next_due(shop: Workshop, pacer: FramePacer) -> Due:
    now_s = shop.clock()
    interval_s = pacer.period_s * shop.governor.every
    speaking = shop.plan.activity(now_s + interval_s) == "speaking"
    return pacer.next(now_s, shop.lead.of((work_kind(speaking=speaking), "encode"), interval_s), shop.governor.every)


def _left_s(shop: Workshop, due: Due) -> float:
    return due.deadline_s - shop.clock()


def _affordable_steps(shop: Workshop, state: FrameState) -> int:
    """How many denoising steps the frame can have; how many its regions ask for, the denoiser judges."""
    wanted = 2 if shop.ladder.rung == "refine2" else 1
    while wanted and not shop.worthwhile(f"refine{wanted}", _area(state.patches), state.due, REFINED_AGAIN_S):
        wanted -= 1
    return wanted


def _area(patches: tuple[Patch, ...]) -> int:
    return sum(patch.roi.width * patch.roi.height for patch in patches)


def _keys(state: FrameState) -> tuple[object, ...]:
    return tuple(region.key for region in state.regions)
