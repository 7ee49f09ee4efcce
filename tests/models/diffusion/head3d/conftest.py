"""One head, drawn once for all tests."""

import pytest

from models.diffusion.data.sample import RoiClip, Split
from models.diffusion.head3d.source import Head3dSource, Studio


@pytest.fixture(scope="package")
def source() -> Head3dSource:
    return Head3dSource()


@pytest.fixture(scope="package")
def studio() -> Studio:
    return Studio(3, Split.TRAIN)


@pytest.fixture(scope="package")
def mouth_clip(source: Head3dSource) -> RoiClip:
    return source.clip(2, "mouth", 4)
