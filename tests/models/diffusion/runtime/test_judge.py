"""The judge: what a card says follows from held-out clips, as the runtimes compute them."""

from pathlib import Path

import numpy as np

from models.diffusion.data.sample import Split
from models.diffusion.runtime.choose import open_onnx
from models.diffusion.runtime.judge import drift_db_per_min, figures, rollout, verdict
from models.diffusion.runtime.weights import Weights
from models.diffusion.spec import to_unit
from tests.models.diffusion.fake_source import FakeSource

CLIPS = [FakeSource().clip(seed, "mouth", 3, Split.HELD_OUT) for seed in range(2)]


def test_the_truth_gains_and_the_base_gains_nothing() -> None:
    perfect = figures(CLIPS, [[to_unit(sample.truth) for sample in clip.samples] for clip in CLIPS])
    assert perfect.psnr_db == 99 and perfect.psnr_gain_db > 50 and perfect.flicker < 1
    assert perfect.ssim == perfect.ssim_reached == perfect.ssim_unreached == 1
    assert perfect.ssim_reached_gain > 0.1 and perfect.ssim_ceiling < 1, "what stays of the base is not to be mended"
    nothing = figures(CLIPS, [[to_unit(sample.base) for sample in clip.samples] for clip in CLIPS])
    assert nothing.psnr_gain_db == nothing.ssim_gain == nothing.interior_gain_db == 0 and nothing.seam == 1
    assert nothing.ssim_reached_gain == 0 and nothing.ssim < nothing.ssim_ceiling == perfect.ssim_ceiling
    there = nothing.ssim_reached, nothing.ssim_unreached
    assert min(there) < nothing.ssim < max(there)


def test_an_untrained_net_improves_nothing_and_its_card_says_so(place: Path) -> None:
    found = verdict(place, {"portrait": {"mouth": CLIPS, "eyes": [FakeSource().clip(1, "eyes", 2, Split.HELD_OUT)]}})
    assert found["improves"] == {"portrait": {}}
    judged = found["judged"]
    assert isinstance(judged, dict) and set(judged["portrait"]) == {"mouth_1", "mouth_2", "eyes_1", "eyes_2"}
    assert isinstance(found["int8_loss_db"], float) and found["int8_loss_db"] < 1
    assert found["steps_that_pay"] == 2, "nothing pays, so nothing is said of the second step"


def test_rollouts_stay_at_the_base_far_from_the_face(weights: Weights) -> None:
    made = rollout(open_onnx(weights, "fp32", "cpu"), "flow", CLIPS[0], 2)
    assert len(made) == 3
    assert np.array_equal(made[2][:, :, :8], to_unit(CLIPS[0].samples[2].base)[:, :, :8])


def test_a_still_net_does_not_drift(weights: Weights) -> None:
    exact = open_onnx(weights, "fp32", "cpu")
    assert abs(drift_db_per_min(exact, "regressor", CLIPS[0], 3)) < 60
