"""What the ROI denoiser costs and gains: crops against the full frame, INT8 against FP32, denoiser against regressor.

The weights that come with Anima are measured unless `--weights` names a directory, and `--weights random` takes a net
that was never trained: its times are those of trained ones, but it has no quality. Quality is that of held-out people,
rendered into a folder that is deleted again unless `--cache` names one. `--regressor` names the control of equal size;
without one its keys are null and `regressor` says why. `--gpu` measures a CUDA device instead
(`bench.roi_denoiser_gpu`).

- `int8_mouth_eyes_ms`: one step for both crops of a frame, INT8, on one thread; `mouth_speedup`, `face_speedup`: the
  full frame of 512 x 512 over the crop, same weights, same run.
- `m_…` the same for size M, FP32 only: it is a GPU's size.
- `psnr_db`, `ssim`: the least of the crops that are `judged`: those that the card says the net improves, for they alone
  are used; mouth and eyes where it names none. `ssim_reached` and `ssim_unreached` part the SSIM into where the net may
  change the base and where not, `ssim_ceiling` is what the truth as its answer would have.

Times are CPU time of one thread."""

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.harness import Goal, Option, Result, command, percentiles
from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import RoiClip, RoiSample, Split
from models.diffusion.runtime.choose import open_onnx, open_torch
from models.diffusion.runtime.judge import drift_db_per_min, figures, held_out, rollout, source_named
from models.diffusion.runtime.port import Job, Precision, RoiRuntime
from models.diffusion.runtime.weights import SHIPPED, Weights, open_weights
from models.diffusion.sampler import ANEW
from models.diffusion.spec import CONTROL_LENGTH, CROPS, FIELDS, PICTURE_CHANNELS, REFERENCE_STRIDE, SIZES, NetSpec

WARM_UP: Final = 3
FULL_SHARE: Final = 8
"""A full frame takes so many times as long that this part of the repetitions must do."""
JUDGED: Final = ("mouth", "eyes")
DRIFT_CLIPS: Final = 4
DRIFT_ROUNDS: Final = 12
UNTRAINED: Final = "random"
RANDOM: Final = "random: times only"
UNCONTROLLED: Final = "none named: no control comes with Anima; see bench.roi_denoiser_control"
_SSIMS: Final = ("ssim_reached", "ssim_reached_gain", "ssim_unreached", "ssim_ceiling")
QUALITY: Final = ("psnr_db", "ssim", "seam", "int8_loss_db", "landmark_nme", "flicker")


def measure(n: int, weights: str, regressor: str, cache: str, source: str, clips: int, gpu: int) -> Result:
    """The bench's figures."""
    if gpu:
        from bench.roi_denoiser_gpu import measure_gpu

        return measure_gpu(n)
    found: Result
    with tempfile.TemporaryDirectory() as place:
        trained = weights != UNTRAINED
        taken = open_weights(Path(weights or SHIPPED)) if trained else random_weights(SIZES["S"], Path(place) / "s")
        found = {"weights": taken.name if trained else RANDOM, **speed(taken, n)}
        found |= {f"m_{key}": value for key, value in m_speed(Path(place) / "m", n).items()}
        found |= bits(taken, n)
        if trained:
            kept = ClipCache(Path(cache or Path(place) / "clips"), 8 * 2**30)
            found |= quality(taken, kept, source, clips)
            found |= control_quality(regressor, kept, source, clips)
    return found


def control_quality(regressor: str, cache: ClipCache, source: str, clips: int) -> dict[str, Any]:
    """The same figures of the control; null, with the reason, where there is none."""
    if not regressor:
        return {"regressor": UNCONTROLLED} | {f"regressor_{key}": None for key in QUALITY}
    control = open_weights(Path(regressor))
    figures_of = quality(control, cache, source, clips)
    return {"regressor": control.name} | {f"regressor_{key}": value for key, value in figures_of.items()}


def random_weights(spec: NetSpec, place: Path, *, int8: bool = True) -> Weights:
    """A net that was never trained, in all files of one that was."""
    import torch

    from models.diffusion.calibrate import quantise_onnx
    from models.diffusion.export import export_onnx
    from models.diffusion.net import RoiDenoiser

    torch.manual_seed(0)
    torch.set_num_threads(1)
    place.mkdir(parents=True)
    net = RoiDenoiser.of(spec)
    with torch.no_grad():
        net.head.weight.normal_(0, 0.02)
    net.save_pretrained(place)
    export_onnx(net, place)
    if int8:
        quantise_onnx(net, place, [_noise_clip(seed) for seed in range(2)], "flow")
    return Weights(place, {"name": "random"}, spec)


