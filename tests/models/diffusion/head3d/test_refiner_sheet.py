"""The sheets of before and after: every shape twice, and weights that improve no portrait are refused."""

from pathlib import Path

import numpy as np
import pytest

from models.diffusion.head3d.source import Studio
from models.diffusion.refiner_engine import Engine, open_engine
from models.diffusion.refiner_sheet import MOUTHS, main, shapes_sheet
from realtime.core.errors import ConfigError
from tests.models.diffusion.runtime.made import written


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    found, about = open_engine(str(written(tmp_path_factory.mktemp("weights"), improves={"portrait": {"mouth": {}}})))
    assert found is not None, about
    return found


def test_each_shape_is_shown_as_drawn_and_as_repaired(engine: Engine, studio: Studio) -> None:
    sheet = shapes_sheet(studio.avatar, engine)
    rows = -(-(len(MOUTHS) + 1) // 6)
    height, width, _ = sheet.shape
    assert height % (2 * rows) == 0 and width % 6 == 0
    tile = height // (2 * rows)
    first = sheet[:, : width // 6]
    drawn, repaired = first[:tile], first[tile : 2 * tile]
    # an untrained net changes the open mouth and leaves the cheek
    assert np.abs(drawn[40:].astype(int) - repaired[40:]).max() > 8
    assert not np.abs(drawn[40:, :12].astype(int) - repaired[40:, :12]).any()


def test_weights_that_improve_no_portrait_are_refused(engine: Engine, studio: Studio) -> None:
    with pytest.raises(ConfigError, match="improve nothing of portraits"):
        shapes_sheet(studio.avatar, Engine(engine.runtime, engine.weights, {"illustrated": frozenset({"mouth"})}))


def test_missing_weights_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none"), str(tmp_path)]) == 1
    assert "model_card.json" in capsys.readouterr().err
