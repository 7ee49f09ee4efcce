"""The stages of a training: each turns a batch into gradients and says what it found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from models.diffusion.net import RoiDenoiser
from models.diffusion.spec import STEPS
from models.diffusion.train.batches import Batch, warp
from models.diffusion.train.losses import (
    charbonnier,
    dissimilarity,
    feature_l1,
    focal_frequency,
    laplacian_l1,
    temporal,
)
from models.diffusion.train.parts import PartNet, PatchDiscriminator, part_loss
from models.diffusion.train.rollout import Previous, carried, evaluate, no_previous

PYRAMID: Final = 0.10
FREQUENCY: Final = 1.0
FEATURES: Final = 0.02
TEMPORAL: Final = 0.5
WITH_PREVIOUS: Final = 0.5
"""Share of the samples of the flow stage that see a previous output."""
COLD_AGAIN: Final = 0.15
"""How often a rollout starts anew in the middle, as the stream does at a closure of the mouth."""


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Everything that is trained beside the net, or frozen, to judge it."""

    parts: PartNet
    discriminator: PatchDiscriminator
    teacher: RoiDenoiser | None = None
    similarity: float = 0.0
    """Weight of 1 - SSIM."""

    def of(self, output: Tensor, batch: Batch, index: int) -> Tensor:
        """The loss of an output against the truth, which fades into the base as the output does: a net that were held
        against the whole truth would draw a ring where it reaches less and less."""
        base = batch.base[index]
        truth = base + (batch.truth[index] - base) * batch.reach[index]
        total = charbonnier(output, truth, batch.interior[index])
        total = total + PYRAMID * laplacian_l1(output, truth) + FREQUENCY * focal_frequency(output, truth)
        if self.similarity > 0:
            total = total + self.similarity * dissimilarity(output, truth)
        with torch.no_grad():
            wanted = self.parts.features(truth)
        return total + FEATURES * feature_l1(self.parts.features(output), wanted)


def parts_step(judge: Judge, batch: Batch) -> Mapping[str, float]:
    """The part net on the free labels, of true and of warped pictures."""
    loss = part_loss(judge.parts, batch.truth[0], batch.labels[0])
    loss.backward()  # type: ignore[no-untyped-call]
    return {"loss": loss.item()}


def flow_step(
    net: RoiDenoiser, judge: Judge, batch: Batch, generator: torch.Generator, noisy: bool, anew: float = 0.0
) -> Mapping[str, float]:
    """A: x0 from a random place on the straight line (rectified flow), on the second of two frames; a share `anew` of
    the samples from its far end, with nothing before. Without `noisy`, the regressor's step on the same data."""
    previous = _mixed_previous(batch, generator)
    truth = batch.truth[1]
    count = len(truth)
    level = torch.rand((count, 1), generator=generator) * 0.75 + 0.25
    fixed = torch.tensor(STEPS)[torch.randint(len(STEPS), (count, 1), generator=generator)]
    level = torch.where(torch.rand((count, 1), generator=generator) < 0.5, fixed, level)
    if anew > 0:
        begun, nothing = torch.rand((count, 1), generator=generator) < anew, no_previous(batch, 1)
        level, where = torch.where(begun, 1.0, level), begun[:, :, None, None].to(truth.device)
        previous = Previous(
            torch.where(where, nothing.picture, previous.picture), torch.where(where, nothing.valid, previous.valid)
        )
    noise = torch.randn(truth.shape, generator=generator).to(truth) if noisy else None
    level = level.to(truth) if noisy else torch.ones_like(level).to(truth)
    reference = net.encode_reference(batch.reference)
    output = evaluate(net, batch, 1, reference, previous, truth, level, noise)
    loss = judge.of(output, batch, 1)
    if judge.teacher is not None:
        with torch.no_grad():
            known = judge.teacher.encode_reference(batch.reference)
            better = evaluate(judge.teacher, batch, 1, known, previous, truth, level, noise)
        loss = loss + charbonnier(output, better, batch.interior[1])
    loss.backward()  # type: ignore[no-untyped-call]
    return {"loss": loss.item(), "error": _error(output, batch, 1), "base": _error(batch.base[1], batch, 1)}


