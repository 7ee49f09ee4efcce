"""Measures of quality, on pictures whose quality is known."""

import numpy as np
import pytest

from models.diffusion.data.sample import PARTS
from models.diffusion.metrics import normalised_error, part_landmarks, psnr_db, seam, ssim


def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    rng = np.random.default_rng(3)
    coarse = rng.integers(40, 200, (12, 16, 3))
    return np.repeat(np.repeat(coarse, 4, 0), 4, 1).astype(np.uint8)


def test_psnr_of_a_known_error() -> None:
    truth = picture()
    assert psnr_db(truth + np.uint8(10), truth) == pytest.approx(28.13, abs=0.01)
    assert psnr_db(truth, truth) == 99.0


def test_psnr_inside_a_mask_looks_nowhere_else() -> None:
    truth = picture()
    other = truth.copy()
    other[:, :32] += 30
    mask = np.zeros(truth.shape[:2], np.uint8)
    mask[:, 40:] = 255
    assert psnr_db(other, truth, mask) == 99.0
    assert psnr_db(other, truth) < 25


def test_ssim_falls_with_noise() -> None:
    truth = picture()
    noise = np.random.default_rng(1).normal(0, 25, truth.shape)
    assert ssim(truth, truth) == pytest.approx(1.0)
    assert ssim(np.clip(truth + noise, 0, 255).astype(np.uint8), truth) < 0.9


def test_a_seam_shows_as_a_number_above_one() -> None:
    base = picture()
    inside = base.copy()
    inside[8:-8, 8:-8] = 0
    assert seam(inside, base) == pytest.approx(1.0)
    pasted = base.copy()
    pasted[1:-1, 1:-1] += 40
    assert seam(pasted, base) > 1.5


def test_landmarks_follow_a_part_that_moves() -> None:
    def labels(shift: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        found = np.full((48, 64), PARTS.index("skin"))
        found[20:30, 20 + shift : 44 + shift] = PARTS.index("cavity")
        return found

    still = normalised_error(part_landmarks(labels(0)), part_landmarks(labels(0)), 40.0)
    moved = normalised_error(part_landmarks(labels(4)), part_landmarks(labels(0)), 40.0)
    assert still == 0.0
    assert 0.02 < moved < 0.2
    gone = normalised_error(part_landmarks(np.full((48, 64), PARTS.index("skin"))), part_landmarks(labels(0)), 40.0)
    assert gone == pytest.approx(0.1)
