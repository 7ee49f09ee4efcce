"""The tiny weights, written once."""

from pathlib import Path

import pytest

from models.diffusion.runtime.weights import Weights, open_weights
from tests.models.diffusion.runtime.made import written


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def weights(place: Path) -> Weights:
    return open_weights(place)
