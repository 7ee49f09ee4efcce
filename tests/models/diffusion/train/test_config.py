"""Files of trainings."""

from pathlib import Path

import pytest

from models.diffusion.train.config import TrainConfig, load_config
from realtime.core.errors import ConfigError

CONFIGS = sorted((Path(__file__).resolve().parents[4] / "models" / "diffusion" / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_file_that_ships_is_valid(path: Path) -> None:
    assert load_config(path).stages


@pytest.mark.parametrize("name", ["roi_s", "roi_s_mouth"])
def test_the_control_differs_in_its_objective_alone(name: str) -> None:
    ours, control = (load_config(next(p for p in CONFIGS if p.stem == one)) for one in (name, f"{name}_regressor"))
    for field in (
        "size",
        "sources",
        "seed",
        "batch",
        "frames",
        "clips",
        "shares",
        "stages",
        "pool",
        "rollout",
        "renewal",
        "tilt_deg",
        "start",
    ):
        assert getattr(ours, field) == getattr(control, field)
    assert (ours.objective, control.objective) == ("flow", "regressor")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("size: L", "size"),
        ("sizes: S", "sizes"),
        ("batch: 0", "batch"),
        ("batch: many", "batch"),
        ("rollout: 9", "rollout"),
        ("sources: [photos]", "sources"),
        ("stages: [{kind: magic}]", "stages.kind"),
        ("stages: [{kind: distil}]", "teacher"),
        ("stages: [{anew: 1.5}]", "stages.anew"),
        ("stages: [{similarity: -1}]", "stages.similarity"),
        ("stages: []", "stages"),
        ("- a list", "mapping"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text + "\n")
    with pytest.raises(ConfigError, match=named):
        load_config(path)


def test_a_training_starts_from_the_net_it_names_or_says_that_there_is_none(tmp_path: Path) -> None:
    from models.diffusion.net import RoiDenoiser
    from models.diffusion.spec import SIZES
    from models.diffusion.train.state import load_state

    trained = RoiDenoiser.of(SIZES["S"])
    trained.save_pretrained(tmp_path / "net")
    state = load_state(TrainConfig(start=str(tmp_path / "net")), tmp_path / "out", "cpu")
    name, weights = next(iter(trained.named_parameters()))
    assert dict(state.net.named_parameters())[name].equal(weights)
    with pytest.raises(ConfigError, match="start"):
        load_state(TrainConfig(start=str(tmp_path / "none")), tmp_path / "out", "cpu")
