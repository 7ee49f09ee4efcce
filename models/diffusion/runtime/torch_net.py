"""The net on torch: channels-last; on a GPU in half precision with one CUDA graph per crop and batch size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.diffusion.net import RoiDenoiser
from models.diffusion.runtime.nf4 import to_nf4, weight_bytes
from models.diffusion.runtime.port import BATCHES, Estimate, Floats, Job, Precision, batches, stacked
from models.diffusion.runtime.weights import TENSORS, Weights
from models.diffusion.spec import window
from realtime.core.errors import ConfigError, UpstreamError, WeightsError

PRECISIONS: Final = ("fp32", "fp16", "nf4")
WARM_UP: Final = 3
"""Runs before a graph is captured: libraries choose their kernels in them."""


@dataclass(frozen=True, slots=True, eq=False)
class _Captured:
    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    image: Tensor
    deep: Tensor


class TorchRuntime:
    """A `RoiRuntime`."""

    def __init__(self, net: RoiDenoiser, precision: Precision = "fp32", device: str = "cpu") -> None:
        """Takes the net over. Raises `ConfigError` for a precision or device that cannot be had."""
        if precision not in PRECISIONS:
            raise ConfigError(f"precision: {precision!r}: torch takes {', '.join(PRECISIONS)}; int8 needs ONNX Runtime")
        if device == "cuda" and not torch.cuda.is_available():
            raise ConfigError("device: torch finds no CUDA device")
        self._device = torch.device(device)
        on_gpu = self._device.type == "cuda"
        self._type = torch.float16 if precision == "fp16" or (precision == "nf4" and on_gpu) else torch.float32
        self._net = net.eval().requires_grad_(False)
        if precision == "nf4":
            to_nf4(self._net)
        # torch's own: diffusers' `to` asks for another way of loading
        plainly: Any = nn.Module.to
        plainly(self._net, self._device, self._type, memory_format=torch.channels_last)
        self._name = f"torch {precision} {device}"
        self._graphs: dict[tuple[int, int, bool, int], _Captured] = {}

    @classmethod
    def of(cls, weights: Weights, precision: Precision = "fp32", device: str = "cpu") -> "TorchRuntime":
        """Load the safetensors of some weights. Raises `WeightsError`."""
        if not weights.path(TENSORS).exists():
            raise WeightsError(f"{weights.path(TENSORS)} is missing: torch needs it")
        try:
            net = cast(RoiDenoiser, RoiDenoiser.from_pretrained(weights.directory))
        except (OSError, ValueError, RuntimeError) as error:
            raise WeightsError(f"{weights.path(TENSORS)} cannot be loaded: {error}") from error
        return cls(net, precision, device)

    @property
    def name(self) -> str:
        return self._name

    @property
    def most(self) -> int:
        return BATCHES[-1] if self._device.type == "cuda" else 1

    @property
    def nbytes(self) -> int:
        """Memory that the weights take."""
        return weight_bytes(self._net)

    def encode_reference(self, rest: Floats) -> Floats:
        with torch.inference_mode():
            (found,) = self._floats(self._net.encode_reference(self._tensor(rest[None])))
        return np.asarray(found, np.float32)

    def evaluate(self, jobs: Sequence[Job]) -> list[Estimate]:
        found: dict[int, Estimate] = {}
        for places in batches(jobs, self.most):
            found |= zip(places, self._batch([jobs[i] for i in places]), strict=True)
        return [found[i] for i in range(len(jobs))]

    def close(self) -> None:
        self._graphs.clear()

    def _batch(self, jobs: Sequence[Job]) -> list[Estimate]:
        height, width, shallow = jobs[0].kind
        try:
            with torch.inference_mode():
                if self._device.type == "cuda":
                    image, deep = self._replayed(jobs, height, width, shallow)
                else:
                    given = tuple(self._tensor(array) for array in stacked(jobs))
                    image, deep = self._forward(given, self._margin(width, height), shallow)
                images, deeps = self._floats(image), self._floats(deep)
        except RuntimeError as error:
            raise UpstreamError(f"the denoiser on {self._name} failed: {error}") from error
        return [Estimate(one, low) for one, low in zip(images[: len(jobs)], deeps[: len(jobs)], strict=True)]

    def _forward(self, given: tuple[Tensor, ...], margin: Tensor, shallow: bool) -> tuple[Tensor, Tensor]:
        picture, control, level, known = given
        found = self._net(picture, control, level, None if shallow else known, known if shallow else None, margin)
        return found.image, found.deep

    def _replayed(self, jobs: Sequence[Job], height: int, width: int, shallow: bool) -> tuple[Tensor, Tensor]:
        size = next(batch for batch in BATCHES if batch >= len(jobs))
        filled = [*jobs, *[jobs[-1]] * (size - len(jobs))]
        arrays = stacked(filled)
        key = height, width, shallow, size
        if key not in self._graphs:
            self._graphs[key] = self._captured(arrays, self._margin(width, height), shallow)
        captured = self._graphs[key]
        for target, array in zip(captured.inputs, arrays, strict=True):
            target.copy_(torch.from_numpy(array), non_blocking=True)
        captured.graph.replay()
        return captured.image, captured.deep

    def _captured(self, arrays: tuple[Floats, ...], margin: Tensor, shallow: bool) -> _Captured:
        """Capture one evaluation (PyTorch, "CUDA semantics", whole-network capture): warmed up on a stream aside."""
        inputs = tuple(self._tensor(array).clone() for array in arrays)
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch has no types here
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self._forward(inputs, margin, shallow)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            image, deep = self._forward(inputs, margin, shallow)
        return _Captured(graph, inputs, image, deep)

    def _tensor(self, array: Floats) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self._device, self._type)
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

    def _floats(self, tensor: Tensor) -> Floats:
        return np.ascontiguousarray(tensor.float().cpu().numpy(), np.float32)

    def _margin(self, width: int, height: int) -> Tensor:
        return self._tensor(window(width, height)[None, None])
