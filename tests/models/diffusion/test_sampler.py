"""The way from noise to picture."""

import numpy as np
import pytest

from models.diffusion.sampler import COLD, WARM, Floats, denoise, noisy, session_noise
from models.diffusion.spec import NOISE_SCALE, STEPS

SHAPE = (3, 8, 16)


def pictures() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(2)
    truth, base = (rng.uniform(-1, 1, SHAPE).astype(np.float32) for _ in range(2))
    return truth, base


def test_the_line_runs_from_the_guess_to_the_noisy_base() -> None:
    truth, base = pictures()
    noise = session_noise(1, 16, 8)
    assert np.array_equal(noisy(truth, base, noise, 0.0), truth)
    assert np.allclose(noisy(truth, base, noise, 1.0), base + NOISE_SCALE * noise)


def test_a_sessions_noise_is_always_the_same() -> None:
    assert np.array_equal(session_noise(7, 16, 8), session_noise(7, 16, 8))
    assert not np.array_equal(session_noise(7, 16, 8), session_noise(8, 16, 8))


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("warm", [False, True])
def test_a_perfect_estimate_arrives_in_every_step(steps: int, warm: bool) -> None:
    truth, base = pictures()
    levels = []

    def estimate(noisy: Floats, level: float) -> Floats:
        levels.append(level)
        return truth

    found = list(denoise(estimate, base, session_noise(1, 16, 8), truth if warm else None, steps))
    assert len(found) == steps
    assert all(np.array_equal(one, truth) for one in found)
    assert tuple(levels) == (WARM if warm else COLD)[steps]
    assert set(levels) <= set(STEPS)


def test_a_caller_may_stop_after_any_step() -> None:
    truth, base = pictures()
    asked = []

    def estimate(noisy: Floats, level: float) -> Floats:
        asked.append(level)
        return truth

    next(denoise(estimate, base, session_noise(1, 16, 8), None, 2))
    assert asked == [1.0]


def test_a_cold_first_step_does_not_depend_on_a_guess() -> None:
    truth, base = pictures()
    seen = []

    def estimate(noisy: Floats, level: float) -> Floats:
        seen.append(noisy)
        return truth

    list(denoise(estimate, base, session_noise(1, 16, 8), None, 1))
    assert np.allclose(seen[0], base + NOISE_SCALE * session_noise(1, 16, 8))
