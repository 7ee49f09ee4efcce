"""Trainings in legs: every stage runs, a leg goes on where the last one ended, and learning shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from models.diffusion.data.cache import ClipCache
from models.diffusion.net import RoiDenoiser
from models.diffusion.spec import SIZES, NetSpec
from models.diffusion.train import legs
from models.diffusion.train.batches import Batches, warp
from models.diffusion.train.config import StageConfig, TrainConfig
from models.diffusion.train.evaluate import evaluate_net, held_out
from models.diffusion.train.legs import leg
from models.diffusion.train.quantised import quantised
from models.diffusion.train.state import load_state
from realtime.core.errors import ConfigError
from tests.models.diffusion.fake_source import FakeSource

TINY = NetSpec("S", 4, (16, 24, 32), (1, 1, 1), control_width=16, reference_width=8)
STAGES = (
    StageConfig("parts", 2, 1e-3),
    StageConfig("flow", 3, 1e-3),
    StageConfig("flow", 2, 1e-3, similarity=0.5, anew=0.5),
    StageConfig("consistency", 2, 1e-3, adversarial=0.01),
    StageConfig("quantise", 2, 1e-4),
)


@contextmanager
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(legs, "sources_of", lambda _config: [FakeSource()])
    monkeypatch.setattr("models.diffusion.train.state.SIZES", {**SIZES, "S": TINY})
    with one_thread():
        yield


def config(stages: tuple[StageConfig, ...] = STAGES, objective: str = "flow") -> TrainConfig:
    return TrainConfig(
        objective=objective, batch=2, frames=3, rollout=2, pool=4, average=0.5, stages=stages,
        clips={"mouth": 4, "eyes": 4}, held_out={"mouth": 2}, shares={"mouth": 0.5, "eyes": 0.5},
    )  # fmt: skip


@pytest.mark.parametrize("objective", ["flow", "regressor"])
def test_all_stages_run_and_leave_weights_and_curves(tmp_path: Path, objective: str) -> None:
    assert leg(config(objective=objective), tmp_path / "run", tmp_path / "cache", 120.0, lambda _line: None)
    assert (tmp_path / "run" / "curves.csv").read_text().count("\n") >= len(STAGES)
    assert (tmp_path / "run" / "curves.png").stat().st_size > 0
    net = RoiDenoiser.from_pretrained(tmp_path / "run" / "net")
    assert net.spec == TINY


def test_a_leg_without_time_changes_nothing_and_the_next_goes_on(tmp_path: Path) -> None:
    plan, run, cache = config(), tmp_path / "run", tmp_path / "cache"
    assert not leg(plan, run, cache, 0.0, lambda _line: None)
    assert load_state(plan, run, "cpu").total == 0
    assert leg(plan, run, cache, 120.0, lambda _line: None)
    done = load_state(plan, run, "cpu")
    assert (done.stage, done.total) == (len(STAGES), sum(stage.steps for stage in STAGES))


def test_another_trainings_directory_is_refused(tmp_path: Path) -> None:
    leg(config(), tmp_path, tmp_path / "cache", 0.0, lambda _line: None)
    with pytest.raises(ConfigError, match="objective"):
        load_state(config(objective="regressor"), tmp_path, "cpu")


def test_distilling_takes_a_teacher(tmp_path: Path) -> None:
    leg(config(STAGES[:2]), tmp_path / "m", tmp_path / "cache", 120.0, lambda _line: None)
    plan = config((StageConfig("parts", 1), StageConfig("distil", 2)))
    plan = TrainConfig(**{**{n: getattr(plan, n) for n in plan.__slots__}, "teacher": str(tmp_path / "m" / "net")})
    assert leg(plan, tmp_path / "s", tmp_path / "cache", 120.0, lambda _line: None)


def test_learning_shows(tmp_path: Path) -> None:
    plan, cache = config((StageConfig("parts", 1), StageConfig("flow", 60, 3e-3))), ClipCache(tmp_path / "c", 10**9)
    assert leg(plan, tmp_path / "run", tmp_path / "c", 300.0, lambda _line: None)
    state = load_state(plan, tmp_path / "run", "cpu")
    quality = evaluate_net(state.averaged.eval(), state.parts, held_out(plan, [FakeSource()], cache, 1.0), "flow", 0)
    assert quality["mouth"]["one_step_cold"].psnr_db > quality["mouth"]["base"].psnr_db + 1.0
    assert quality["mouth"]["base"].seam == pytest.approx(1.0)


def test_batches_are_equal_for_equal_steps(tmp_path: Path) -> None:
    cache = ClipCache(tmp_path, 10**9)
    one, other = (Batches(config(), [FakeSource()], cache, "cpu").at(5, 2) for _ in range(2))
    assert torch.equal(one.truth, other.truth)
    assert one.truth.shape[:2] == (2, 2)
    assert float(one.truth.abs().max()) <= 1.0


def test_warping_moves_pixels_by_the_flow() -> None:
    picture = torch.zeros(1, 3, 8, 8)
    picture[..., 2, 3] = 1.0
    flow = torch.zeros(1, 2, 8, 8)
    flow[:, 0] = -2.0
    assert float(warp(picture, flow)[0, 0, 2, 5]) == pytest.approx(1.0, abs=1e-5)


def test_quantised_weights_are_rounded_inside_and_untouched_after() -> None:
    net = RoiDenoiser.of(TINY)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with quantised(net):
        assert not torch.equal(net.enter[0].blocks[0].first.weight, before["enter.0.blocks.0.first.weight"])
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
