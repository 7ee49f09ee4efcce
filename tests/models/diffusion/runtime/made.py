"""Weights of a tiny net, written as training exports them, and jobs for it."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np

from models.diffusion.calibrate import quantise_onnx
from models.diffusion.export import WEIGHT_FILES, export_onnx
from models.diffusion.runtime.port import Job
from models.diffusion.spec import CONTROL_LENGTH, CROPS, PICTURE_CHANNELS
from tests.models.diffusion.fake_source import FakeSource
from tests.models.diffusion.test_net import TINY, tiny


def written(directory: Path, **card: object) -> Path:
    """A directory of whole weights."""
    directory.mkdir(parents=True, exist_ok=True)
    net = tiny()
    net.save_pretrained(directory)
    export_onnx(net, directory)
    quantise_onnx(net, directory, [FakeSource().clip(seed, "mouth", 2) for seed in range(2)], "flow")
    signed(directory, **card)
    return directory


def signed(directory: Path, **card: object) -> None:
    """Write the card anew, with the files as they are."""
    files = {name: {"sha256": sha256((directory / name).read_bytes()).hexdigest()} for name in WEIGHT_FILES}
    told = {"name": "tiny", "objective": "flow", "files": files, **card}
    (directory / "model_card.json").write_text(json.dumps(told), "utf-8")


def job(seed: int, crop: str = "mouth", level: float = 0.55, *, shallow: bool = False) -> Job:
    """A job of random numbers."""
    rng = np.random.default_rng(seed)
    height, width = CROPS[crop].height, CROPS[crop].width

    def some(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return rng.uniform(-1, 1, shape).astype(np.float32)

    deep = some(TINY.widths[1], height // TINY.s2d // 2, width // TINY.s2d // 2) if shallow else None
    return Job(
        some(PICTURE_CHANNELS, height, width), some(CONTROL_LENGTH), level,
        some(TINY.reference_width, height // 8, width // 8), deep,
    )  # fmt: skip
