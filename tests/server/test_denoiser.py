"""Weights that cannot be used are told where operators look, and nothing else changes."""

from pathlib import Path

import pytest

from models.diffusion.refiner_engine import FAILED, announced_engine
from models.diffusion.runtime.choose import gpu_present
from realtime.core.errors import ConfigError
from server import doctor
from server.config import Config
from server.denoising.compose import Denoising, compute_of
from tests.server.conftest import Bench


def test_doctor_names_the_file_and_a_remedy(tmp_path: Path) -> None:
    check = doctor.denoiser(Config(denoiser=str(tmp_path / "none")))
    assert check.result == "warning" and "model_card.json is missing" in check.detail and "denoiser" in check.remedy
    assert doctor.denoiser(Config(denoiser="off")).detail == "off"
    assert doctor.denoiser(Config()).result == "ok"


def test_a_runtime_that_was_chosen_serves() -> None:
    check = doctor.denoiser(Config(denoiser_precision="fp32", denoiser_device="cpu"))
    assert check.result == "ok" and "on onnx fp32 cpu" in check.detail


@pytest.mark.skipif(gpu_present(), reason="the GPU serves")
def test_a_choice_that_cannot_be_had_ends_the_start_and_fails_at_the_doctor() -> None:
    config = Config(denoiser_device="cuda")
    with pytest.raises(ConfigError, match="denoiser_device = 'cuda'"):
        Denoising(config.denoiser, compute_of(config))
    check = doctor.denoiser(config)
    assert check.result == "failure" and "CUDA" in check.detail and "--denoiser-device" in check.remedy


def test_a_choice_does_not_matter_where_nothing_is_repaired(tmp_path: Path) -> None:
    chosen = Config(denoiser="off", denoiser_device="tensorrt")
    Denoising(chosen.denoiser, compute_of(chosen)).close()
    missing = Denoising(str(tmp_path), compute_of(chosen))
    assert "model_card.json" in missing.notices()["denoiser"]
    missing.close()


def test_the_log_tells_it_as_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine, about = announced_engine(str(tmp_path))
    assert engine is None and about.startswith(FAILED)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_readyz_tells_it_and_stays_ready(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "notices" not in (await bench.call("GET", "/readyz"))[1]
    monkeypatch.setattr(bench.services, "notices", lambda: {"denoiser": "cannot be used: no card"})
    status, answer = await bench.call("GET", "/readyz")
    assert status == 200 and answer["ready"] and answer["notices"] == {"denoiser": "cannot be used: no card"}
