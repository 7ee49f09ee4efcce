"""The public-domain test photo, baked once for all tests of portraits."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatar.portrait.assets import Assets
from models.avatar.portrait.avatar import PortraitAvatar
from models.avatar.portrait.build import assemble
from models.avatar.portrait.detect import averaged, find_face
from models.avatar.portrait.framing import Framed, cut_out
from models.avatar.portrait.geometry import REST_KEY
from models.avatar.portrait.pack import Wish, bake, read_photo
from models.avatar.portrait.sheet import public_domain_photo

CONSENT = "public-domain picture, used in a test"
KEYS = (REST_KEY, (8, 4, 2, 2, 0, 0), (-12, 0, 0, 3, 2, 0))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """mediapipe's generated modules use calls that protobuf has deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"google\.protobuf.*")
        warnings.filterwarnings("ignore", message=".*GetPrototype.*")
        yield


@pytest.fixture(scope="session")
def photo_path() -> Path:
    return public_domain_photo()


@pytest.fixture(scope="session")
def photo(photo_path: Path) -> NDArray[np.uint8]:
    return read_photo(photo_path)


@pytest.fixture(scope="session")
def framed(photo: NDArray[np.uint8]) -> Framed:
    cv2.setNumThreads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points, _ = find_face(photo)
        plate = cut_out(photo, points).plate
        steady = averaged(plate)
    assert steady is not None
    return Framed(plate, steady)


@pytest.fixture(scope="session")
def assets(framed: Framed) -> Assets:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return assemble(framed, lambda stage: None)


@pytest.fixture(scope="session")
def avatar(assets: Assets) -> PortraitAvatar:
    return PortraitAvatar("eileen", assets)


@pytest.fixture(scope="session")
def pack(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("packs") / "eileen"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bake(photo_path, Wish("eileen", CONSENT, "Eileen"), place, KEYS)
    return place
