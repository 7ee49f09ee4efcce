"""What bounds the denoiser's SSIM: the parts of the loss, on clips whose faults are known."""

from dataclasses import replace

import numpy as np
import pytest

from bench.roi_denoiser_ceiling import Frame, beyond, by_turn, compared, laid, means, moved, places, regions
from models.diffusion.data.sample import PARTS, RoiSample, Split
from models.diffusion.metrics import MARGIN_PX, ssim
from models.diffusion.spec import CONTROL
from realtime.core.facs import MAX_DEG
from tests.models.diffusion.fake_source import FakeSource


@pytest.fixture(scope="module")
def sample() -> RoiSample:
    return FakeSource().clip(1, "mouth", 1, Split.HELD_OUT).samples[0]


def frame_of(sample: RoiSample) -> Frame:
    pictures = {"net": sample.base, "truth": sample.truth, "quiet": sample.truth}
    return Frame(0, sample, *compared(sample, pictures, sample.base))


def test_the_truth_as_an_answer_is_the_ceiling(sample: RoiSample) -> None:
    figures = frame_of(sample).figures
    assert figures["ssim"] == figures["ssim_base"] < figures["ssim_ceiling"] == figures["ssim_ceiling_foreseeable"]
    assert figures["ssim_ceiling"] <= figures["ssim_noise"] == 1.0
    assert ssim(laid(sample, sample.truth), sample.truth) == figures["ssim_ceiling"]


def test_noise_in_the_truth_lowers_what_can_be_foreseen(sample: RoiSample) -> None:
    noise = np.random.default_rng(2).normal(0, 6, sample.truth.shape)
    noisy = replace(sample, truth=np.clip(sample.truth + noise, 0, 255).astype(np.uint8))
    pictures = {"net": noisy.base, "truth": noisy.truth, "quiet": sample.truth}
    figures, maps = compared(noisy, pictures, sample.base)
    assert figures["ssim_ceiling_foreseeable"] < figures["ssim_ceiling"] < 1
    assert figures["ssim_noise_free"] > figures["ssim"]
    assert maps["ceiling"].shape == (96 - 2 * MARGIN_PX, 128 - 2 * MARGIN_PX)


def test_regions_share_out_all_pixels_and_all_loss(sample: RoiSample) -> None:
    frames = [frame_of(sample)]
    where = places(sample)
    assert np.sum([one.astype(int) for one in where.values()], 0).max() == 1, "no pixel counts twice"
    found = regions(frames)
    assert sum(one["share"] for one in found.values()) == pytest.approx(1, abs=1e-3)
    assert sum(one["share_of_loss"] for one in found.values()) == pytest.approx(1, abs=1e-3)
    assert PARTS[int(sample.labels.max())] == "cavity" and found["mouth"]["share_of_loss"] > 0.3


def test_skin_that_lies_elsewhere_is_found(sample: RoiSample) -> None:
    rng = np.random.default_rng(5)
    coarse = rng.integers(60, 200, (14, 18, 3)).astype(np.uint8)
    truth = np.repeat(np.repeat(coarse, 8, 0), 8, 1)[:96, :128]
    shifted = replace(sample, base=np.roll(truth, 2, 1), fields=np.zeros_like(sample.fields))
    aligned, flow = moved(shifted.base, truth)
    assert np.median(flow[20:-20, 20:-20, 0]) == pytest.approx(2, abs=0.3)
    found = beyond(shifted, truth)
    assert found["ssim_beyond_aligned"] > found["ssim_beyond"] + 0.1 and found["misplaced_px"] > 1
    assert ssim(aligned, truth) > ssim(shifted.base, truth)


def test_figures_are_split_by_how_far_the_head_is_turned(sample: RoiSample) -> None:
    frames = []
    for turn_deg in (0.0, 5.0, 15.0):
        control = sample.control.copy()
        control[CONTROL.index("yaw")] = turn_deg / MAX_DEG
        frames.append(frame_of(replace(sample, control=control)))
    found = by_turn(frames)
    assert {name: one["frames"] for name, one in found.items()} == {"below_4_deg": 1, "below_8_deg": 1, "more": 1}
    assert found["more"]["ssim"] == means([frames[2].figures])["ssim"]
