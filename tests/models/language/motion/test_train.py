"""The training script: a short run learns, and the same seed gives the same weights."""

import numpy as np
import pytest

from models.language.motion.calibration import fit_odds
from models.language.motion.descriptions import described
from models.language.motion.model import MotionModel
from models.language.motion.report import report
from realtime.core.clips import BUILT_IN

pytest.importorskip("torch")


@pytest.mark.slow
def test_a_short_training_learns_and_repeats_itself() -> None:
    from models.language.motion.train import trained

    samples = described("train")
    first, second = (trained(samples, BUILT_IN, 5, 60) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    first["odds"] = fit_odds(MotionModel(first), described("validation"))
    assert report(MotionModel(first), described("validation"))["model"]["at_1"] > 0.5