def consistency_step(
    net: RoiDenoiser, judge: Judge, batch: Batch, generator: torch.Generator, noisy: bool, adversarial: float
) -> Mapping[str, float]:
    """B: a self-rollout over all frames with the levels that the stream uses, each step judged against the truth, and
    in time. What one step hands on to the next carries no gradient, so memory does not grow with the rollout."""
    shape = batch.truth[0].shape
    noise = torch.randn(shape, generator=generator).to(batch.truth) if noisy else None
    output: Tensor | None = None
    found: dict[str, float] = {"loss": 0.0, "error": 0.0, "base": 0.0, "temporal": 0.0, "adversarial": 0.0}
    frames = len(batch.truth)
    for index in range(frames):
        again = output is None or float(torch.rand((), generator=generator)) < COLD_AGAIN
        previous = no_previous(batch, index) if again or output is None else carried(batch, index, output)
        two = float(torch.rand((), generator=generator)) < 0.5
        levels = _levels(again, two) if noisy else (1.0,)
        guess = previous.picture
        for place, value in enumerate(levels):
            level = torch.full_like(guess[:, 0, :1, 0], value)
            reference = net.encode_reference(batch.reference)
            estimate = evaluate(net, batch, index, reference, previous, guess, level, noise)
            loss = judge.of(estimate, batch, index)
            if index > 0 and output is not None and place == len(levels) - 1:
                change = temporal(
                    estimate - warp(output, batch.flow[index]),
                    batch.truth[index] - warp(batch.truth[index - 1], batch.flow[index]),
                    batch.flow_valid[index],
                )
                loss = loss + TEMPORAL * change
                found["temporal"] += change.item() / frames
            if adversarial > 0:
                against, learning = _adversarial(judge, estimate, batch.truth[index])
                loss = loss + adversarial * against
                found["adversarial"] += learning / frames / len(levels)
            (loss / frames / len(levels)).backward()  # type: ignore[no-untyped-call]
            found["loss"] += loss.item() / frames / len(levels)
            guess = estimate.detach()
        output = guess
        found["error"] += _error(output, batch, index) / frames
        found["base"] += _error(batch.base[index], batch, index) / frames
    return found


def _levels(cold: bool, two: bool) -> tuple[float, ...]:
    if cold:
        return (STEPS[2], STEPS[1]) if two else (STEPS[2],)
    return (STEPS[1], STEPS[0]) if two else (STEPS[0],)


def _mixed_previous(batch: Batch, generator: torch.Generator) -> Previous:
    """For some samples a previous output such as a half-trained net gives, for the others none."""
    truth, base = batch.truth[0], batch.base[0]
    count = len(truth)
    share = (1 - torch.rand((count, 1, 1, 1), generator=generator) * 0.5).to(truth)
    known = carried(batch, 1, base + (truth - base) * share * batch.reach[0])
    nothing = no_previous(batch, 1)
    has = (torch.rand((count, 1, 1, 1), generator=generator) < WITH_PREVIOUS).to(truth.device)
    return Previous(torch.where(has, known.picture, nothing.picture), torch.where(has, known.valid, nothing.valid))


def _adversarial(judge: Judge, output: Tensor, truth: Tensor) -> tuple[Tensor, float]:
    """The net's hinge term; the discriminator's own hinge loss is put into its gradients on the way."""
    with torch.no_grad():
        real, fake = judge.parts.features(truth), judge.parts.features(output)
    scores = zip(judge.discriminator(real), judge.discriminator(fake), strict=True)
    own = torch.stack([F.relu(1 - a).mean() + F.relu(1 + b).mean() for a, b in scores]).mean()
    own.backward()  # type: ignore[no-untyped-call]
    for parameter in judge.discriminator.parameters():
        parameter.requires_grad_(False)
    against = -torch.stack([score.mean() for score in judge.discriminator(judge.parts.features(output))]).mean()
    for parameter in judge.discriminator.parameters():
        parameter.requires_grad_(True)
    return against, own.item()


def _error(output: Tensor, batch: Batch, index: int) -> float:
    """Mean squared error, for the curves."""
    return F.mse_loss(output.detach(), batch.truth[index]).item()
