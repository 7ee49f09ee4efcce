"""Tests of painting a host's clothes: cloth changes, skin and blouse do not."""

from pathlib import Path

import numpy as np
import pytest

from models.avatar.gallery import Gallery
from models.avatar.layers import Layers, paint_layers
from models.avatar.spec import AvatarSpec
from models.staging import outfit
from models.staging.collection import Collection
from models.staging.paintable import Paintable
from realtime.core.backdrop import Backdrop
from realtime.core.errors import InvalidField
from realtime.core.facs import REST


@pytest.fixture(scope="module")
def mei(tmp_path_factory: pytest.TempPathFactory) -> tuple[AvatarSpec, Layers]:
    spec = Gallery(tmp_path_factory.mktemp("packs"), []).specs["mei"]
    return spec, paint_layers(spec)


def test_only_cloth_takes_what_was_painted(mei: tuple[AvatarSpec, Layers]) -> None:
    spec, layers = mei
    sheet, cloth = outfit.sheet(spec, layers)
    assert sheet.shape[0] % 16 == 0 and sheet.shape[1] % 16 == 0 and 0.1 < cloth.mean() < 0.9
    red = np.zeros_like(sheet)
    red[..., 0] = 200
    before = outfit.dressed(spec, layers, sheet)
    after = outfit.dressed(spec, layers, red)
    key = before.base_key(REST)
    moved = np.abs(before.render_base(key)[:512].astype(int) - after.render_base(key)[:512]) > 12
    assert moved[440:512, :60].mean() > 0.3, "the shoulders"
    assert not moved[:400].any() and not moved[420:500, 250:262].any(), "face, neck and chest stay"


class _Avatars(Collection):
    """Only a portrait."""

    def __init__(self) -> None:
        """Nothing is opened."""

    def host_layers(self, name: str) -> None:
        return None


def test_a_portraits_clothes_are_one_with_its_photo() -> None:
    with pytest.raises(InvalidField, match="portrait"):
        Paintable(_Avatars()).outfit("somebody")


def test_what_is_behind_a_host_is_what_its_session_shows(mei: tuple[AvatarSpec, Layers], tmp_path: Path) -> None:
    class Hosts(_Avatars):
        def host_layers(self, name: str) -> tuple[AvatarSpec, Layers]:  # type: ignore[override]  # a host this time
            return mei

    found = Paintable(Hosts())
    assert found.behind("mei", Backdrop()).shape == (512, 512, 3)
    assert (found.behind("mei", Backdrop("colour", "#102030")) == (16, 32, 48)).all()
