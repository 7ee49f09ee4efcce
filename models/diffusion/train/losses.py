"""What an output is judged by, each in -1..1 pictures; none of them needs a network from outside."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

INTERIOR_WEIGHT: Final = 4.0
PYRAMID_LEVELS: Final = 3
_SOFT: Final = 1e-3


def charbonnier(x: Tensor, truth: Tensor, interior: Tensor) -> Tensor:
    """Smooth L1 (Charbonnier et al., 1994), fourfold inside `interior`, (B, 1, H, W)."""
    weight = 1.0 + (INTERIOR_WEIGHT - 1.0) * interior
    error = torch.sqrt((x - truth) ** 2 + _SOFT**2)
    return (error * weight).mean() / weight.mean()


def laplacian_l1(x: Tensor, truth: Tensor) -> Tensor:
    """L1 between Laplacian pyramids (Bojanowski et al., "Optimizing the latent space of generative networks", 2018). A
    pyramid is linear, so that of the difference will do."""
    rest, total = x - truth, x.new_zeros(())
    for level in range(PYRAMID_LEVELS):
        low = F.avg_pool2d(rest, 2)
        band = rest - F.interpolate(low, scale_factor=2.0, mode="bilinear", align_corners=False)
        total = total + band.abs().mean() * 2.0**level
        rest = low
    return total + rest.abs().mean() * 2.0**PYRAMID_LEVELS


def focal_frequency(x: Tensor, truth: Tensor) -> Tensor:
    """Focal frequency loss (Jiang et al., 2021): errors of frequencies, those that are hard weighing more."""
    difference = torch.fft.rfft2(x, norm="ortho") - torch.fft.rfft2(truth, norm="ortho")
    squared = difference.real**2 + difference.imag**2
    weight = squared.detach().sqrt()
    weight = weight / weight.amax((-2, -1), keepdim=True).clamp_min(1e-8)
    found: Tensor = (weight * squared).mean()
    return found


def feature_l1(found: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """L1 between features of the part net."""
    return torch.stack([(a - b).abs().mean() for a, b in zip(found, wanted, strict=True)]).sum()


def temporal(change: Tensor, true_change: Tensor, valid: Tensor) -> Tensor:
    """How a picture differs from the warped one before it, against how the truth does; where the flow holds."""
    return ((change - true_change).abs() * valid).mean() / valid.mean().clamp_min(1e-3)
