"""A training in legs: each goes on where the last one ended, and ends by itself before its time is over."""

import math
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

import numpy as np
import torch

from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import RoiSource
from models.diffusion.net import RoiDenoiser
from models.diffusion.train.batches import Batch, Batches
from models.diffusion.train.config import SOURCES, StageConfig, TrainConfig
from models.diffusion.train.curves import Curves
from models.diffusion.train.quantised import quantised
from models.diffusion.train.stages import Judge, consistency_step, flow_step, parts_step
from models.diffusion.train.state import TrainState, begin_stage, load_state, save_state
from models.diffusion.train.tilt import tilted
from realtime.core.errors import ConfigError

SAVE_EVERY_S: Final = 60.0
CURVE_EVERY: Final = 20
"""Steps whose means make one row of the curves."""
LARGEST_GRADIENT: Final = 1.0


def sources_of(config: TrainConfig) -> list[RoiSource]:
    """The renderers that a config names; each is imported only if it is used. Raises `ConfigError` for one that is not
    installed."""
    found: list[RoiSource] = []
    for name in config.sources:
        module, kind = SOURCES[name]
        try:
            source: RoiSource = getattr(import_module(module), kind)()
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"sources: {name!r} cannot be loaded: {error}") from error
        found.append(source)
    return found


def best_device() -> str:
    """The GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def leg(config: TrainConfig, out: Path, cache: Path, leg_s: float, say: Callable[[str], None]) -> bool:
    """Train for about `leg_s` seconds; whether the training is complete now. Everything lies below `out`."""
    device = best_device()
    began_s = time.monotonic()
    state = load_state(config, out, device)
    batches = Batches(config, sources_of(config), ClipCache(cache, int(config.cache_gib * 2**30)), device, state.total)
    curves = Curves(out / "curves.csv")
    teacher = RoiDenoiser.from_pretrained(config.teacher).to(device).eval() if config.teacher else None
    before_s, saved_s = state.seconds, began_s
    while state.stage < len(config.stages) and time.monotonic() - began_s < leg_s:
        stage = config.stages[state.stage]
        found = _step(state, config, stage, batches, teacher)
        state.step, state.total = state.step + 1, state.total + 1
        now_s = time.monotonic()
        state.seconds = before_s + now_s - began_s
        curves.add(stage.kind, state.total, state.seconds, found)
        if state.total % CURVE_EVERY == 0:
            say(f"{stage.kind} {state.step}/{stage.steps} " + curves.flush())
        if state.step >= stage.steps:
            state.stage, state.step = state.stage + 1, 0
            save_state(state, config, out)
            if state.stage < len(config.stages):
                begin_stage(state, config.stages[state.stage])
        elif now_s - saved_s > SAVE_EVERY_S:
            save_state(state, config, out)
            saved_s = now_s
    save_state(state, config, out)
    curves.draw(out / "curves.png")
    return state.stage >= len(config.stages)


def _step(
    state: TrainState, config: TrainConfig, stage: StageConfig, batches: Batches, teacher: RoiDenoiser | None
) -> Mapping[str, float]:
    for group in state.optimiser.param_groups:
        group["lr"] = stage.rate * (0.55 + 0.45 * math.cos(math.pi * state.step / stage.steps))
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + state.total)
    frames = {"parts": 1, "consistency": config.rollout + 1}.get(stage.kind, 2)
    batch = batches.at(state.total, frames)
    if config.tilt_deg > 0:
        batch = tilted(batch, np.random.default_rng([config.seed, state.total, 1]), config.tilt_deg)
    judge = Judge(state.parts, state.discriminator, teacher if stage.kind == "distil" else None, stage.similarity)
    state.optimiser.zero_grad(set_to_none=True)
    state.opponent.zero_grad(set_to_none=True)
    found = _gradients(state.net, judge, batch, generator, config.objective == "flow", stage)
    trained = state.parts if stage.kind == "parts" else state.net
    torch.nn.utils.clip_grad_norm_(trained.parameters(), LARGEST_GRADIENT)
    state.optimiser.step()
    if stage.adversarial > 0:
        state.opponent.step()
    if stage.kind != "parts":
        state.average(config.average)
    return found


def _gradients(
    net: RoiDenoiser, judge: Judge, batch: Batch, generator: torch.Generator, noisy: bool, stage: StageConfig
) -> Mapping[str, float]:
    if stage.kind == "parts":
        return parts_step(judge, batch)
    if stage.kind == "consistency":
        return consistency_step(net, judge, batch, generator, noisy, stage.adversarial)
    if stage.kind == "quantise":
        with quantised(net):
            return flow_step(net, judge, batch, generator, noisy, stage.anew)
    return flow_step(net, judge, batch, generator, noisy, stage.anew)
