"""Weights to ship: safetensors, ONNX in FP32 and in INT8, each with its hash, and a model card.

`python -m models.diffusion.export RUN OUT --config CONFIG --cache CACHE` takes a training's directory. Three graphs are
written, with any batch and any crop: `roi.onnx` (picture, control, level, reference, window -> image, deep),
`roi_shallow.onnx` (deep instead of reference) and `reference.onnx` (the crop at rest -> reference); `roi_int8.onnx` and
`roi_shallow_int8.onnx` are the first two with 8-bit weights and activations (QDQ, calibrated on training clips)."""

import argparse
import json
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from models.diffusion.calibrate import quantise_onnx
from models.diffusion.data.cache import ClipCache
from models.diffusion.data.sample import RoiClip, Split
from models.diffusion.net import RoiDenoiser
from models.diffusion.spec import CONTROL_LENGTH, CROPS, PICTURE_CHANNELS, REFERENCE_STRIDE
from models.diffusion.train.config import TrainConfig, load_config
from models.diffusion.train.evaluate import Quality, evaluate_net, held_out, sheet
from models.diffusion.train.legs import sources_of
from models.diffusion.train.state import load_state

OPSET: Final = 17
MAX_BYTES: Final = 16 * 2**20
CALIBRATION_CLIPS: Final = 24
WEIGHT_FILES: Final = (
    "diffusion_pytorch_model.safetensors", "roi.onnx", "roi_shallow.onnx", "reference.onnx", "roi_int8.onnx",
    "roi_shallow_int8.onnx",
)  # fmt: skip


class _Whole(nn.Module):
    def __init__(self, net: RoiDenoiser) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, picture: Tensor, control: Tensor, level: Tensor, reference: Tensor, window: Tensor
    ) -> tuple[Tensor, Tensor]:
        image, deep = self.net(picture, control, level, reference, None, window)
        return image, deep


class _Shallow(nn.Module):
    def __init__(self, net: RoiDenoiser) -> None:
        super().__init__()
        self.net = net

    def forward(self, picture: Tensor, control: Tensor, level: Tensor, deep: Tensor, window: Tensor) -> Tensor:
        image: Tensor = self.net(picture, control, level, None, deep, window).image
        return image


