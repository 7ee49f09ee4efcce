"""Quality on held-out identities: the net's rollouts against the truth, and the warped base beside them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.diffusion import metrics
from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import RoiClip, RoiSource, Split
from models.diffusion.net import RoiDenoiser
from models.diffusion.spec import BOXES, CROPS, to_bytes
from models.diffusion.train.batches import Batch, collate, warp
from models.diffusion.train.config import TrainConfig
from models.diffusion.train.parts import PartNet
from models.diffusion.train.rollout import run

Bytes = NDArray[np.uint8]

CLIPS_AT_ONCE: Final = 8
SHEET_ROWS: Final = 10
SCHEDULES: Final[Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]] = {
    "one_step": ((1.0,), (0.30,)),
    "two_steps": ((1.0, 0.55), (0.55, 0.30)),
    "one_step_cold": ((1.0,), (1.0,)),
}
"""Levels for a clip's first frame and for those after it, by name."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over all frames of the held-out clips of one crop."""

    psnr_db: float
    interior_psnr_db: float
    ssim: float
    landmark_nme: float
    seam: float
    flicker: float
    """Mean error of the change from frame to frame along the flow, in 0..255, inside the interior."""


def held_out(
    config: TrainConfig, sources: Sequence[RoiSource], cache: ClipCache, share: float
) -> dict[str, list[RoiClip]]:
    """The evaluation's clips by crop, or the first `share` of them."""
    return {
        roi: [
            cache.clip(source, seed, roi, config.frames, Split.HELD_OUT)
            for source in sources if roi in source.rois
            for seed in range(max(1, round(count * share)))
        ]
        for roi, count in config.held_out.items()
    }  # fmt: skip


def evaluate_net(
    net: RoiDenoiser, parts: PartNet, clips: Mapping[str, Sequence[RoiClip]], objective: str, seed: int
) -> dict[str, dict[str, Quality]]:
    """Quality by crop and schedule; the schedule `base` is the warped base itself. The regressor has one schedule."""
    schedules = SCHEDULES if objective == "flow" else {"one_step": ((1.0,), (1.0,))}
    found: dict[str, dict[str, Quality]] = {}
    for roi, chosen in clips.items():
        sums: defaultdict[str, list[list[float]]] = defaultdict(list)
        for first in range(0, len(chosen), CLIPS_AT_ONCE):
            batch = collate([clip.samples for clip in chosen[first : first + CLIPS_AT_ONCE]])
            sums["base"] += _judged(list(batch.base), batch, parts, roi)
            for name, (cold, warm) in schedules.items():
                sums[name] += _judged(outputs(net, batch, objective, cold, warm, seed), batch, parts, roi)
        found[roi] = {name: Quality(*np.mean(rows, 0).tolist()) for name, rows in sums.items()}
    return found


def outputs(
    net: RoiDenoiser, batch: Batch, objective: str, cold: Sequence[float], warm: Sequence[float], seed: int
) -> list[Tensor]:
    """A rollout's outputs, with one session's noise for all clips."""
    noise = None
    if objective == "flow":
        drawn = torch.randn(batch.truth.shape[2:], generator=torch.Generator().manual_seed(seed))
        noise = drawn.expand(batch.truth.shape[1:])
    with torch.inference_mode():
        return list(run(net, batch, noise, cold, warm))


def _judged(pictures: Sequence[Tensor], batch: Batch, parts: PartNet, roi: str) -> list[list[float]]:
    left, _, right, _ = BOXES[roi]
    unit_px = CROPS[roi].width / (right - left)
    rows = []
    for index, picture in enumerate(pictures):
        made, true, base = (to_bytes(p.numpy()) for p in (picture, batch.truth[index], batch.base[index]))
        weight = (batch.interior[index][:, 0].numpy() * 255).astype(np.uint8)
        with torch.inference_mode():
            labels = [parts(p).argmax(1).numpy() for p in (picture, batch.truth[index])]
        change = _change_error(pictures, batch, index)
        for i in range(len(made)):
            rows.append([
                metrics.psnr_db(made[i], true[i]),
                metrics.psnr_db(made[i], true[i], weight[i]) if weight[i].any() else metrics.psnr_db(made[i], true[i]),
                metrics.ssim(made[i], true[i]),
                metrics.normalised_error(
                    metrics.part_landmarks(labels[0][i]) * 2, metrics.part_landmarks(labels[1][i]) * 2, unit_px
                ),
                metrics.seam(made[i], base[i]),
                float(change[i]),
            ])  # fmt: skip
    return rows


def _change_error(pictures: Sequence[Tensor], batch: Batch, index: int) -> Tensor:
    if index == 0:
        return torch.zeros(len(batch.truth[0]))
    flow, weight = batch.flow[index], batch.flow_valid[index] * batch.interior[index]
    made = pictures[index] - warp(pictures[index - 1], flow)
    true = batch.truth[index] - warp(batch.truth[index - 1], flow)
    error: Tensor = ((made - true).abs() * weight).sum((1, 2, 3)) / (3 * weight.sum((1, 2, 3))).clamp_min(1.0) * 127.5
    return error


def sheet(net: RoiDenoiser, clips: Mapping[str, Sequence[RoiClip]], objective: str, seed: int, directory: Path) -> None:
    """A picture per crop, `sheet_ROI.png`: reference, base, output (one step; two steps for the denoiser), truth; the
    last frame of each clip."""
    for roi, chosen in clips.items():
        batch = collate([clip.samples for clip in chosen[:SHEET_ROWS]])
        columns = [batch.reference, batch.base[-1]]
        for name in ("one_step", "two_steps") if objective == "flow" else ("one_step",):
            columns.append(outputs(net, batch, objective, *SCHEDULES[name], seed)[-1])
        columns.append(batch.truth[-1])
        rows = [np.hstack([to_bytes(column[i].numpy()) for column in columns]) for i in range(len(batch.truth[0]))]
        cv2.imwrite(str(directory / f"sheet_{roi}.png"), np.vstack(rows)[..., ::-1])
