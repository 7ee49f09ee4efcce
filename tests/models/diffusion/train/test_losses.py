"""Losses, against figures that are known otherwise."""

import cv2
import numpy as np
import pytest
import torch

from models.diffusion import metrics
from models.diffusion.spec import to_unit
from models.diffusion.train.losses import dissimilarity


def test_dissimilarity_is_what_the_metric_counts_and_has_a_slope() -> None:
    rng = np.random.default_rng(0)
    truth = np.asarray(cv2.GaussianBlur(rng.integers(0, 255, (48, 64, 3)).astype(np.uint8), (0, 0), 2.0), np.uint8)
    picture = np.clip(truth + rng.normal(0, 8, truth.shape), 0, 255).astype(np.uint8)
    made, true = (torch.from_numpy(to_unit(one))[None] for one in (picture, truth))
    made.requires_grad_(True)
    lost = dissimilarity(made, true)
    assert lost.item() == pytest.approx(1 - metrics.ssim(picture, truth), abs=1e-3)
    lost.backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None and float(made.grad.abs().max()) > 0
    assert dissimilarity(true, true).item() == pytest.approx(0, abs=1e-6)
