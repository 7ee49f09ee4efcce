"""NF4: convolutions whose weights are kept in four bits and unpacked whenever they are used.

The sixteen levels are quantiles of a normal distribution, one scale per block of 64 weights (Dettmers et al., "QLoRA",
2023, appendix E). It saves memory and never time: every use unpacks, and the product is computed as before."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCK: Final = 64
LEVELS: Final = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)  # fmt: skip
EXACT: Final = ("head", "reference", "stem")
"""Parts that make or read pictures keep their weights as they are."""


class Nf4Conv(nn.Module):
    """A convolution with weights in NF4."""

    codes: Tensor
    scales: Tensor
    levels: Tensor

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self._shape = conv.weight.shape
        self._stride, self._padding = conv.stride, conv.padding
        self.bias = conv.bias
        flat = conv.weight.detach().float().flatten()
        self._count = flat.numel()
        blocks = F.pad(flat, (0, -self._count % BLOCK)).view(-1, BLOCK)
        scales = blocks.abs().amax(1, keepdim=True).clamp_min(1e-12)
        levels = torch.tensor(LEVELS, device=flat.device)
        places = torch.bucketize(blocks / scales, (levels[1:] + levels[:-1]) / 2).to(torch.uint8).flatten()
        self.register_buffer("codes", places[0::2] << 4 | places[1::2])
        self.register_buffer("scales", scales.half())
        self.register_buffer("levels", levels)

    def weight(self) -> Tensor:
        """The weights, unpacked."""
        places = torch.stack([self.codes >> 4, self.codes & 15], 1).flatten().long()
        blocks = self.levels[places].view(-1, BLOCK) * self.scales
        return blocks.flatten()[: self._count].view(self._shape)

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution that it stands for."""
        return F.conv2d(x, self.weight().to(x), self.bias, self._stride, self._padding)


def to_nf4(net: nn.Module) -> None:
    """Replace the net's inner convolutions, in place."""
    for name, module in list(net.named_modules()):
        if isinstance(module, nn.Conv2d) and name.split(".")[0] not in EXACT:
            owner, _, last = name.rpartition(".")
            setattr(net.get_submodule(owner), last, Nf4Conv(module))


def weight_bytes(net: nn.Module) -> int:
    """Memory that parameters and buffers take."""
    return sum(t.numel() * t.element_size() for t in (*net.parameters(), *net.buffers()))
