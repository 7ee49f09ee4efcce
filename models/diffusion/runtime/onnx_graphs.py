"""The net on ONNX Runtime: FP32 or INT8 on the processor; CUDA or TensorRT where package and machine have them."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.diffusion.runtime.port import BATCHES, Estimate, Floats, Job, Precision, batches, stacked
from models.diffusion.runtime.weights import Weights
from models.diffusion.spec import window
from realtime.core.errors import ConfigError, UpstreamError, WeightsError

PROVIDERS: Final = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider",
                    "tensorrt": "TensorrtExecutionProvider"}  # fmt: skip
_QUIET: Final = 4
"""ONNX Runtime's level `fatal`: whether a provider works is asked, not read from its log."""


class OnnxRuntime:
    """A `RoiRuntime`. One thread per call: the frame path's thread is the one that computes."""

    def __init__(self, weights: Weights, precision: Precision = "fp32", device: str = "cpu") -> None:
        """Raises `WeightsError` for a graph that cannot be loaded, `ConfigError` for what this runtime lacks."""
        if precision not in ("fp32", "int8"):
            raise ConfigError(f"precision: {precision!r}: ONNX Runtime takes fp32 or int8; torch has the others")
        if device not in PROVIDERS:
            raise ConfigError(f"device: {device!r} must be one of {', '.join(PROVIDERS)}")
        self._suffix = "_int8" if precision == "int8" else ""
        self._weights, self._device = weights, device
        self._name = f"onnx {precision} {device}"
        self._whole = self._open(weights.path(f"roi{self._suffix}.onnx"))
        self._reference = self._open(weights.path("reference.onnx"))
        self._shallow: Any = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def most(self) -> int:
        return 1 if self._device == "cpu" else BATCHES[-1]

    def encode_reference(self, rest: Floats) -> Floats:
        (found,) = self._run(self._reference, ["reference"], {"rest": rest[None]})
        return np.asarray(found[0], np.float32)

    def evaluate(self, jobs: Sequence[Job]) -> list[Estimate]:
        found: dict[int, Estimate] = {}
        for places in batches(jobs, self.most):
            chosen = [jobs[i] for i in places]
            found |= zip(places, self._batch(chosen), strict=True)
        return [found[i] for i in range(len(jobs))]

    def close(self) -> None:
        self._whole = self._shallow = self._reference = None

    def _batch(self, jobs: Sequence[Job]) -> list[Estimate]:
        picture, control, level, known = stacked(jobs)
        _, _, height, width = picture.shape
        feed = {"picture": picture, "control": control, "level": level, "window": _window(width, height)}
        if jobs[0].deep is None:
            images, deeps = self._run(self._whole, ["image", "deep"], feed | {"reference": known})
        else:
            if self._shallow is None:
                self._shallow = self._open(self._weights.path(f"roi_shallow{self._suffix}.onnx"))
            (images,) = self._run(self._shallow, ["image"], feed | {"deep": known})
            deeps = known
        return [Estimate(image, deep) for image, deep in zip(images, deeps, strict=True)]

    def _run(self, session: Any, outputs: list[str], feed: dict[str, Floats]) -> list[Floats]:
        try:
            return list(session.run(outputs, feed))
        except Exception as error:  # onnxruntime raises classes of its own, which have no common public base
            raise UpstreamError(f"the denoiser on {self._name} failed: {str(error).splitlines()[0]}") from error

    def _open(self, path: Path) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise ConfigError("the denoiser needs onnxruntime, which is not installed") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        wanted = PROVIDERS[self._device]
        if wanted not in onnxruntime.get_available_providers():
            raise ConfigError(f"device: this onnxruntime has no {wanted}")
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=[wanted])
        except Exception as error:  # as above
            raise WeightsError(f"{path} cannot be loaded: {str(error).splitlines()[0]}") from error
        if session.get_providers()[0] != wanted:
            raise ConfigError(f"device: {wanted} is offered but does not start: is there such a device and its driver?")
        return session


@lru_cache(maxsize=16)
def _window(width: int, height: int) -> Floats:
    return window(width, height)[None, None]
