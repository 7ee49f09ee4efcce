"""The way from noise to picture: pure functions of numpy arrays, for whatever computes the net.

One flow x_t = (1 - t) x0 + t z with z = base + NOISE_SCALE * noise (`spec.NOISE_SCALE`). The net predicts x0; a
consistency step jumps to x0 and goes back onto the line at the next t with the same noise (Song et al., "Consistency
models", 2023, algorithm 1, with the session's noise instead of fresh noise, so that the same input gives the same
picture)."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.diffusion.spec import NOISE_SCALE, STEPS

Floats = NDArray[np.float32]

COLD: Final[dict[int, tuple[float, ...]]] = {1: (STEPS[2],), 2: (STEPS[2], STEPS[1])}
"""Levels by number of steps when nothing can be taken over from the last output."""
WARM: Final[dict[int, tuple[float, ...]]] = {1: (STEPS[0],), 2: (STEPS[1], STEPS[0])}
"""Levels when the last output, warped, is a good guess already."""

ANEW: Final = frozenset({"mouth"})
"""Crops whose every frame begins from nothing, and whose net is shown no last output. Teeth come and go behind lips
faster than the skin's points can tell, and what is carried along is seen as ghosts of teeth on lips that close."""


class Estimate(Protocol):
    """The net: x_t (3, H, W) and t give an estimate of x0."""

    def __call__(self, noisy: Floats, level: float) -> Floats: ...


def session_noise(seed: int, width: int, height: int) -> Floats:
    """The noise of one session and crop, (3, height, width): fixed, so that what does not change does not flicker."""
    return np.random.default_rng(seed).standard_normal((3, height, width)).astype(np.float32)


def noisy(guess: Floats, base: Floats, noise: Floats, level: float) -> Floats:
    """x_t on the line from a guess of x0 to the noisy base, all (..., 3, H, W) in -1..1."""
    return np.asarray((1.0 - level) * guess + level * (base + NOISE_SCALE * noise), np.float32)


def denoise(estimate: Estimate, base: Floats, noise: Floats, guess: Floats | None, steps: int) -> Iterator[Floats]:
    """Estimates of x0, one per step, each a valid picture and none worse to show than the one before; the caller may
    stop after any. `guess` is the last output warped to this frame, or None to begin from nothing. Raises `KeyError`
    for a number of steps other than 1 or 2."""
    levels: Sequence[float] = (COLD if guess is None else WARM)[steps]
    x0 = base if guess is None else guess
    for level in levels:
        x0 = estimate(noisy(x0, base, noise, level), level)
        yield x0
