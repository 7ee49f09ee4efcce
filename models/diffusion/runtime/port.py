"""The port behind which the denoiser is computed: jobs of one crop each, evaluated alone or several at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Precision = Literal["fp32", "fp16", "int8", "nf4"]

BATCHES: Final = (1, 2, 4, 8)
"""Batch sizes that a GPU is prepared for; what lies between is filled up."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One evaluation of the net for one crop; arrays as `models.diffusion.spec` describes them, without their batch."""

    picture: Floats
    """(PICTURE_CHANNELS, H, W)"""
    control: Floats
    """(CONTROL_LENGTH,)"""
    level: float
    reference: Floats
    """(reference_width, H / 8, W / 8)"""
    deep: Floats | None = None
    """Deep features of an earlier evaluation, for a shallow refresh."""

    @property
    def kind(self) -> tuple[int, int, bool]:
        """Jobs of one kind can be evaluated at once: height, width, whether shallow."""
        _, height, width = self.picture.shape
        return height, width, self.deep is not None


class Estimate(NamedTuple):
    """What one evaluation gives."""

    image: Floats
    """(3, H, W): the estimate of the truth."""
    deep: Floats
    """Deep features; those that were given, in a shallow refresh."""


class RoiRuntime(Protocol):
    """Computes the net on one device. Calls come from one thread at a time unless an implementation says otherwise."""

    @property
    def name(self) -> str:
        """Such as `onnx int8 cpu`."""
        ...

    @property
    def most(self) -> int:
        """The largest batch that is worth collecting; 1 where batches only add up."""
        ...

    def encode_reference(self, rest: Floats) -> Floats:
        """Reference features of a crop at rest, (3, H, W) in -1..1."""
        ...

    def evaluate(self, jobs: Sequence[Job]) -> list[Estimate]:
        """Evaluate jobs, in their order. Raises `UpstreamError` where the device or the graph fails."""
        ...

    def close(self) -> None:
        """Release the device's memory and threads."""
        ...


def batches(jobs: Sequence[Job], most: int) -> list[list[int]]:
    """Positions of the jobs by kind, at most so many at once; every position once."""
    kinds: dict[tuple[int, int, bool], list[int]] = {}
    for index, job in enumerate(jobs):
        kinds.setdefault(job.kind, []).append(index)
    return [same[i : i + most] for same in kinds.values() for i in range(0, len(same), most)]


def stacked(jobs: Sequence[Job]) -> tuple[Floats, Floats, Floats, Floats]:
    """Picture, control, level, and deep or reference features of jobs of one kind, each with its batch."""
    if len(jobs) == 1:  # a picture is megabytes: one alone is not copied
        (job,) = jobs
        known = job.reference if job.deep is None else job.deep
        return job.picture[None], job.control[None], np.array([[job.level]], np.float32), known[None]
    picture = np.stack([job.picture for job in jobs])
    control = np.stack([job.control for job in jobs])
    level = np.array([[job.level] for job in jobs], np.float32)
    known = np.stack([job.reference if job.deep is None else job.deep for job in jobs])
    return picture, control, level, known
