"""Runtimes agree: ONNX with torch, batches with single jobs, INT8 and NF4 nearly with FP32."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.diffusion.runtime.choose import Compute, gpu_present, open_onnx, open_runtime, open_torch, unhelpful
from models.diffusion.runtime.port import Floats, Job, Precision, RoiRuntime, batches
from models.diffusion.runtime.weights import Weights
from models.diffusion.spec import CROPS
from realtime.core.errors import ConfigError
from tests.models.diffusion.runtime.made import job

MANY = [job(1), job(2, "eyes"), job(3, shallow=True), job(4), job(5, "eyes", 1.0), job(6, "face")]


def psnr_db(a: Floats, b: Floats) -> float:
    return float(10 * np.log10(4.0 / max(1e-12, float(np.square(a - b).mean()))))


@pytest.fixture(scope="module")
def exact(weights: Weights) -> RoiRuntime:
    return open_torch(weights, "fp32", "cpu")


def test_onnx_is_torch_to_a_thousandth(weights: Weights, exact: RoiRuntime) -> None:
    onnx = open_onnx(weights, "fp32", "cpu")
    for ours, theirs in zip(onnx.evaluate(MANY), exact.evaluate(MANY), strict=True):
        assert np.allclose(ours.image, theirs.image, atol=1e-3) and np.allclose(ours.deep, theirs.deep, atol=1e-3)
    rest = np.random.default_rng(0).uniform(-1, 1, (3, 96, 128)).astype(np.float32)
    assert np.allclose(onnx.encode_reference(rest), exact.encode_reference(rest), atol=1e-3)


@pytest.mark.parametrize("precision", ["int8", "fp16", "nf4"])
def test_fewer_bits_cost_little(weights: Weights, exact: RoiRuntime, precision: Precision) -> None:
    rounded = open_onnx(weights, precision, "cpu") if precision == "int8" else open_torch(weights, precision, "cpu")
    for ours, theirs in zip(rounded.evaluate(MANY[:2]), exact.evaluate(MANY[:2]), strict=True):
        assert psnr_db(ours.image, theirs.image) > 30


def test_nf4_takes_less_memory(weights: Weights) -> None:
    from models.diffusion.runtime.torch_net import TorchRuntime

    assert TorchRuntime.of(weights, "nf4").nbytes < 0.5 * TorchRuntime.of(weights).nbytes


def test_what_a_runtime_lacks_is_said(weights: Weights) -> None:
    with pytest.raises(ConfigError, match="fp32 or int8"):
        open_onnx(weights, "nf4", "cpu")
    with pytest.raises(ConfigError, match="int8 needs ONNX"):
        open_torch(weights, "int8", "cpu")
    if not gpu_present():
        for device in ("cuda", "tensorrt"):
            with pytest.raises(ConfigError, match="device"):
                open_onnx(weights, "fp32", device)
        with pytest.raises(ConfigError, match="CUDA device"):
            open_torch(weights, "fp16", "cuda")


@pytest.mark.skipif(gpu_present(), reason="takes the GPU")
def test_int8_is_taken_on_a_processor(weights: Weights) -> None:
    runtime = open_runtime(weights)
    assert runtime.name == "onnx int8 cpu"
    runtime.close()


@pytest.mark.parametrize(
    ("precision", "name", "said"),
    [
        ("fp32", "onnx fp32 cpu", ""),
        ("int8", "onnx int8 cpu", ""),
        ("fp16", "torch fp16 cpu", "slower than FP32"),
        ("nf4", "torch nf4 cpu", "memory, not time"),
    ],
)
def test_every_precision_can_be_chosen(
    weights: Weights, caplog: pytest.LogCaptureFixture, precision: Precision, name: str, said: str
) -> None:
    with caplog.at_level(logging.WARNING):
        runtime = open_runtime(weights, Compute(precision, "cpu"))
    assert runtime.name == name
    assert runtime.evaluate(MANY[:1])[0].image.shape == (3, 96, 128)
    assert [said in message for message in caplog.messages] == ([True] if said else [])
    runtime.close()


@pytest.mark.skipif(gpu_present(), reason="the GPU serves")
@pytest.mark.parametrize(
    ("compute", "parts"),
    [
        (Compute(device="cuda"), ["denoiser_device = 'cuda'", "no CUDA device", "CUDAExecutionProvider"]),
        (Compute("fp16", "cuda"), ["denoiser_precision = 'fp16', denoiser_device = 'cuda'", "no CUDA device"]),
        (Compute("int8", "cuda"), ["denoiser_precision = 'int8'", "CUDAExecutionProvider"]),
        (Compute(device="tensorrt"), ["denoiser_device = 'tensorrt'", "TensorrtExecutionProvider"]),
        (Compute("nf4", "tensorrt"), ["denoiser_precision = 'nf4'", "fp32 or int8"]),
    ],
)
def test_a_choice_that_cannot_be_had_names_setting_and_reason(
    weights: Weights, compute: Compute, parts: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        open_runtime(weights, compute)
    for part in parts:
        assert part in str(caught.value)


def test_files_that_a_choice_needs_are_named(weights: Weights, tmp_path: Path) -> None:
    bare = replace(weights, directory=tmp_path)
    for precision, file in (("int8", "roi_int8.onnx"), ("nf4", "safetensors")):
        with pytest.raises(ConfigError, match=file):
            open_runtime(bare, Compute(precision, "cpu"))  # type: ignore[arg-type]  # of the loop's two literals


def test_what_does_not_help_depends_on_the_device() -> None:
    assert unhelpful("fp16", "cpu") and not unhelpful("fp16", "cuda")
    assert unhelpful("int8", "cuda") and not unhelpful("int8", "cpu") and not unhelpful("int8", "tensorrt")
    assert unhelpful("nf4", "cuda") and not unhelpful("auto", "cpu")


def test_every_job_is_in_one_batch_of_its_kind() -> None:
    found = batches([*MANY, *MANY], 2)
    assert sorted(i for places in found for i in places) == list(range(12))
    kinds = [{[*MANY, *MANY][i].kind for i in places} for places in found]
    assert all(len(same) == 1 for same in kinds) and max(map(len, found)) == 2


def test_the_border_is_the_base(weights: Weights) -> None:
    one = Job(MANY[0].picture, MANY[0].control, 1.0, MANY[0].reference)
    (found,) = open_onnx(weights, "int8", "cpu").evaluate([one])
    assert np.array_equal(found.image[:, 0], one.picture[3:6, 0])
    assert found.image.shape == (3, CROPS["mouth"].height, CROPS["mouth"].width)


def test_nothing_heavy_is_imported_before_weights_are_used() -> None:
    script = (
        "import sys; from models.diffusion.refiner_engine import open_engine; open_engine('off');"
        "sys.exit(any(name in sys.modules for name in ('torch', 'onnxruntime', 'diffusers')))"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=120).returncode == 0
