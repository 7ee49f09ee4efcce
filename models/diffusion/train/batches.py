"""Clips become batches of tensors: a pool in memory that is renewed by one clip per step, in an order fixed by seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import RoiClip, RoiSample, RoiSource, Split
from models.diffusion.refiner_crop import reach
from models.diffusion.spec import coordinates
from models.diffusion.train.config import TrainConfig

FIRST_CLIPS: Final = 24
"""Clips in a pool before its first batch is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Consecutive frames of several clips of one crop; T frames, pictures in -1..1, masks 0..1."""

    truth: Tensor
    """(T, B, 3, H, W)"""
    base: Tensor
    """(T, B, 3, H, W)"""
    reference: Tensor
    """(B, 3, H, W)"""
    fields: Tensor
    """(T, B, F, H, W)"""
    reach: Tensor
    """(T, B, 1, H, W): where the stream lays what a net adds, see `refiner_crop.reach`."""
    interior: Tensor
    """(T, B, 1, H, W)"""
    labels: Tensor
    """(T, B, H, W), int64"""
    flow: Tensor
    """(T, B, 2, H, W), pixels; to frame t - 1"""
    flow_valid: Tensor
    """(T, B, 1, H, W)"""
    control: Tensor
    """(T, B, K)"""
    place: Tensor
    """(B, 2, H, W): the coordinates."""


class Batches:
    """Training batches of all crops and sources."""

    def __init__(
        self, config: TrainConfig, sources: Sequence[RoiSource], cache: ClipCache, device: str, first_step: int = 0
    ) -> None:
        """`first_step` is where a leg goes on: its pools begin with the clips that come then."""
        self._config, self._sources, self._cache, self._device = config, sources, cache, device
        self._pools: dict[str, list[RoiClip]] = {roi: [] for roi in config.clips}
        whole = sum(config.shares.values())
        self._next = {roi: int(first_step * share / whole / config.renewal) for roi, share in config.shares.items()}

    def at(self, step: int, frames: int) -> Batch:
        """The batch of this step. Equal steps see equal crops and frames; which clips are in the pool depends on the
        steps before."""
        rng = np.random.default_rng([self._config.seed, step])
        rois = list(self._config.shares)
        weights = np.array([self._config.shares[roi] for roi in rois])
        roi = rois[int(rng.choice(len(rois), p=weights / weights.sum()))]
        pool = self._pools[roi]
        due = 1 if step % self._config.renewal == 0 else 0
        self._renew(roi, max(due, min(FIRST_CLIPS, self._config.pool) - len(pool)))
        chosen = rng.integers(len(pool), size=self._config.batch)
        picked = []
        for index in chosen:
            samples = pool[int(index)].samples
            first = int(rng.integers(0, len(samples) - frames + 1))
            picked.append(samples[first : first + frames])
        return collate(picked, self._device)

    def _renew(self, roi: str, count: int) -> None:
        pool, config = self._pools[roi], self._config
        for _ in range(count):
            number = self._next[roi]
            self._next[roi] += 1
            source = self._sources[number % len(self._sources)]
            seed = (number // len(self._sources)) % config.clips[roi]
            clip = self._cache.clip(source, seed, roi, config.frames, Split.TRAIN)
            if len(pool) < config.pool:
                pool.append(clip)
            else:
                pool[number % config.pool] = clip


def collate(clips: Sequence[Sequence[RoiSample]], device: str = "cpu") -> Batch:
    """Runs of equal length as one batch."""
    frames = list(zip(*clips, strict=True))  # T tuples of B samples

    def stacked(name: str) -> Tensor:
        return torch.from_numpy(np.stack([[getattr(s, name) for s in frame] for frame in frames])).to(device)

    def picture(name: str) -> Tensor:
        return stacked(name).permute(0, 1, 4, 2, 3).float().div_(127.5).sub_(1.0)

    truth = picture("truth")
    _, count, _, height, width = truth.shape
    reference = torch.from_numpy(np.stack([clip[0].reference for clip in clips])).to(device)
    place = torch.from_numpy(coordinates(width, height)).to(device)
    return Batch(
        truth=truth,
        base=picture("base"),
        reference=reference.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0),
        fields=stacked("fields").float().div_(255.0),
        reach=torch.from_numpy(np.stack([[reach(s.fields) for s in frame] for frame in frames])).to(device)[:, :, None],
        interior=stacked("interior")[:, :, None].float().div_(255.0),
        labels=stacked("labels").long(),
        flow=stacked("flow").float(),
        flow_valid=stacked("flow_valid")[:, :, None].float().div_(255.0),
        control=stacked("control"),
        place=place.expand(count, -1, -1, -1),
    )


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """Sample a picture (B, C, H, W) at p + flow, (B, 2, H, W) in pixels."""
    _, _, height, width = picture.shape
    scale = torch.tensor([2.0 / width, 2.0 / height], device=picture.device).view(1, 2, 1, 1)
    place = torch.from_numpy(coordinates(width, height)).to(picture.device)
    grid = (place[None] + flow * scale).permute(0, 2, 3, 1)  # (B, H, W, 2)
    return F.grid_sample(picture, grid, mode="bilinear", padding_mode="border", align_corners=False)
