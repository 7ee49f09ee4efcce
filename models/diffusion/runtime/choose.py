"""Which runtime computes some weights on this machine; nothing heavy is imported before that is known."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from models.diffusion.runtime.batching import MicroBatches
from models.diffusion.runtime.port import Precision, RoiRuntime
from models.diffusion.runtime.weights import TENSORS, Weights
from realtime.core.errors import ConfigError, WeightsError

log = logging.getLogger(__name__)

Device = Literal["cpu", "cuda", "tensorrt"]
AUTO: Final = "auto"
INT8: Final = "roi_int8.onnx"

NVIDIA: Final = (Path("/dev/nvidiactl"), Path("/dev/dxg"))
"""Device nodes of NVIDIA's driver, on Linux and inside WSL."""


def gpu_present() -> bool:
    """Whether a CUDA device can be expected; no library is loaded to find out."""
    return any(node.exists() for node in NVIDIA)


@dataclass(frozen=True, slots=True)
class Compute:
    """What the weights are to be computed in and on, as the settings `denoiser_precision` and `denoiser_device` say."""

    precision: Precision | Literal["auto"] = AUTO
    device: Device | Literal["auto"] = AUTO

    @property
    def chosen(self) -> str:
        """What was chosen, for messages; empty where both are `auto`."""
        given = {"denoiser_precision": self.precision, "denoiser_device": self.device}
        return ", ".join(f"{name} = {value!r}" for name, value in given.items() if value != AUTO)


ANY: Final = Compute()


def open_runtime(weights: Weights, compute: Compute = ANY) -> RoiRuntime:
    """What was chosen, or else the fastest runtime there is: torch with CUDA graphs, ONNX Runtime on CUDA, INT8 on the
    processor, FP32 on the processor. Raises `ConfigError` naming the settings for a choice that cannot be had; without
    one, `WeightsError` or `ConfigError` if not even the last one can be had."""
    if not compute.chosen:
        return _fastest(weights)
    try:
        runtime = _as_chosen(weights, compute)
    except (ConfigError, WeightsError) as error:
        raise ConfigError(f"{compute.chosen}: {error}") from error
    on = "cpu" if not isinstance(runtime, MicroBatches) else "tensorrt" if compute.device == "tensorrt" else "cuda"
    about = unhelpful(compute.precision, on)
    if about:
        log.warning("%s: %s", compute.chosen, about)
    return runtime


def unhelpful(precision: str, device: str) -> str:
    """Why a precision does not help on a device; empty where it does. Measured in docs/models.md."""
    if precision == "nf4":
        return "NF4 saves memory, not time: weights are unpacked at every use"
    if precision == "fp16" and device == "cpu":
        return "half precision on a processor is slower than FP32; int8 is fast there"
    if precision == "int8" and device == "cuda":
        return "ONNX Runtime's CUDA kernels compute what was unpacked: int8 saves no time there, only with tensorrt"
    return ""


def _fastest(weights: Weights) -> RoiRuntime:
    if gpu_present():
        try:
            return MicroBatches(_on_gpu(weights, AUTO))
        except (ConfigError, WeightsError) as error:
            log.warning("the denoiser cannot use the GPU: %s", error)
    return _on_processor(weights, AUTO)


def _as_chosen(weights: Weights, compute: Compute) -> RoiRuntime:
    precision, device = compute.precision, compute.device
    if precision == "int8" and not weights.path(INT8).exists():
        raise ConfigError(f"{weights.directory} holds no {INT8}")
    if device == "tensorrt":
        return MicroBatches(open_onnx(weights, "fp32" if precision == AUTO else precision, device))
    if device == "cuda":
        return MicroBatches(_on_gpu(weights, precision))
    # INT8 is the processor's: CUDA's kernels compute what was unpacked
    if device == AUTO and precision != "int8" and gpu_present():
        try:
            return MicroBatches(_on_gpu(weights, precision))
        except (ConfigError, WeightsError) as error:
            log.warning("the denoiser cannot use the GPU: %s", error)
    return _on_processor(weights, precision)


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


def _on_gpu(weights: Weights, precision: Precision | Literal["auto"]) -> RoiRuntime:
    """Torch where its tensors and its CUDA are, else ONNX Runtime for what that can compute."""
    reason = f"{weights.path(TENSORS)} is missing: torch needs it"
    if precision == "int8":
        return open_onnx(weights, "int8", "cuda")
    if weights.path(TENSORS).exists():
        try:
            return open_torch(weights, "fp16" if precision == AUTO else precision, "cuda")
        except ConfigError as error:
            reason = str(error)
    if precision in ("fp16", "nf4"):
        raise ConfigError(reason)
    log.info("%s; ONNX Runtime is tried", reason)
    try:
        return open_onnx(weights, "fp32", "cuda")
    except ConfigError as error:
        raise ConfigError(f"{reason}; {error}") from error


def _on_processor(weights: Weights, precision: Precision | Literal["auto"]) -> RoiRuntime:
    if precision in ("fp16", "nf4"):
        return open_torch(weights, precision, "cpu")
    by_itself: Precision = "int8" if weights.int8_pays else "fp32"
    return open_onnx(weights, by_itself if precision == AUTO else precision, "cpu")
