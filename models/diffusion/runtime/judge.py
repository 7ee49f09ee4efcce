"""How much better pictures get by some weights, as the runtimes compute them; the verdict is written into their card.

`python -m models.diffusion.runtime.judge WEIGHTS --cache DIR` runs held-out clips of the source that stands for a kind
of avatar through the graphs, and writes `improves`, `int8_loss_db`, `shallow_second_step` and `steps_that_pay`.
Portraits are judged on the parametric 3-D head, whose base is warped by the portrait's own rig. Illustrated hosts are
not judged: what they stream is the rig at full quality, the very truth that a net would be held against."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.diffusion import metrics
from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import RoiClip, RoiSample, RoiSource, Split
from models.diffusion.refiner_crop import reach, warped
from models.diffusion.runtime.choose import open_onnx
from models.diffusion.runtime.port import Floats, Job, RoiRuntime
from models.diffusion.runtime.weights import CARD, open_weights
from models.diffusion.sampler import ANEW, COLD, WARM, noisy, session_noise
from models.diffusion.spec import coordinates, to_bytes, to_unit
from models.diffusion.train.config import SOURCES

KINDS: Final[Mapping[str, str]] = {"portrait": "head3d"}
"""Which source stands for a kind of avatar."""
CROPS: Final = ("mouth", "eyes")
CLIPS: Final = 8
FRAMES: Final = 5
SHALLOW_LOSS_DB: Final = 0.1
STEP_GAIN_DB: Final = 0.1
"""A second step that gains less in every crop is not worth its time."""
LEAST_GAIN_DB: Final = 0.5
"""A crop that gains less than this over its warped base is not worth its time."""
SEED: Final = 1
_COUNTS: Final = 0.5
_NOTHING: Final = 1 / 64
"""Of the reach: less changes no byte by more than 4."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over frames; `gain` figures are over the warped base."""

    psnr_db: float
    psnr_gain_db: float
    interior_gain_db: float
    ssim: float
    ssim_gain: float
    seam: float
    flicker: float
    """Mean error of the change from frame to frame along the flow, in 0..255, inside."""
    ssim_reached: float
    """SSIM where a net's answer counts for more than half; `ssim_reached_gain` over the base there."""
    ssim_reached_gain: float
    ssim_unreached: float
    """SSIM where it counts for nothing, and the warped base stays: nan where there is no such place."""
    ssim_ceiling: float
    """SSIM of the truth itself as a net's answer: more is not to be had where the base stays."""


def rollout(runtime: RoiRuntime, objective: str, clip: RoiClip, steps: int, *, shallow: bool = False) -> list[Floats]:
    """A clip's outputs as the stream makes them: the first frame cold, each other one from the last output, but for
    the crops `ANEW`."""
    first = clip.samples[0]
    height, width, _ = first.truth.shape
    reference = runtime.encode_reference(to_unit(first.reference))
    noise = session_noise(SEED, width, height)
    output: Floats | None = None
    found: list[Floats] = []
    for sample in clip.samples:
        base, valid = to_unit(sample.base), sample.flow_valid.astype(np.float32) / 255
        previous = base
        last = None if clip.roi in ANEW else output
        if last is not None:
            flow = np.ascontiguousarray(np.moveaxis(sample.flow.astype(np.float32), 0, -1))
            previous = np.where(valid > 0.5, warped(last, flow), base)
        valid = valid if last is not None else np.zeros_like(valid)
        levels = (1.0,) if objective == "regressor" else (COLD if last is None else WARM)[steps]
        guess, deep = previous, None
        for level in levels:
            at = base if objective == "regressor" else noisy(guess, base, noise, level)
            picture = np.concatenate([
                at, base, previous, valid[None], sample.fields.astype(np.float32) / 255, coordinates(width, height)
            ])  # fmt: skip
            ((guess, features),) = runtime.evaluate([Job(picture, sample.control, level, reference, deep)])
            deep = features if shallow else None
        output = base + (guess - base) * reach(sample.fields)
        found.append(output)
    return found


