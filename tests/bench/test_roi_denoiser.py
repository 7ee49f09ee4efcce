"""The denoiser's bench: keys as published, and a machine without a GPU is told so."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.roi_denoiser import GOALS, QUALITY, bits, control_quality, judged_crops, quality, random_weights, speed
from bench.roi_denoiser_gpu import measure_gpu, roofline_ms
from models.diffusion.data.cache import ClipCache
from models.diffusion.runtime.choose import gpu_present
from models.diffusion.runtime.weights import Weights
from models.diffusion.spec import SIZES
from tests.models.diffusion.fake_source import FakeSource
from tests.models.diffusion.test_net import TINY


def test_keys_of_the_speeds_are_published_ones(tmp_path: Path) -> None:
    weights = random_weights(TINY, tmp_path / "tiny")
    found = speed(weights, 3) | bits(weights, 3)
    assert {"int8_mouth_eyes_ms_p50", "fp32_full_ms_p95", "mouth_speedup", "face_speedup"} <= found.keys()
    assert {goal.key for goal in GOALS[:3]} <= found.keys()
    assert found["torch_nf4_mib"] < found["torch_fp32_mib"] and found["nf4_against_fp32_db"] > 25


def test_the_roofline_rises_with_the_net() -> None:
    assert 0.5 < roofline_ms(SIZES["S"]) < roofline_ms(SIZES["M"]) < 20


@pytest.mark.skipif(gpu_present(), reason="takes the GPU")
def test_without_a_device_only_the_roofline_is_worked_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = measure_gpu(1)
    assert found["gpu"] == "none" and found["t4_roofline_m_ms"] > 0
    assert "no CUDA device" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("improves", "crops"),
    [
        ({"portrait": {"mouth": {"psnr_gain_db": 5.2}}}, ("mouth",)),
        ({"portrait": {"eyes": {}}, "illustrated": ["mouth"]}, ("mouth", "eyes")),
        ({"portrait": {}}, ("mouth", "eyes")),
    ],
)
def test_only_crops_that_the_card_names_are_judged(tmp_path: Path, improves: object, crops: tuple[str, ...]) -> None:
    assert judged_crops(Weights(tmp_path, {"improves": improves}, TINY)) == crops


def test_eyes_that_are_not_used_count_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = random_weights(TINY, tmp_path / "tiny", int8=False)
    weights = replace(made, card=dict(made.card) | {"improves": {"portrait": {"mouth": {}}}, "steps_that_pay": 1})
    monkeypatch.setattr("bench.roi_denoiser.source_named", lambda name: FakeSource())
    monkeypatch.setattr("bench.roi_denoiser.DRIFT_ROUNDS", 2)
    found = quality(weights, ClipCache(tmp_path / "clips", 2**28), "fake", 1)
    assert found["judged"] == "mouth" and list(found["crops"]) == ["mouth"]
    assert found["psnr_db"] == found["crops"]["mouth"]["psnr_db"]
    assert found["steps"] == 1 and set(QUALITY) <= found.keys() and found["landmark_nme"] is None


def test_a_control_that_is_missing_is_null_with_the_reason(tmp_path: Path) -> None:
    found = control_quality("", ClipCache(tmp_path, 2**20), "fake", 1)
    assert "no control" in found["regressor"]
    assert {name: found[f"regressor_{name}"] for name in QUALITY} == dict.fromkeys(QUALITY)
