"""Quantisation-aware training: convolutions see the roundings that the INT8 export will make, gradients do not.

Weights: symmetric, one scale per output channel. Activations: 8 bits over the range of the batch at hand. Rounding is
passed straight through (Bengio, Léonard & Courville, "Estimating or propagating gradients through stochastic neurons",
2013). First and last convolution stay exact, as in the export."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import register_parametrization, remove_parametrizations

from models.diffusion.net import RoiDenoiser

EXACT: Final = ("head", "reference.stem")
"""Convolutions that the export leaves in floating point."""


class _RoundedWeight(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        scale = (weight.detach().abs().amax((1, 2, 3), keepdim=True) / 127).clamp_min(1e-8)
        rounded = torch.round(weight.detach() / scale).clamp(-127, 127) * scale
        return weight + (rounded - weight.detach())


def _rounded_input(_module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    x: Tensor = inputs[0]
    low, high = x.detach().amin().clamp_max(0), x.detach().amax().clamp_min(1e-8)
    scale = (high - low) / 255
    rounded = torch.round((x.detach() - low) / scale) * scale + low
    return (x + (rounded - x.detach()), *inputs[1:])


@contextmanager
def quantised(net: RoiDenoiser) -> Iterator[None]:
    """Inside, the net computes as its INT8 export will."""
    chosen = [m for name, m in net.named_modules() if isinstance(m, nn.Conv2d) and name not in EXACT]
    hooks = []
    for module in chosen:
        register_parametrization(module, "weight", _RoundedWeight())
        hooks.append(module.register_forward_pre_hook(_rounded_input))
    try:
        yield
    finally:
        for module, hook in zip(chosen, hooks, strict=True):
            remove_parametrizations(module, "weight", leave_parametrized=False)
            hook.remove()


def rounding_error(net: RoiDenoiser) -> float:
    """Mean relative change of the weights by their rounding, for reports."""
    rounded = _RoundedWeight()
    pairs = [(m.weight, rounded(m.weight)) for m in net.modules() if isinstance(m, nn.Conv2d)]
    return float(torch.stack([F.l1_loss(b, a) / a.abs().mean().clamp_min(1e-8) for a, b in pairs]).mean())