def _noise_clip(seed: int) -> RoiClip:
    rng, crop = np.random.default_rng(seed), CROPS["mouth"]
    shape = (crop.height, crop.width)

    def some(*of: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return rng.integers(0, 255, of).astype(np.uint8)

    samples = tuple(
        RoiSample(
            some(*shape, 3), some(*shape, 3), some(*shape, 3), some(len(FIELDS), *shape), some(*shape),
            np.zeros(shape, np.uint8), np.zeros((2, *shape), np.float16), np.full(shape, 255, np.uint8),
            np.zeros((22, 2), np.float32), rng.uniform(-1, 1, CONTROL_LENGTH).astype(np.float32),
        )
        for _ in range(2)
    )  # fmt: skip
    return RoiClip("mouth", seed, Split.TRAIN, samples)


def job_of(crop: str, spec: NetSpec) -> Job:
    """A job of noise for a crop."""
    rng = np.random.default_rng(0)
    height, width = CROPS[crop].height, CROPS[crop].width
    return Job(
        rng.uniform(-1, 1, (PICTURE_CHANNELS, height, width)).astype(np.float32),
        rng.uniform(-1, 1, CONTROL_LENGTH).astype(np.float32), 0.55,
        rng.uniform(0, 1, (spec.reference_width, height // REFERENCE_STRIDE, width // REFERENCE_STRIDE)).astype(
            np.float32
        ),
    )  # fmt: skip


def timed_ms(runtime: RoiRuntime, jobs: list[Job], n: int) -> list[float]:
    """CPU time of evaluating the jobs, after a warm-up."""
    for _ in range(WARM_UP):
        runtime.evaluate(jobs)
    times_ms = []
    for _ in range(max(3, n)):
        begun = time.thread_time()
        runtime.evaluate(jobs)
        times_ms.append(1e3 * (time.thread_time() - begun))
    return times_ms


def speed(weights: Weights, n: int, precisions: tuple[Precision, ...] = ("int8", "fp32")) -> Result:
    """Times of each crop, and what a crop saves against the full frame."""
    found: Result = {}
    for precision in precisions:
        runtime = open_onnx(weights, precision, "cpu")
        times = {
            name: timed_ms(runtime, [job_of(name, weights.spec)], n // (FULL_SHARE if name == "full" else 1))
            for name in CROPS
        }
        both = timed_ms(runtime, [job_of("mouth", weights.spec), job_of("eyes", weights.spec)], n)
        found |= percentiles(both, f"{precision}_mouth_eyes_ms")
        for name, taken in times.items():
            found |= percentiles(taken, f"{precision}_{name}_ms")
        if precision == precisions[0]:
            full = float(np.median(times["full"]))
            found |= {f"{name}_speedup": round(full / float(np.median(times[name])), 2) for name in ("mouth", "face")}
        runtime.close()
    return found


def m_speed(place: Path, n: int) -> Result:
    """Size M in FP32."""
    return speed(random_weights(SIZES["M"], place, int8=False), max(8, n // 8), ("fp32",))


def bits(weights: Weights, n: int) -> Result:
    """Memory of the weights and time of a mouth by precision on torch; what does not help shows here."""
    from models.diffusion.runtime.torch_net import TorchRuntime

    found: Result = {}
    job, sizes = job_of("mouth", weights.spec), {"int8": "roi_int8.onnx", "fp32": "roi.onnx"}
    pictures = {}
    for precision in ("fp32", "fp16", "nf4"):
        runtime = open_torch(weights, precision, "cpu")
        assert isinstance(runtime, TorchRuntime)
        found[f"torch_{precision}_mib"] = round(runtime.nbytes / 2**20, 2)
        found[f"torch_{precision}_mouth_ms"] = round(float(np.median(timed_ms(runtime, [job], max(5, n // 8)))), 2)
        pictures[precision] = runtime.evaluate([job])[0].image
    for precision in ("fp16", "nf4"):
        error = float(np.square(pictures[precision] - pictures["fp32"]).mean())
        found[f"{precision}_against_fp32_db"] = round(float(10 * np.log10(4 / max(error, 1e-10))), 1)
    found |= {f"{name}_file_mib": round(weights.path(file).stat().st_size / 2**20, 2) for name, file in sizes.items()}
    return found


def judged_crops(weights: Weights) -> tuple[str, ...]:
    """The crops that weights are judged by: those that the card says they improve, of any kind of avatar; all where it
    names none."""
    used = frozenset[str]().union(*weights.improves.values())
    return tuple(crop for crop in JUDGED if crop in used) or JUDGED


def quality(weights: Weights, cache: ClipCache, source: str, count: int) -> dict[str, Any]:
    """Figures on held-out identities; at top level those of `judged_crops`, with as many steps as the stream does: what
    the card says pays, one for the regressor."""
    rendered, crops = source_named(source), judged_crops(weights)
    exact = open_onnx(weights, "fp32", "cpu")
    rounded = open_onnx(weights, "int8", "cpu") if weights.path("roi_int8.onnx").exists() else None
    detail: dict[str, Any] = {}
    lost = []
    held = {crop: held_out(rendered, cache, crop, count) for crop in crops}
    steps = 1 if weights.objective == "regressor" else weights.steps
    for crop, clips in held.items():
        best = figures(clips, [rollout(exact, weights.objective, clip, steps) for clip in clips])
        detail[crop] = asdict(best)
        if rounded is not None:
            less = figures(clips, [rollout(rounded, weights.objective, clip, steps) for clip in clips])
            lost.append(best.psnr_db - less.psnr_db)
    told = {key: min(one[key] for one in detail.values()) for key in ("psnr_db", "ssim")}
    first: Mapping[str, float] = detail[crops[0]]
    told |= {key: first[key] for key in ("seam", "flicker", "psnr_gain_db", "interior_gain_db", *_SSIMS)}
    playing = [drift_db_per_min(exact, weights.objective, clip, DRIFT_ROUNDS) for clip in held[crops[0]][:DRIFT_CLIPS]]
    told["drift_db_per_min"] = round(float(np.mean(playing)), 3)
    landmarks = {"landmark_nme": _landmark_nme(weights, steps) if "mouth" in crops else None}
    least = {"int8_loss_db": round(max(lost), 3) if lost else None}
    return told | least | landmarks | {"judged": ", ".join(crops), "steps": steps, "crops": detail}


def _landmark_nme(weights: Weights, steps: int) -> float | None:
    """The mouth's landmark error as the training's own evaluation found it, None where its card tells none: the part
    net that reads landmarks does not ship."""
    wanted = ["one_step_cold", "one_step"] if steps == 1 and "mouth" in ANEW else ["one_step"]
    try:
        schedules = weights.card["held_out"]["mouth"]
        name = next(name for name in (wanted if steps == 1 else ["two_steps"]) if name in schedules)
        return round(float(schedules[name]["landmark_nme"]), 4)
    except (KeyError, TypeError, ValueError, StopIteration):
        return None


OPTIONS: Final = (
    Option("weights", "", "directory of weights; none takes those of Anima, `random` measures times alone"),
    Option("regressor", "", "directory of the control's weights"),
    Option("cache", "", "directory of rendered clips; none renders them anew"),
    Option("source", "head3d", "renderer of the held-out clips: illustrated or head3d"),
    Option("clips", 8, "held-out clips per crop"),
    Option("gpu", 0, "measure a CUDA device"),
)
GOALS: Final = (
    Goal("int8_mouth_eyes_ms_p50", most=6.0),
    Goal("mouth_speedup", least=18.0),
    Goal("face_speedup", least=7.0),
    Goal("psnr_db", least=30.0),
    Goal("ssim", least=0.93),
    Goal("seam", least=0.98, most=1.02),
    Goal("int8_loss_db", most=0.5),
)

if __name__ == "__main__":
    argv = ["--gpu=1" if argument == "--gpu" else argument for argument in sys.argv[1:]]
    if "--gpu=1" in argv:
        from bench.roi_denoiser_gpu import GOALS as GPU_GOALS

        sys.exit(command("roi_denoiser", measure, GPU_GOALS, n=200, options=OPTIONS, argv=argv))
    sys.exit(command("roi_denoiser", measure, GOALS, n=200, options=OPTIONS, argv=argv))
