"""What a leg leaves for the next one: weights, averages, optimisers and how far it got."""

from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.diffusion.net import RoiDenoiser
from models.diffusion.spec import SIZES
from models.diffusion.train.config import StageConfig, TrainConfig
from models.diffusion.train.parts import PartNet, PatchDiscriminator
from realtime.core.errors import ConfigError

FILE = "state.pt"


@dataclass(slots=True, eq=False)
class TrainState:
    """A training under way."""

    net: RoiDenoiser
    averaged: RoiDenoiser
    """Exponential mean of the net's weights."""
    parts: PartNet
    discriminator: PatchDiscriminator
    optimiser: torch.optim.Optimizer
    opponent: torch.optim.Optimizer
    stage: int = 0
    step: int = 0
    """Steps done in the stage."""
    total: int = 0
    """Steps done in all stages."""
    seconds: float = 0.0

    def average(self, decay: float) -> None:
        """Take a step's weights into the mean; early on the mean follows faster."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            values = dict(self.net.named_parameters())
            for name, mean in self.averaged.named_parameters():
                mean.lerp_(values[name], 1 - decay)


def fresh_state(config: TrainConfig, device: str) -> TrainState:
    """An untrained net of the config's seed and size."""
    torch.manual_seed(config.seed)
    net = RoiDenoiser.of(SIZES[config.size]).to(device)
    parts, discriminator = PartNet().to(device), PatchDiscriminator().to(device)
    averaged = deepcopy(net).requires_grad_(False)
    state = TrainState(net, averaged, parts, discriminator, *_optimisers(net, parts, discriminator, config.stages[0]))
    return state


def begin_stage(state: TrainState, stage: StageConfig) -> None:
    """Fresh optimisers for the stage that comes now; a denoiser's stage starts from the mean of the one before."""
    state.net.load_state_dict(state.averaged.state_dict())
    state.optimiser, state.opponent = _optimisers(state.net, state.parts, state.discriminator, stage)
    state.parts.requires_grad_(stage.kind == "parts")


def _optimisers(
    net: nn.Module, parts: nn.Module, discriminator: nn.Module, stage: StageConfig
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    trained = parts if stage.kind == "parts" else net
    return (
        torch.optim.AdamW(trained.parameters(), lr=stage.rate, betas=(0.9, 0.99), weight_decay=1e-4),
        torch.optim.AdamW(discriminator.parameters(), lr=stage.rate, betas=(0.5, 0.99)),
    )


def save_state(state: TrainState, config: TrainConfig, directory: Path) -> None:
    """Write the state, whole or not at all, and the averaged net as diffusers does."""
    directory.mkdir(parents=True, exist_ok=True)
    modules = {name: getattr(state, name).state_dict() for name in _MODULES}
    plain: dict[str, Any] = {name: getattr(state, name) for name in _NUMBERS}
    partial = directory / (FILE + ".partial")
    torch.save({"config": asdict(config), "modules": modules, **plain}, partial)
    partial.replace(directory / FILE)
    state.averaged.save_pretrained(directory / "net")


def load_state(config: TrainConfig, directory: Path, device: str) -> TrainState:
    """Go on where the last leg ended, or begin. Raises `ConfigError` where the directory is another training's."""
    state = fresh_state(config, device)
    path = directory / FILE
    if not path.exists():
        _start_from(state, config.start)
        begin_stage(state, config.stages[0])
        return state
    saved = torch.load(path, map_location=device, weights_only=True)
    for name in ("size", "objective", "seed"):
        if saved["config"][name] != getattr(config, name):
            raise ConfigError(f"{directory}: {name}: this training was begun with {saved['config'][name]!r}")
    for name in _NUMBERS:
        setattr(state, name, saved[name])
    if state.stage < len(config.stages):
        begin_stage(state, config.stages[state.stage])
    for name in _MODULES:
        if name not in ("optimiser", "opponent") or state.step > 0:
            getattr(state, name).load_state_dict(saved["modules"][name])
    return state


def _start_from(state: TrainState, directory: str) -> None:
    """Take over the weights of a trained net, if one is named. Raises `ConfigError` where there is none."""
    if not directory:
        return
    if not Path(directory).is_dir():
        raise ConfigError(f"start: there is no trained net in {directory}")
    trained = RoiDenoiser.from_pretrained(directory).state_dict()
    state.net.load_state_dict(trained)
    state.averaged.load_state_dict(trained)


_MODULES = ("net", "averaged", "parts", "discriminator", "optimiser", "opponent")
_NUMBERS = ("stage", "step", "total", "seconds")
