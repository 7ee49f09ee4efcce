"""The denoiser against its control: a one-step regressor of equal size, start, data and steps, both as the stream runs.

`--denoiser` and `--regressor` name nets as `anima train roi` leaves them (`out/NAME/net`). Both repair the same clips
of held-out people, each frame begun anew, and are held against the truth and against each other. `regressor_ahead_db`
is the mean over clips of what the regressor's PSNR is above the denoiser's, `regressor_ahead_se_db` its standard error,
and `regressor_ahead_clips` the share of clips in which it is ahead; `regressor_ahead_ssim` is the same of SSIM."""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, cast

import numpy as np

from bench.harness import Option, Result, command
from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import RoiClip
from models.diffusion.net import RoiDenoiser
from models.diffusion.runtime.judge import Figures, figures, held_out, rollout, source_named
from models.diffusion.runtime.torch_net import TorchRuntime
from realtime.core.errors import ConfigError

OBJECTIVES: Final = {"denoiser": "flow", "regressor": "regressor"}


def measure(n: int, denoiser: str, regressor: str, cache: str, source: str) -> Result:
    """The figures of both, on the first `n` held-out clips."""
    with tempfile.TemporaryDirectory() as place:
        clips = held_out(source_named(source), ClipCache(Path(cache or place), 8 * 2**30), "mouth", n)
    nets = {"denoiser": denoiser, "regressor": regressor}
    found = {name: by_clip(net_in(path, name), OBJECTIVES[name], clips) for name, path in nets.items()}
    return means(found) | ahead(found["denoiser"], found["regressor"])


def net_in(directory: str, option: str) -> RoiDenoiser:
    """A trained net. Raises `ConfigError` where there is none."""
    if not Path(directory, "config.json").is_file():
        raise ConfigError(f"{option}: {directory or 'none named'}: must be a net that `anima train roi` left")
    return cast(RoiDenoiser, RoiDenoiser.from_pretrained(directory))


def by_clip(net: RoiDenoiser, objective: str, clips: Sequence[RoiClip]) -> list[Figures]:
    """The figures of each clip, in one step."""
    runtime = TorchRuntime(net)
    return [figures([clip], [rollout(runtime, objective, clip, 1)]) for clip in clips]


def means(found: dict[str, list[Figures]]) -> dict[str, float]:
    """The mean of each figure of each net."""
    return {
        f"{name}_{key}": round(float(np.nanmean([asdict(one)[key] for one in rows])), 4)
        for name, rows in found.items()
        for key in asdict(rows[0])
    }


def ahead(ours: Sequence[Figures], control: Sequence[Figures]) -> dict[str, float]:
    """By how much the control is better, clip by clip."""
    psnr_db = np.array([b.psnr_db - a.psnr_db for a, b in zip(ours, control, strict=True)])
    ssim = np.array([b.ssim - a.ssim for a, b in zip(ours, control, strict=True)])
    spread_db = float(psnr_db.std(ddof=1)) if len(psnr_db) > 1 else 0.0
    return {
        "regressor_ahead_db": round(float(psnr_db.mean()), 3),
        "regressor_ahead_se_db": round(spread_db / float(np.sqrt(len(psnr_db))), 3),
        "regressor_ahead_ssim": round(float(ssim.mean()), 4),
        "regressor_ahead_clips": round(float((psnr_db > 0).mean()), 3),
    }


OPTIONS: Final = (
    Option("denoiser", "", "directory of the denoiser's net"),
    Option("regressor", "", "directory of the control's net"),
    Option("cache", "", "directory of rendered clips; none renders them anew"),
    Option("source", "head3d", "renderer of the held-out clips"),
)

if __name__ == "__main__":
    sys.exit(command("roi_denoiser_control", measure, (), n=24, options=OPTIONS))