def figures(clips: Sequence[RoiClip], made: Sequence[Sequence[Floats]]) -> Figures:
    """The outputs of some clips against their truth."""
    rows: list[list[float]] = []
    for clip, outputs in zip(clips, made, strict=True):
        for index, (sample, output) in enumerate(zip(clip.samples, outputs, strict=True)):
            picture, inside = to_bytes(output), sample.interior
            psnr, base = (metrics.psnr_db(one, sample.truth) for one in (picture, sample.base))
            within = [metrics.psnr_db(one, sample.truth, inside) for one in (picture, sample.base)]
            ssims = _ssims(sample, picture)
            change = _change(sample, clip.samples[index - 1], output, outputs[index - 1]) if index else np.nan
            rows.append([
                psnr, psnr - base, within[0] - within[1], *ssims[:2],
                metrics.seam(picture, sample.base), change, *ssims[2:],
            ])  # fmt: skip
    return Figures(*(round(float(n), 4) for n in np.nanmean(rows, 0)))


def _ssims(sample: RoiSample, picture: NDArray[np.uint8]) -> tuple[float, float, float, float, float, float]:
    """Of the crop and its gain, of where the net reaches and its gain, of where not, and of the truth as its answer."""
    near = reach(sample.fields)
    base = to_unit(sample.base)
    perfect = to_bytes(base + (to_unit(sample.truth) - base) * near)
    own, plain, best = (metrics.ssim_map(one, sample.truth) for one in (picture, sample.base, perfect))
    inner = near[metrics.MARGIN_PX : -metrics.MARGIN_PX, metrics.MARGIN_PX : -metrics.MARGIN_PX]

    def mean(values: NDArray[np.float64], where: NDArray[np.bool_]) -> float:
        return float(values[where].mean()) if where.any() else float("nan")

    reached, untouched = inner > _COUNTS, inner < _NOTHING
    return (
        float(own.mean()), float(own.mean() - plain.mean()),
        mean(own, reached), mean(own - plain, reached), mean(own, untouched), float(best.mean()),
    )  # fmt: skip


def drift_db_per_min(runtime: RoiRuntime, objective: str, clip: RoiClip, rounds: int) -> float:
    """What a minute without a cold start costs: a clip is played to and fro, each frame from the last output, and the
    first round is held against the last one, which shows the same frames."""
    forth = list(range(len(clip.samples)))
    round_ = [*forth, *forth[-2:0:-1]]
    order = [*round_ * rounds, 0]
    samples = [clip.samples[0]]
    for before, now in zip(order, order[1:], strict=False):
        sample = clip.samples[now]
        # on the way back the flow is that of the way forth, turned round
        samples.append(sample if now > before else replace(sample, flow=-clip.samples[before].flow,
                                                           flow_valid=clip.samples[before].flow_valid))  # fmt: skip
    made = rollout(runtime, objective, replace(clip, samples=tuple(samples)), 1)
    psnr = [metrics.psnr_db(to_bytes(one), sample.truth) for one, sample in zip(made, samples, strict=True)]
    length = len(round_)
    change = float(np.mean(psnr[-length:]) - np.mean(psnr[1 : length + 1]))
    return round(change / max(1, rounds - 1) / length * 25 * 60, 3)


def _change(sample: RoiSample, before: RoiSample, output: Floats, last: Floats) -> float:
    flow = np.ascontiguousarray(np.moveaxis(sample.flow.astype(np.float32), 0, -1))
    weight = sample.interior.astype(np.float64) * (sample.flow_valid > 0)
    true = to_unit(sample.truth) - warped(to_unit(before.truth), flow)
    error = np.abs(output - warped(last, flow) - true).mean(0)
    return float((error * weight).sum() / max(1.0, weight.sum()) * 127.5)


