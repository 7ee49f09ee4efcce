"""What bounds the SSIM of the ROI denoiser: noise that no net can foresee, skin that it may not touch, or the net.

Held-out clips of the 3-D head are rendered three times: as they are judged, with a truth without the sensor's noise,
and with a photo without noise and H.264, too. The weights run as the stream runs them, one step from nothing.

- `ssim`, `psnr_db`: the weights against the truth that they are judged by; `ssim_base` the warped base;
- `ssim_noise`: the noise-free truth against that truth, in the whole crop: what noise alone costs;
- `ssim_ceiling`: the truth as a net's answer, laid into the base as the stream lays it; `ssim_ceiling_foreseeable`: the
  noise-free truth as that answer, which is the most that a net can learn;
- `ssim_noise_free`, `psnr_noise_free_db`: the weights against the noise-free truth; `ssim_base_noise_free`,
  `ssim_ceiling_noise_free` likewise;
- `ssim_base_quiet_photo`: the base of a photo without noise against the noise-free truth: what is left is the rig's;
- `regions`: each region's share of the crop, the SSIM there of base, weights and ceilings, and what part of all that
  the weights lack of 1 they lack there (`share_of_loss`). `mouth`: cavity, teeth, tongue; `lips`; `near`: skin within
  reach; `beyond`: all that the stream leaves as it is;
- `ssim_beyond`, `ssim_beyond_aligned`: the base beyond reach against the noise-free truth, as it is, and moved along
  the optical flow between the two: what of the loss there is no more than skin that lies elsewhere, by `misplaced_px`;
- `people`, `noise_levels`, `turns`: the same figures for each person, for cameras of little and of much noise, and by
  how many degrees the head is turned (yaw and pitch together)."""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Goal, Option, Result, command
from models.diffusion import metrics
from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import PARTS, RoiSample, Split
from models.diffusion.head3d.person import person
from models.diffusion.head3d.source import Head3dSource, light_and_camera
from models.diffusion.refiner_crop import reach, warped
from models.diffusion.runtime.choose import open_onnx
from models.diffusion.runtime.judge import held_out, rollout
from models.diffusion.runtime.weights import SHIPPED, open_weights
from models.diffusion.spec import CONTROL, to_bytes, to_unit
from realtime.core.facs import MAX_DEG

CROP: Final = "mouth"
REACHED: Final = 0.5
"""A pixel counts as within reach where a net's answer weighs at least as much as the base."""
MUCH_NOISE: Final = 1.5
"""Standard deviation at mid grey, in bytes."""
UNTOUCHED: Final = 1 / 64
"""A pixel counts as beyond reach where an answer can change no byte by more than 4."""
TURNS_DEG: Final = (4.0, 8.0)
_TURN: Final = [CONTROL.index(name) for name in ("yaw", "pitch")]
_MOUTH: Final = [PARTS.index(name) for name in ("cavity", "upper_teeth", "lower_teeth", "tongue")]
_LIPS: Final = [PARTS.index(name) for name in ("upper_lip", "lower_lip")]

Bytes = NDArray[np.uint8]
Maps = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame, compared."""

    person: int
    sample: RoiSample
    figures: Mapping[str, float]
    maps: Maps
    """SSIM at each pixel, by what is held against the truth."""


def measure(n: int, weights: str, cache: str) -> Result:
    """The figures, of the first `n` held-out clips."""
    with tempfile.TemporaryDirectory() as place:
        kept = ClipCache(Path(cache or place), 8 * 2**30)
        sources = (
            Head3dSource(), Head3dSource(noisy_truth=False), Head3dSource(noisy_truth=False, noisy_photo=False),
        )  # fmt: skip
        clips = [held_out(source, kept, CROP, n) for source in sources]
    taken = open_weights(Path(weights or SHIPPED))
    runtime = open_onnx(taken, "fp32", "cpu")
    made = [rollout(runtime, taken.objective, clip, 1) for clip in clips[0]]
    runtime.close()
    frames: list[Frame] = []
    for judged, quiet, clean, outputs in zip(*clips, made, strict=True):
        for frame in zip(judged.samples, quiet.samples, clean.samples, outputs, strict=True):
            pictures = {"net": to_bytes(frame[3]), "truth": frame[0].truth, "quiet": frame[1].truth}
            frames.append(Frame(judged.identity, frame[0], *compared(frame[0], pictures, frame[2].base)))
    return (
        {"weights": taken.name}
        | means([frame.figures for frame in frames])
        | {"regions": regions(frames)}
        | by_person(frames)
        | {"turns": by_turn(frames)}
    )


def compared(
    sample: RoiSample, pictures: Mapping[str, Bytes], clean_base: Bytes
) -> tuple[Mapping[str, float], dict[str, NDArray[np.float64]]]:
    """One frame's figures, and its maps of SSIM by what is held against the truth. `pictures` are `net`, `truth` and
    `quiet`, the truth without noise, each (H, W, 3)."""
    truth, quiet, net = pictures["truth"], pictures["quiet"], pictures["net"]
    ceiling, foreseeable = laid(sample, truth), laid(sample, quiet)
    maps = {
        name: metrics.ssim_map(picture, truth)
        for name, picture in {"base": sample.base, "net": net, "ceiling": ceiling, "foreseeable": foreseeable}.items()
    }
    return {
        "psnr_db": metrics.psnr_db(net, truth),
        "psnr_base_db": metrics.psnr_db(sample.base, truth),
        "psnr_ceiling_foreseeable_db": metrics.psnr_db(foreseeable, truth),
        "psnr_noise_free_db": metrics.psnr_db(net, quiet),
        "ssim": float(maps["net"].mean()),
        "ssim_base": float(maps["base"].mean()),
        "ssim_noise": metrics.ssim(quiet, truth),
        "ssim_ceiling": float(maps["ceiling"].mean()),
        "ssim_ceiling_foreseeable": float(maps["foreseeable"].mean()),
        "ssim_noise_free": metrics.ssim(net, quiet),
        "ssim_base_noise_free": metrics.ssim(sample.base, quiet),
        "ssim_ceiling_noise_free": metrics.ssim(foreseeable, quiet),
        "ssim_base_quiet_photo": metrics.ssim(clean_base, quiet),
    } | beyond(sample, quiet), maps


def beyond(sample: RoiSample, quiet: Bytes) -> dict[str, float]:
    """How well the base fits the noise-free truth where nothing repairs it, and how well it would if it were moved."""
    aligned, flow = moved(sample.base, quiet)
    inner = slice(metrics.MARGIN_PX, -metrics.MARGIN_PX)
    where = reach(sample.fields)[inner, inner] < UNTOUCHED
    if not where.any():
        return {"ssim_beyond": float("nan"), "ssim_beyond_aligned": float("nan"), "misplaced_px": float("nan")}
    return {
        "ssim_beyond": float(metrics.ssim_map(sample.base, quiet)[where].mean()),
        "ssim_beyond_aligned": float(metrics.ssim_map(aligned, quiet)[where].mean()),
        "misplaced_px": float(np.linalg.norm(flow[inner, inner][where], axis=-1).mean()),
    }


def moved(picture: Bytes, truth: Bytes) -> tuple[Bytes, NDArray[np.float32]]:
    """A picture brought to where the truth shows the same, and the flow (H, W, 2) by which (dense inverse search;
    Kroeger et al., 2016)."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    grey = [np.asarray(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), np.uint8) for one in (truth, picture)]
    flow = np.asarray(search.calc(grey[0], grey[1], np.zeros((*grey[0].shape, 2), np.float32)), np.float32)
    return to_bytes(warped(to_unit(picture), flow)), flow


