"""Batches turned in the picture: people do not hold their heads level in the photo that an avatar is made from."""

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.diffusion.train.batches import Batch

SHARE: Final = 0.5
"""Of the samples of a batch; the others keep their pixels bit by bit."""


def tilted(batch: Batch, rng: np.random.Generator, most_deg: float) -> Batch:
    """Turns half of the samples about the crop's middle by angles of standard deviation `most_deg` / 2, at most
    `most_deg`. Controls stay: the tilt of a photo is in none of them."""
    _, count, _, height, width = batch.truth.shape
    angles = np.clip(rng.normal(0, most_deg / 2, count), -most_deg, most_deg) * (rng.random(count) < SHARE)
    chosen = torch.from_numpy(np.flatnonzero(angles))
    if not len(chosen):
        return batch
    turns = torch.from_numpy(np.radians(angles[angles != 0])).to(batch.truth)
    matrix = torch.stack([turns.cos(), -turns.sin(), turns.sin(), turns.cos()], 1).view(-1, 2, 2)
    grid = _grid(matrix, width, height)

    def turned(field: Tensor, mode: str = "bilinear", padding: str = "border") -> Tensor:
        """(T, B, C, H, W) with the chosen ones turned."""
        out = field.clone()
        for index in range(len(field)):
            out[index, chosen] = F.grid_sample(
                field[index, chosen], grid, mode=mode, padding_mode=padding, align_corners=False
            )
        return out

    flow = turned(batch.flow)
    for index in range(len(flow)):
        # a vector is turned back, as its place was
        flow[index, chosen] = torch.einsum("nji,njhw->nihw", matrix, flow[index, chosen])
    return replace(
        batch,
        truth=turned(batch.truth, "bicubic").clamp(-1, 1),
        base=turned(batch.base, "bicubic").clamp(-1, 1),
        reference=turned(batch.reference[None], "bicubic")[0].clamp(-1, 1),
        fields=turned(batch.fields),
        reach=turned(batch.reach),
        interior=turned(batch.interior),
        labels=turned(batch.labels[:, :, None].float(), "nearest")[:, :, 0].long(),
        flow=flow,
        flow_valid=(turned(batch.flow_valid, padding="zeros") > 0.99).float(),
    )


def _grid(matrix: Tensor, width: int, height: int) -> Tensor:
    """(N, H, W, 2): where each pixel of the turned picture is taken from, in -1..1."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2]).to(matrix)
    places = torch.stack([x, y], -1).to(matrix) - middle
    found = torch.einsum("nij,hwj->nhwi", matrix, places)
    return (found + middle + 0.5) * torch.tensor([2 / width, 2 / height]).to(matrix) - 1
