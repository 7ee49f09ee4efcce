"""Hosts are described in files; what is wrong with one is said by name and range."""

from pathlib import Path
from typing import Any

import pytest

from models.avatar.gallery import Gallery, adopt
from models.avatar.preset_file import MAX_BYTES, load_preset, parse_preset
from models.avatar.presets import DEFAULT, all_presets, presets
from models.avatar.spec import MEI
from realtime.core.errors import ConfigError, NotFound


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"name": "Zoe B"}, "name: 'Zoe B' must be"),
        ({"name": 3}, "name: 3 must be"),
        ({"shape": {"eye_size": 3}}, r"shape.eye_size: 3 must be a number from 0.8 to 1.12"),
        ({"shape": {"eye_size": True}}, "shape.eye_size: True must be a number"),
        ({"shape": {"age": "old"}}, "shape.age: 'old' must be a number from 0 to 1"),
        ({"shape": {"ears": 1}}, "shape.ears: no such field; there are face_width"),
        ({"shape": 3}, "shape: 3 must be a mapping"),
        ({"hair_style": "mohawk"}, "hair_style: 'mohawk' must be one of long"),
        ({"outfit": None}, "outfit: None must be one of blazer"),
        ({"wears": {"glasses": "pink"}}, "wears.glasses: 'pink' must be one of none, round, square"),
        ({"wears": {"necklace": "yes please"}}, "wears.necklace: 'yes please' must be true or false"),
        ({"wears": {"earring_color": "gold"}}, "wears.earring_color: 'gold' must be a colour"),
        ({"skin": "brown"}, "skin: 'brown' must be a colour"),
        ({"skin": 5}, "skin: 5 must be a colour such as '#c68863', or a mapping"),
        ({"cloth": {"base": None}}, "cloth.base: None must be a colour"),
        ({"hair": {"base": "#332211", "tip": "#ffffff"}}, "hair.tip: no such field"),
        ({"seed": -1}, "seed: -1 must be a whole number from 0"),
        ({"title": "x" * 300}, "title: .* must be text of at most 200"),
        ({"titel": "Zoe"}, "titel: no such field"),
    ],
)
def test_errors_name_field_and_range(data: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_preset({"name": "zoe"} | data)


@pytest.mark.parametrize("text", ["- a\n- b\n", "{", "name: [", "\x00", "x" * (MAX_BYTES + 1)])
def test_a_file_that_is_no_mapping(tmp_path: Path, text: str) -> None:
    (tmp_path / "zoe.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"zoe\.yaml"):
        load_preset(tmp_path / "zoe.yaml")


def test_one_colour_is_enough(tmp_path: Path) -> None:
    (tmp_path / "zoe.yaml").write_text('skin: "#C48A62"\nhair: {base: "#b5442e", rim: "#ffffff"}\n')
    spec = load_preset(tmp_path / "zoe.yaml")
    assert (spec.name, spec.title, spec.skin.mid) == ("zoe", "Zoe", "#c48a62")
    assert spec.skin.deep < spec.skin.mid < spec.skin.high
    assert spec.hair.mid == "#b5442e" and spec.hair.rim == "#ffffff" and spec.lips == MEI.lips
    assert spec.wears.earrings == "none" and not spec.wears.necklace


def test_the_presets_are_people_of_many_kinds() -> None:
    specs = list(presets().values())
    assert specs[0].name == DEFAULT == "mei" and len(specs) >= 6
    assert specs[0].shape == MEI.shape and specs[0].skin == MEI.skin and specs[0].wears == MEI.wears
    for field in ("hair_style", "outfit", "backdrop"):
        assert len({getattr(spec, field) for spec in specs}) >= 5
    assert len({spec.skin.mid for spec in specs}) >= 6 and len({spec.digest() for spec in specs}) == len(specs)
    assert all(spec.title and spec.description for spec in specs)


def test_a_users_file_joins_the_presets(tmp_path: Path) -> None:
    (tmp_path / "zoe.yaml").write_text("outfit: hoodie\n")
    assert [*presets(), "zoe"] == list(all_presets(tmp_path))
    (tmp_path / "mine.yaml").write_text("name: mei\n")
    with pytest.raises(ConfigError, match="another avatar 'mei'"):
        all_presets(tmp_path)


def test_a_file_is_taken_over(tmp_path: Path) -> None:
    file, packs = tmp_path / "zoe.yaml", tmp_path / "packs"
    file.write_text("outfit: hoodie\n")
    assert adopt(file, packs) == "zoe" and (packs / "zoe.yaml").read_text() == "outfit: hoodie\n"
    assert adopt(packs / "zoe.yaml", packs) == "zoe"
    file.write_text("name: mei\n")
    with pytest.raises(ConfigError, match="comes with Anima"):
        adopt(file, packs)


def test_an_unknown_host_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="mei"):
        Gallery(tmp_path, []).open("nobody")


def test_another_rig_means_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = MEI.digest()
    monkeypatch.setattr("models.avatar.spec.rig_fingerprint", lambda: "0123456789abcdef")
    assert MEI.digest() != before
