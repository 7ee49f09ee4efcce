"""A training as one YAML file: what is trained on what, in which stages, for how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from models.diffusion.spec import SIZES
from realtime.core.errors import ConfigError

OBJECTIVES: Final = ("flow", "regressor")
STAGES: Final = ("parts", "flow", "consistency", "distil", "quantise")
SOURCES: Final[Mapping[str, tuple[str, str]]] = {
    "illustrated": ("models.diffusion.data.illustrated", "IllustratedSource"),
    "head3d": ("models.diffusion.head3d.source", "Head3dSource"),
}
"""Renderers by name: the module and the class, a `RoiSource` that takes no arguments."""
MOST_TILT_DEG: Final = 15.0


@dataclass(frozen=True, slots=True)
class StageConfig:
    """One stage of a training."""

    kind: str = "flow"
    """`parts` (the part net), `flow` (A), `consistency` (B), `distil` (C, needs `teacher`), `quantise` (C)."""
    steps: int = 1000
    rate: float = 2e-4
    """Learning rate at the stage's start; it falls to a tenth along a cosine."""
    adversarial: float = 0.0
    """Weight of the patch discriminator, in `consistency`."""
    similarity: float = 0.0
    """Weight of 1 - SSIM among the losses."""
    anew: float = 0.0
    """Share of the samples, in `flow`, that begin from nothing, as crops do that the stream begins anew."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training of one net."""

    name: str = "roi-s"
    size: str = "S"
    """One of `spec.SIZES`."""
    objective: str = "flow"
    """`flow`: the few-step denoiser; `regressor`: the control, the same net in one step without noise."""
    sources: tuple[str, ...] = ("illustrated",)
    """Which renderers the clips come from, in turn."""
    seed: int = 1
    batch: int = 16
    frames: int = 5
    """Frames per clip."""
    clips: dict[str, int] = field(default_factory=lambda: {"mouth": 1600, "eyes": 1200, "face": 400})
    """Training clips per crop and source."""
    held_out: dict[str, int] = field(default_factory=lambda: {"mouth": 48, "eyes": 32, "face": 16})
    """Clips of held-out identities per crop and source, for evaluation."""
    shares: dict[str, float] = field(default_factory=lambda: {"mouth": 0.55, "eyes": 0.35, "face": 0.1})
    """How often a step is on each crop."""
    pool: int = 256
    """Clips in memory per crop."""
    renewal: int = 3
    """Steps after which the next clip comes into the pool, in place of the oldest once the pool is full."""
    cache_gib: float = 8.0
    rollout: int = 4
    """Frames of a self-rollout in `consistency`."""
    tilt_deg: float = 0.0
    """Half of the samples are turned in the picture by up to so many degrees."""
    average: float = 0.998
    """Decay of the averaged weights, which are those evaluated and exported."""
    start: str = ""
    """Directory of a trained net of this size that the training starts from; empty starts from random weights."""
    teacher: str = ""
    """Directory of a trained M, for `distil`."""
    stages: tuple[StageConfig, ...] = (StageConfig("parts", 300, 1e-3), StageConfig())


def load_config(path: Path) -> TrainConfig:
    """Read and check a training's file. Raises `ConfigError` naming the field and what is allowed."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"the training's file {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must be a mapping of fields to values")
    given = dict(data)
    stages = given.pop("stages", None)
    try:
        config: TrainConfig = _filled(TrainConfig, given, "")
        if stages is not None:
            if not isinstance(stages, list) or not stages:
                raise ConfigError("stages: must be a list of stages")
            parsed = tuple(_filled(StageConfig, one, f"stages[{i}].") for i, one in enumerate(stages))
            config = _replaced(config, stages=parsed)
        return _checked(config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _replaced(config: TrainConfig, **values: Any) -> TrainConfig:
    return TrainConfig(**{one.name: values.get(one.name, getattr(config, one.name)) for one in fields(config)})


def _filled(kind: Any, given: Any, prefix: str) -> Any:
    if not isinstance(given, dict):
        raise ConfigError(f"{prefix or 'file'}: must be a mapping")
    plain, known = kind(), {one.name for one in fields(kind)}
    values = {}
    for name, value in given.items():
        if name not in known:
            raise ConfigError(f"{prefix}{name}: no such field; there are {', '.join(sorted(known))}")
        values[name] = _value(getattr(plain, name), value, prefix + name)
    return kind(**values)


def _value(plain: Any, value: Any, at: str) -> Any:
    if isinstance(plain, tuple) and not is_dataclass(plain) and isinstance(value, list):
        return tuple(value)
    if isinstance(plain, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(plain) is not type(value):
        raise ConfigError(f"{at}: {value!r} must be of type {type(plain).__name__}")
    return value


def _checked(config: TrainConfig) -> TrainConfig:
    _one_of("size", config.size, tuple(SIZES))
    _one_of("objective", config.objective, OBJECTIVES)
    for source in config.sources:
        _one_of("sources", source, tuple(SOURCES))
    for stage in config.stages:
        _one_of("stages.kind", stage.kind, STAGES)
        _at_least("stages.steps", stage.steps, 1)
        _at_least("stages.similarity", stage.similarity, 0)
        if not 0.0 <= stage.anew <= 1.0:
            raise ConfigError(f"stages.anew: {stage.anew} must be from 0 to 1")
        if stage.kind == "distil" and not config.teacher:
            raise ConfigError("teacher: `distil` needs the directory of a trained net")
    for name, low in (("batch", 1), ("frames", 2), ("pool", 1), ("renewal", 1), ("rollout", 1)):
        _at_least(name, getattr(config, name), low)
    if not 0.0 <= config.tilt_deg <= MOST_TILT_DEG:
        raise ConfigError(f"tilt_deg: {config.tilt_deg} must be from 0 to {MOST_TILT_DEG}")
    if config.rollout >= config.frames:
        raise ConfigError(f"rollout: {config.rollout} must be below frames, {config.frames}")
    if not config.clips or set(config.shares) != set(config.clips):
        raise ConfigError("shares: must name the same crops as clips")
    return config


def _one_of(name: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise ConfigError(f"{name}: {value!r} must be one of {', '.join(options)}")


def _at_least(name: str, value: float, low: float) -> None:
    if value < low:
        raise ConfigError(f"{name}: {value} must be at least {low}")
