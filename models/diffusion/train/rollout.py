"""One evaluation of the net on a batch's frame, and runs of them over a clip as the stream would make them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.diffusion.net import RoiDenoiser
from models.diffusion.spec import NOISE_SCALE
from models.diffusion.train.batches import Batch, warp


@dataclass(frozen=True, slots=True, eq=False)
class Previous:
    """What a frame knows of the one before it, warped to itself."""

    picture: Tensor
    """(B, 3, H, W): the last output where it is known, else the base."""
    valid: Tensor
    """(B, 1, H, W)"""


def no_previous(batch: Batch, index: int) -> Previous:
    """A frame with nothing before it."""
    base = batch.base[index]
    return Previous(base, torch.zeros_like(base[:, :1]))


def carried(batch: Batch, index: int, output: Tensor) -> Previous:
    """The output for frame `index - 1`, warped to frame `index`; the base where the flow does not hold."""
    valid = batch.flow_valid[index]
    return Previous(torch.where(valid > 0.5, warp(output, batch.flow[index]), batch.base[index]), valid)


def evaluate(
    net: RoiDenoiser, batch: Batch, index: int, reference: Tensor, previous: Previous, guess: Tensor, level: Tensor,
    noise: Tensor | None,
) -> Tensor:  # fmt: skip
    """The estimate of the truth, (B, 3, H, W), the base beyond the stream's reach: what a net would add there is never
    shown. `level` (B, 1); without noise the regressor is asked, which sees the base."""
    base = batch.base[index]
    t = level[:, :, None, None]
    noisy = base if noise is None else (1 - t) * guess + t * (base + NOISE_SCALE * noise)
    picture = torch.cat(
        [noisy, base, previous.picture, previous.valid, batch.fields[index], batch.place], 1
    )  # the order of spec.PICTURE
    image: Tensor = net(picture, batch.control[index], level, reference).image
    return base + (image - base) * batch.reach[index]


def run(
    net: RoiDenoiser, batch: Batch, noise: Tensor | None, cold: Sequence[float], warm: Sequence[float]
) -> Iterator[Tensor]:
    """Outputs of all frames in order, each taking over the last: levels `cold` for the first frame and `warm` for the
    others. With `noise` None the regressor's one step is made instead."""
    reference = net.encode_reference(batch.reference)
    output: Tensor | None = None
    for index in range(len(batch.truth)):
        previous = no_previous(batch, index) if output is None else carried(batch, index, output)
        levels = (1.0,) if noise is None else cold if output is None else warm
        guess = previous.picture
        for level in levels:
            at = torch.full_like(guess[:, 0, :1, 0], level)
            guess = evaluate(net, batch, index, reference, previous, guess, at, noise)
        output = guess
        yield output