def held_out(source: RoiSource, cache: ClipCache, crop: str, count: int, frames: int = FRAMES) -> list[RoiClip]:
    """The first held-out clips of a source."""
    return [cache.clip(source, seed, crop, frames, Split.HELD_OUT) for seed in range(count)]


def source_named(name: str) -> RoiSource:
    """A renderer of `train.config.SOURCES`."""
    module, kind = SOURCES[name]
    found: RoiSource = getattr(import_module(module), kind)()
    return found


def verdict(directory: Path, clips: Mapping[str, Mapping[str, Sequence[RoiClip]]]) -> dict[str, object]:
    """What the card is to say, from held-out clips by kind of avatar and crop. A crop is improved if it
    gains `LEAST_GAIN_DB` and is better in every figure, with one step and with two. Raises `WeightsError`."""
    weights = open_weights(directory)
    exact = open_onnx(weights, "fp32", "cpu")
    rounded = open_onnx(weights, "int8", "cpu") if weights.path("roi_int8.onnx").exists() else None
    improves: dict[str, object] = {}
    judged: dict[str, object] = {}
    lost, shallow = [0.0], [0.0]
    second: list[float] = []
    for kind, crops in clips.items():
        all_: dict[str, Figures] = {}
        for crop, chosen in crops.items():
            for steps in (1,) if weights.objective == "regressor" else (1, 2):
                made = [rollout(exact, weights.objective, clip, steps) for clip in chosen]
                all_[f"{crop}_{steps}"] = best = figures(chosen, made)
            if rounded is not None:
                made = [rollout(rounded, weights.objective, clip, steps) for clip in chosen]
                lost.append(best.psnr_db - figures(chosen, made).psnr_db)
            if steps == 2:
                made = [rollout(exact, weights.objective, clip, 2, shallow=True) for clip in chosen]
                shallow.append(best.psnr_db - figures(chosen, made).psnr_db)
        judged[kind] = {name: asdict(one) for name, one in all_.items()}
        gains = {crop: _least([one for name, one in all_.items() if name.startswith(crop)]) for crop in crops}
        improves[kind] = better = {crop: gain for crop, gain in gains.items() if _pays(gain)}
        pairs = [(all_[f"{crop}_1"], all_.get(f"{crop}_2")) for crop in better]
        second += [two.psnr_db - one.psnr_db for one, two in pairs if two is not None]
    return {
        "improves": improves, "judged": judged, "int8_loss_db": round(max(lost), 3),
        "shallow_second_step": len(shallow) > 1 and max(shallow) <= SHALLOW_LOSS_DB,
        "shallow_loss_db": round(max(shallow), 3),
        "steps_that_pay": 1 if second and max(second) < STEP_GAIN_DB else 2,
    }  # fmt: skip


def _least(found: Sequence[Figures]) -> dict[str, float]:
    """The smallest gains of a crop's schedules."""
    return {
        name: min(getattr(one, name) for one in found) for name in ("psnr_gain_db", "interior_gain_db", "ssim_gain")
    }


def _pays(gain: Mapping[str, float]) -> bool:
    return gain["psnr_gain_db"] >= LEAST_GAIN_DB and min(gain.values()) > 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 3 if no kind of avatar gets better."""
    parser = argparse.ArgumentParser(prog="python -m models.diffusion.runtime.judge", description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="where rendered clips are kept")
    parser.add_argument("--clips", type=int, default=CLIPS, help="held-out clips per crop")
    given = parser.parse_args(arguments)
    cache = ClipCache(given.cache, 8 * 2**30)
    clips = {
        kind: {crop: held_out(source, cache, crop, given.clips) for crop in CROPS}
        for kind, source in ((kind, source_named(name)) for kind, name in KINDS.items())
    }
    found = verdict(given.weights, clips)
    path = given.weights / CARD
    card = json.loads(path.read_text("utf-8")) | found
    path.write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0 if any(json.loads(path.read_text("utf-8"))["improves"].values()) else 3


if __name__ == "__main__":
    sys.exit(main())
