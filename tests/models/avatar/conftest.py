"""One painted host for all tests of the avatar: painting takes a second."""

import pytest

from models.avatar.host import IllustratedHost
from models.avatar.layers import Layers, paint_layers
from models.avatar.spec import MEI


@pytest.fixture(scope="session")
def layers() -> Layers:
    """The painted layers of the preset."""
    return paint_layers(MEI)


@pytest.fixture(scope="session")
def host(layers: Layers) -> IllustratedHost:
    """A host without a pack."""
    return IllustratedHost(MEI, layers)
