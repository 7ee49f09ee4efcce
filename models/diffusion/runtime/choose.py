"""Which runtime computes some weights on this machine; nothing heavy is imported before that is known."""

import logging
from pathlib import Path
from typing import Final

from models.diffusion.runtime.batching import MicroBatches
from models.diffusion.runtime.port import Precision, RoiRuntime
from models.diffusion.runtime.weights import TENSORS, Weights
from realtime.core.errors import ConfigError, WeightsError

log = logging.getLogger(__name__)

NVIDIA: Final = (Path("/dev/nvidiactl"), Path("/dev/dxg"))
"""Device nodes of NVIDIA's driver, on Linux and inside WSL."""


def gpu_present() -> bool:
    """Whether a CUDA device can be expected; no library is loaded to find out."""
    return any(node.exists() for node in NVIDIA)


def open_runtime(weights: Weights) -> RoiRuntime:
    """The fastest runtime there is: torch with CUDA graphs, ONNX Runtime on CUDA, INT8 on the processor, FP32 on the
    processor. Raises `WeightsError` or `ConfigError` if not even the last one can be had."""
    if gpu_present():
        try:
            return MicroBatches(_on_gpu(weights))
        except (ConfigError, WeightsError) as error:
            log.warning("the denoiser cannot use the GPU: %s", error)
    return open_onnx(weights, "int8" if weights.int8_pays else "fp32", "cpu")


def open_onnx(weights: Weights, precision: Precision, device: str) -> RoiRuntime:
    """A runtime on ONNX Runtime. Raises `WeightsError` or `ConfigError`."""
    from models.diffusion.runtime.onnx_graphs import OnnxRuntime

    return OnnxRuntime(weights, precision, device)


def open_torch(weights: Weights, precision: Precision, device: str) -> RoiRuntime:
    """A runtime on torch. Raises `WeightsError` or `ConfigError`."""
    try:
        from models.diffusion.runtime.torch_net import TorchRuntime
    except ImportError as error:
        raise ConfigError("the denoiser on torch needs the extra `diffusion`") from error
    return TorchRuntime.of(weights, precision, device)


def _on_gpu(weights: Weights) -> RoiRuntime:
    if weights.path(TENSORS).exists():
        try:
            return open_torch(weights, "fp16", "cuda")
        except ConfigError as error:
            log.info("%s; ONNX Runtime is tried", error)
    return open_onnx(weights, "fp32", "cuda")
