"""The comparison of denoiser and control: fair, and told clip by clip."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench import roi_denoiser_control as control
from models.diffusion.data.sample import Split
from models.diffusion.net import RoiDenoiser
from realtime.core.errors import ConfigError
from tests.models.diffusion.fake_source import FakeSource
from tests.models.diffusion.test_net import TINY

CLIPS = [FakeSource().clip(seed, "mouth", 2, Split.HELD_OUT) for seed in range(2)]


def test_two_nets_are_held_against_the_same_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = RoiDenoiser.of(TINY)
    net.save_pretrained(tmp_path / "net")
    monkeypatch.setattr(control, "source_named", lambda name: FakeSource())
    place = str(tmp_path / "net")
    found = control.measure(2, place, place, "", "fake")
    assert found["denoiser_psnr_gain_db"] == found["regressor_psnr_gain_db"] == 0, "an untrained head changes nothing"
    assert found["regressor_ahead_db"] == found["regressor_ahead_se_db"] == found["regressor_ahead_clips"] == 0


def test_the_better_net_is_ahead_by_what_it_gains() -> None:
    (worse,) = control.by_clip(RoiDenoiser.of(TINY), "flow", CLIPS[:1])
    better = replace(worse, psnr_db=worse.psnr_db + 2, ssim=worse.ssim + 0.1)
    found = control.ahead([worse, worse], [better, replace(worse, psnr_db=worse.psnr_db + 1)])
    assert found["regressor_ahead_db"] == pytest.approx(1.5) and found["regressor_ahead_clips"] == 1
    assert found["regressor_ahead_se_db"] == pytest.approx(0.5) and found["regressor_ahead_ssim"] == pytest.approx(0.05)


def test_a_missing_net_is_named() -> None:
    with pytest.raises(ConfigError, match="regressor: none named"):
        control.net_in("", "regressor")
