"""What an output is judged by, each in -1..1 pictures; none of them needs a network from outside."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

INTERIOR_WEIGHT: Final = 4.0
PYRAMID_LEVELS: Final = 3
_SOFT: Final = 1e-3
_LUMA: Final = (0.299, 0.587, 0.114)
_WINDOW: Final = 11
_SIGMA: Final = 1.5
_C1, _C2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2


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


def dissimilarity(x: Tensor, truth: Tensor) -> Tensor:
    """1 - SSIM of the luma (Wang et al., 2004; Gaussian window of 11 x 11, sigma 1.5), as `metrics.ssim` counts it."""
    offsets = torch.arange(_WINDOW, device=x.device, dtype=x.dtype) - _WINDOW // 2
    line = torch.exp(-(offsets**2) / (2 * _SIGMA**2))
    line = line / line.sum()
    weights = torch.tensor(_LUMA, device=x.device, dtype=x.dtype).view(1, 3, 1, 1)
    a, b = (((picture + 1) * weights).sum(1, keepdim=True) for picture in (x, truth))
    maps = torch.cat([a, b, a * a, b * b, a * b], 1)
    across, down = (line.view(1, 1, *shape).expand(5, 1, *shape) for shape in ((1, _WINDOW), (_WINDOW, 1)))
    ma, mb, maa, mbb, mab = F.conv2d(F.conv2d(maps, across, groups=5), down, groups=5).unbind(1)
    va, vb, vab = maa - ma * ma, mbb - mb * mb, mab - ma * mb
    similar = ((2 * ma * mb + _C1) * (2 * vab + _C2)) / ((ma * ma + mb * mb + _C1) * (va + vb + _C2))
    found: Tensor = 1 - similar.mean()
    return found