def laid(sample: RoiSample, answer: Bytes) -> Bytes:
    """An answer (H, W, 3) as the stream lays it into the base."""
    base = to_unit(sample.base)
    return to_bytes(base + (to_unit(answer) - base) * reach(sample.fields))


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure."""
    return {key: round(float(np.nanmean([row[key] for row in rows])), 4) for key in rows[0]}


def places(sample: RoiSample) -> dict[str, NDArray[np.bool_]]:
    """Which pixels of a map of SSIM belong to which region."""
    inner = slice(metrics.MARGIN_PX, -metrics.MARGIN_PX)
    labels, near = sample.labels[inner, inner], reach(sample.fields)[inner, inner] >= REACHED
    mouth, lips = np.isin(labels, _MOUTH), np.isin(labels, _LIPS)
    rest = ~mouth & ~lips
    return {"mouth": mouth, "lips": lips, "near": rest & near, "beyond": rest & ~near}


def regions(frames: Sequence[Frame]) -> dict[str, dict[str, float]]:
    """The figures of each region, over all its pixels in all frames."""
    sums: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for frame in frames:
        for name, where in places(frame.sample).items():
            sums[name]["pixels"] += float(where.sum())
            for kind, values in frame.maps.items():
                sums[name][kind] += float(values[where].sum())
    pixels = sum(one["pixels"] for one in sums.values())
    lost = sum(one["pixels"] - one["net"] for one in sums.values())
    return {
        name: {"share": round(one["pixels"] / pixels, 4)}
        | {f"ssim_{kind}": round(one[kind] / max(one["pixels"], 1.0), 4) for kind in frames[0].maps}
        | {"share_of_loss": round((one["pixels"] - one["net"]) / max(lost, 1e-9), 4)}
        for name, one in sums.items()
    }


def by_person(frames: Sequence[Frame]) -> dict[str, dict[str, Any]]:
    """The figures of each person beside their camera's noise and H.264 quality (0: never compressed), and of the
    people with little and with much noise."""
    people: dict[str, dict[str, float]] = {}
    levels: defaultdict[str, list[Mapping[str, float]]] = defaultdict(list)
    for number in sorted({frame.person for frame in frames}):
        _, camera = light_and_camera(person(number, Split.HELD_OUT))
        own = [frame.figures for frame in frames if frame.person == number]
        people[str(number)] = {"noise": round(camera.noise, 2), "crf": camera.crf, **means(own)}
        levels["much" if camera.noise >= MUCH_NOISE else "little"] += own
    return {"people": people, "noise_levels": {name: means(own) for name, own in levels.items()}}


def by_turn(frames: Sequence[Frame]) -> dict[str, dict[str, float]]:
    """The figures by how far the head is turned."""
    found: defaultdict[str, list[Mapping[str, float]]] = defaultdict(list)
    for frame in frames:
        turn_deg = float(np.linalg.norm(frame.sample.control[_TURN])) * MAX_DEG
        below = next((f"below_{most:g}_deg" for most in TURNS_DEG if turn_deg < most), "more")
        found[below].append(frame.figures)
    return {name: {"frames": len(rows), **means(rows)} for name, rows in sorted(found.items())}


OPTIONS: Final = (
    Option("weights", "", "directory of weights; none takes those of Anima"),
    Option("cache", "", "directory of rendered clips; none renders them anew"),
)
GOALS: Final = (Goal("ssim", least=0.93),)

if __name__ == "__main__":
    sys.exit(command("roi_denoiser_ceiling", measure, GOALS, n=8, options=OPTIONS))
