"""The denoiser's net: a small residual U-net in pixel space that repairs the warped base of one crop.

Space-to-depth in, pixel shuffle out, ReLU, no normalisation, no attention: what an integer CPU kernel and a CUDA graph
both like. The control vector and the noise level enter as a bias per channel and level. The output is
`base + window * tanh(delta)`; the window is exactly 0 on the border, so that nothing can show where it is pasted
back."""

from dataclasses import asdict
from functools import lru_cache
from typing import NamedTuple

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.loaders.peft import PeftAdapterMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F

from models.diffusion.spec import (
    CONTROL_LENGTH,
    PICTURE_CHANNELS,
    PICTURE_INDEX,
    REFERENCE_STRIDE,
    NetSpec,
    window,
)

_BASE = slice(PICTURE_INDEX["base_r"], PICTURE_INDEX["base_b"] + 1)
_BRANCH_SHARE = 0.3
"""Initial size of a residual branch: without normalisation, small branches keep the sum's variance near 1."""


class RoiOutput(NamedTuple):
    """What one evaluation gives."""

    image: Tensor
    """(B, 3, H, W): the estimate of the truth."""
    deep: Tensor
    """(B, widths[1], H / 2 s2d, W / 2 s2d): may be given back for a shallow refresh."""


class Block(nn.Module):
    """Two convolutions beside an identity, with a bias from the conditioning between them."""

    def __init__(self, width: int, control_width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.bias = nn.Linear(control_width, width)
        with torch.no_grad():
            self.second.weight *= _BRANCH_SHARE

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(B, width, h, w) and (B, control_width) -> (B, width, h, w)."""
        bias = self.bias(condition)[:, :, None, None]
        return F.relu(x + self.second(F.relu(self.first(x) + bias)))


class Level(nn.Module):
    """Some blocks in a row."""

    def __init__(self, width: int, count: int, control_width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, control_width) for _ in range(count))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(B, width, h, w) -> the same."""
        for block in self.blocks:
            x = block(x, condition)
        return x


class ReferenceEncoder(nn.Module):
    """Features of the avatar at rest in one crop; computed once per avatar, not once per frame."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, REFERENCE_STRIDE, stride=REFERENCE_STRIDE)
        self.mix = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in -1..1 -> (B, width, H / 8, W / 8)."""
        return F.relu(self.mix(F.relu(self.stem(picture))))


class RoiDenoiser(ModelMixin, ConfigMixin, PeftAdapterMixin):
    """The net. Inputs and outputs are described in `models.diffusion.spec`.

    Attention-free, so there is nothing to patch for LoRA but the convolutions: `add_lora` takes an adapter for them."""

    config_name = "config.json"  # type: ignore[assignment]  # diffusers declares it None and wants it set

    @register_to_config  # type: ignore[untyped-decorator]  # diffusers has no types here
    def __init__(
        self,
        name: str = "S",
        s2d: int = 4,
        widths: tuple[int, int, int] = (64, 128, 256),
        blocks: tuple[int, int, int] = (1, 1, 1),
        control_width: int = 128,
        reference_width: int = 32,
        picture_channels: int = PICTURE_CHANNELS,
        control_length: int = CONTROL_LENGTH,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.spec = NetSpec(name, s2d, tuple(widths), tuple(blocks), control_width, reference_width)  # type: ignore[arg-type]
        first, second, third = widths
        self.reference = ReferenceEncoder(reference_width)
        self.condition_in = nn.Linear(control_length + 1, control_width)
        self.condition_out = nn.Linear(control_width, control_width)
        # space-to-depth and a 1 x 1 convolution, written as the one strided convolution that they are
        self.stem = nn.Conv2d(picture_channels, first, s2d, stride=s2d)
        self.down = nn.ModuleList(
            (nn.Conv2d(first, second, 3, stride=2, padding=1), nn.Conv2d(second, third, 3, stride=2, padding=1))
        )
        self.join = nn.Conv2d(reference_width, second, 1)
        self.enter = nn.ModuleList(Level(w, n, control_width) for w, n in zip(widths, blocks, strict=True))
        self.leave = nn.ModuleList(Level(w, n, control_width) for w, n in zip(widths[:2], blocks[:2], strict=True))
        self.up = nn.ModuleList((nn.Conv2d(second, first, 1), nn.Conv2d(third, second, 1)))
        self.head = nn.Conv2d(first, 3 * s2d * s2d, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]  # it has a bias

    @classmethod
    def of(cls, spec: NetSpec) -> "RoiDenoiser":
        """An untrained net of this size: its output is the base."""
        net: RoiDenoiser = cls(**asdict(spec))
        return net

    def encode_reference(self, picture: Tensor) -> Tensor:
        """Reference features of the crop at rest, (B, 3, H, W) -> (B, reference_width, H / 8, W / 8)."""
        features: Tensor = self.reference(picture)
        return features

    def forward(
        self,
        picture: Tensor,
        control: Tensor,
        level: Tensor,
        reference: Tensor | None,
        deep: Tensor | None = None,
        margin: Tensor | None = None,
    ) -> RoiOutput:
        """(B, C, H, W), (B, K), (B, 1), (B, R, H/8, W/8) -> image and deep features. With `deep` given, all but the
        first level is skipped and `reference` is not looked at. `margin` (1, 1, H, W) stands for `spec.window` where
        the size is not known yet."""
        if margin is None:
            margin = _window(picture.shape[3], picture.shape[2]).to(picture)
        condition = F.relu(self.condition_in(torch.cat([control, level], 1)))
        condition = F.relu(self.condition_out(condition))
        # at 1 / s2d: what was given
        fine = F.relu(self.stem(picture))
        fine = self.enter[0](fine, condition)
        # at 1 / 2 s2d and 1 / 4 s2d: what it means
        if deep is None:
            if reference is None:
                raise ValueError("reference features are needed where no deep features are given")
            deep = self._deep(fine, condition, reference)
        # at 1 / s2d again: what to change
        fine = F.relu(fine + _twice(self.up[0](deep)))
        fine = self.leave[0](fine, condition)
        delta = torch.tanh(F.pixel_shuffle(self.head(fine), self.spec.s2d))  # (B, 3, H, W)
        base = picture[:, _BASE]
        return RoiOutput(base + margin * delta, deep)

    def _deep(self, fine: Tensor, condition: Tensor, reference: Tensor) -> Tensor:
        middle = self.down[0](fine)
        known = self.join(reference)
        if self.spec.s2d * 2 < REFERENCE_STRIDE:
            known = _twice(known)
        middle = self.enter[1](F.relu(middle + known), condition)
        lowest = self.enter[2](F.relu(self.down[1](middle)), condition)
        middle = F.relu(middle + _twice(self.up[1](lowest)))
        deep: Tensor = self.leave[1](middle, condition)
        return deep


def _twice(x: Tensor) -> Tensor:
    """Every pixel four times."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


@lru_cache(maxsize=16)
def _window(width: int, height: int) -> Tensor:
    """(1, 1, H, W)."""
    # kept for later calls, which may want gradients though this one does not
    with torch.inference_mode(False):
        return torch.from_numpy(window(width, height))[None, None]
