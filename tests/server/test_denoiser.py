"""Weights that cannot be used are told where operators look, and nothing else changes."""

from pathlib import Path

import pytest

from models.diffusion.refiner_engine import FAILED, announced_engine
from server import doctor
from server.config import Config
from tests.server.conftest import Bench


def test_doctor_names_the_file_and_a_remedy(tmp_path: Path) -> None:
    check = doctor.denoiser(Config(denoiser=str(tmp_path / "none")))
    assert check.result == "warning" and "model_card.json is missing" in check.detail and "denoiser" in check.remedy
    assert doctor.denoiser(Config(denoiser="off")).detail == "off"
    assert doctor.denoiser(Config()).result == "ok"


def test_the_log_tells_it_as_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine, about = announced_engine(str(tmp_path))
    assert engine is None and about.startswith(FAILED)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_readyz_tells_it_and_stays_ready(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "notices" not in (await bench.call("GET", "/readyz"))[1]
    monkeypatch.setattr(bench.services, "notices", lambda: {"denoiser": "cannot be used: no card"})
    status, answer = await bench.call("GET", "/readyz")
    assert status == 200 and answer["ready"] and answer["notices"] == {"denoiser": "cannot be used: no card"}
