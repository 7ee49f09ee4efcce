"""Files of trainings."""

from pathlib import Path

import pytest

from models.diffusion.train.config import load_config
from realtime.core.errors import ConfigError

CONFIGS = sorted((Path(__file__).resolve().parents[4] / "models" / "diffusion" / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_file_that_ships_is_valid(path: Path) -> None:
    assert load_config(path).stages


def test_the_control_differs_in_its_objective_alone() -> None:
    ours, control = (load_config(next(p for p in CONFIGS if p.stem == name)) for name in ("roi_s", "roi_s_regressor"))
    for name in (
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
    ):
        assert getattr(ours, name) == getattr(control, name)
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
        ("stages: []", "stages"),
        ("- a list", "mapping"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text + "\n")
    with pytest.raises(ConfigError, match=named):
        load_config(path)