def export_onnx(net: RoiDenoiser, directory: Path) -> None:
    """Write `roi.onnx`, `roi_shallow.onnx` and `reference.onnx`."""
    net = net.eval().cpu()
    crop = CROPS["mouth"]
    height, width, s2d = crop.height, crop.width, net.spec.s2d
    picture, control = torch.zeros(1, PICTURE_CHANNELS, height, width), torch.zeros(1, CONTROL_LENGTH)
    level, window = torch.ones(1, 1), torch.ones(1, 1, height, width)
    deep = torch.zeros(1, net.spec.widths[1], height // s2d // 2, width // s2d // 2)
    reference = torch.zeros(1, net.spec.reference_width, height // REFERENCE_STRIDE, width // REFERENCE_STRIDE)
    plane, small, lower = ({0: "batch", 2: f"height{n}", 3: f"width{n}"} for n in ("", "_reference", "_deep"))
    row = {0: "batch"}
    axes = {"picture": plane, "control": row, "level": row, "window": {2: "height", 3: "width"}, "image": plane}
    _write(_Whole(net), (picture, control, level, reference, window), directory / "roi.onnx",
           ("picture", "control", "level", "reference", "window"), ("image", "deep"),
           {**axes, "reference": small, "deep": lower})  # fmt: skip
    _write(_Shallow(net), (picture, control, level, deep, window), directory / "roi_shallow.onnx",
           ("picture", "control", "level", "deep", "window"), ("image",), {**axes, "deep": lower})  # fmt: skip
    _write(net.reference, (torch.zeros(1, 3, height, width),), directory / "reference.onnx", ("rest",), ("reference",),
           {"rest": plane, "reference": small})  # fmt: skip


def _write(
    module: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: Sequence[str], outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
) -> None:  # fmt: skip
    with warnings.catch_warnings():
        # the newer exporter needs one more package and writes the same graph for a net without control flow
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module.eval(), inputs, str(path), input_names=list(names), output_names=list(outputs),
            dynamic_axes=dict(axes), opset_version=OPSET, do_constant_folding=True, dynamo=False,
        )  # fmt: skip


def export_run(
    run: Path, out: Path, config: TrainConfig, cache: ClipCache, command: str, share: float
) -> dict[str, object]:
    """Write everything that ships of a training; what the model card says, as a mapping. Raises `ValueError` for a file
    over the limit."""
    state = load_state(config, run, "cpu")
    net = state.averaged.eval()
    out.mkdir(parents=True, exist_ok=True)
    net.save_pretrained(out)
    export_onnx(net, out)
    sources = sources_of(config)
    calibration = [
        cache.clip(source, seed, roi, config.frames, Split.TRAIN)
        for source in sources for roi in config.clips for seed in range(CALIBRATION_CLIPS)
    ]  # fmt: skip
    quantise_onnx(net, out, calibration, config.objective)
    clips = held_out(config, sources, cache, share)
    quality = evaluate_net(net, state.parts, clips, config.objective, config.seed)
    sheet(net, clips, config.objective, config.seed, out)
    card: dict[str, object] = {
        "name": config.name, "size": config.size, "objective": config.objective, "licence": "Apache-2.0",
        "parameters": sum(p.numel() for p in net.parameters()), "seed": config.seed, "steps": state.total,
        "train_seconds": round(state.seconds), "command": command, "config": asdict(config),
        "held_out": {roi: {k: asdict(q) for k, q in one.items()} for roi, one in quality.items()},
        "files": {name: _described(out / name) for name in WEIGHT_FILES},
        "beats_base": beats_base(quality),
    }  # fmt: skip
    (out / "model_card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (out / "README.md").write_text(card_text(card, quality, clips), encoding="utf-8")
    return card


def beats_base(quality: Mapping[str, Mapping[str, Quality]]) -> bool:
    """Whether the schedules that the stream runs are better than the warped base everywhere: what is not is not shipped
    as the default."""
    return all(
        one[name].psnr_db > one["base"].psnr_db and one[name].ssim > one["base"].ssim
        for one in quality.values()
        for name in one
        if name != "base"
    )


def card_text(
    card: Mapping[str, object], quality: Mapping[str, Mapping[str, Quality]], clips: Mapping[str, Sequence[RoiClip]]
) -> str:
    """The model card in words."""
    identities = len({clip.identity for chosen in clips.values() for clip in chosen})
    frames = sum(len(clip.samples) for chosen in clips.values() for clip in chosen)
    lines = [
        f"# {card['name']}", "",
        f"ROI denoiser, size {card['size']}, objective {card['objective']}, {card['parameters']} parameters, licence "
        f"{card['licence']}. Trained on pictures that Anima renders itself; no person was photographed. Seed "
        f"{card['seed']}, {card['steps']} steps in {card['train_seconds']} s.", "",
        f"Made by `{card['command']}`.", "",
        f"Held out: {identities} identities, {frames} frames. `base` is the warped picture that the net repairs.", "",
        "| crop | schedule | PSNR dB | inside dB | SSIM | landmark NME | seam | flicker |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for roi, one in quality.items():
        for name, q in one.items():
            lines.append(
                f"| {roi} | {name} | {q.psnr_db:.2f} | {q.interior_psnr_db:.2f} | {q.ssim:.4f} | "
                f"{q.landmark_nme:.4f} | {q.seam:.3f} | {q.flicker:.2f} |"
            )
    return "\n".join(lines) + "\n"


def _described(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path.name}: {len(data)} bytes are more than {MAX_BYTES}")
    return {"bytes": len(data), "sha256": sha256(data).hexdigest()}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m models.diffusion.export", description=__doc__)
    parser.add_argument("run", type=Path, help="the training's directory")
    parser.add_argument("out", type=Path, help="where to write")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="share of the held-out clips to evaluate on")
    given = parser.parse_args(arguments)
    config = load_config(given.config)
    cache = ClipCache(given.cache, int(config.cache_gib * 2**30))
    command = f"anima train roi models/diffusion/configs/{given.config.name}"
    card = export_run(given.run, given.out, config, cache, command, given.share)
    sys.stdout.write((given.out / "README.md").read_text(encoding="utf-8"))
    return 0 if card["beats_base"] else 3


if __name__ == "__main__":
    sys.exit(main())
