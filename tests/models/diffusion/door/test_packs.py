"""Tests of style packs: the schema, the paths, the hashes, and what is refused."""

import re
from pathlib import Path
from typing import Any

import pytest

from models.diffusion.door.packs import Shelf, info_of, read_pack, unfit
from realtime.core.errors import Conflict, NotFound, PackError
from tests.models.diffusion.door.tiny import style_pack

LICENCES = ("apache-2.0", "mit")
BASES = ("somebody/tiny-diffusion", "tiny-diffusion", "stable-diffusion-1")


def test_a_pack_is_read_and_described(tmp_path: Path) -> None:
    pack = read_pack(style_pack(tmp_path))
    assert pack.plugin.licence == "apache-2.0" and pack.keywords == ("ink wash",)
    assert pack.clamp(5.0) == 1.0 and pack.clamp(0.0) == 0.2
    info = info_of(pack, unfit(pack, BASES, LICENCES))
    assert info.usable and info.reason == "" and info.strength_range == (0.2, 1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "../up"}, "name: "),
        ({"version": "one"}, "version: "),
        ({"type": "checkpoint"}, "type: "),
        ({"colour": "red"}, "colour: Extra inputs"),
        ({"model": {"strength_range": [1.0, 0.5]}}, "the smaller first"),
        ({"model": {"sha256": "abc"}}, "models.0.sha256"),
        ({"model": {"sha256": "0" * 64}}, "SHA-256 differs"),
        ({"model": {"path": "../../secret.safetensors"}}, "no path inside the pack"),
        ({"model": {"path": "/etc/passwd"}}, "no path inside the pack"),
        ({"model": {"path": "other.safetensors"}}, "other.safetensors is missing"),
        ({"models": []}, "models: "),
        ({"author": ""}, "author: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    place = style_pack(tmp_path, **{key: value for key, value in changes.items() if key != "name"})
    if "name" in changes:
        text = (place / "plugin.yaml").read_text().replace("name: ink-wash", f"name: {changes['name']}")
        (place / "plugin.yaml").write_text(text)
    with pytest.raises(PackError, match=re.escape(words)):
        read_pack(place)


def test_a_link_out_of_the_pack_and_a_pickle_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.safetensors"
    place = style_pack(tmp_path)
    (place / "ink.safetensors").rename(outside)
    (place / "ink.safetensors").symlink_to(outside)
    with pytest.raises(PackError, match="leads out"):
        read_pack(place)
    text = (place / "plugin.yaml").read_text().replace("ink.safetensors", "ink.bin")
    (place / "plugin.yaml").write_text(text)
    (place / "ink.bin").write_bytes(b"\x80\x04")
    with pytest.raises(PackError, match="never from pickles"):
        read_pack(place)


def test_a_damaged_file_is_no_lora(tmp_path: Path) -> None:
    place = style_pack(tmp_path)
    weights = place / "ink.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    with pytest.raises(PackError, match="cut short"):
        read_pack(place)
    weights.write_bytes(b"hello")
    with pytest.raises(PackError, match="no safetensors file"):
        read_pack(place)


def test_yaml_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plugin.yaml").write_text("a: [")
    with pytest.raises(PackError, match="as YAML"):
        read_pack(tmp_path)
    (tmp_path / "plugin.yaml").write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(PackError, match="as YAML"):
        read_pack(tmp_path)


def _with(place: Path, old: str, new: str) -> str:
    text = (place / "plugin.yaml").read_text()
    assert old in text
    (place / "plugin.yaml").write_text(text.replace(old, new))
    return unfit(read_pack(place), BASES, LICENCES)


def test_licence_base_and_modules_have_to_fit(tmp_path: Path) -> None:
    assert "licence gpl-3.0" in _with(style_pack(tmp_path / "a"), "apache-2.0", "gpl-3.0")
    assert "made for sdxl" in _with(style_pack(tmp_path / "b"), "base_model: tiny-diffusion", "base_model: sdxl")
    assert "cannot have" in _with(style_pack(tmp_path / "c"), "- peft", "- os")
    assert _with(style_pack(tmp_path / "d"), "base_model: tiny-diffusion", "base_model: runwayml/sd-1.5") == ""
    assert "no painter" in unfit(read_pack(style_pack(tmp_path / "e")), (), LICENCES)


def test_a_shelf_lists_adds_and_finds(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    assert shelf.listing(BASES, LICENCES) == []
    source = style_pack(tmp_path / "from")
    (source / "notes.txt").write_text("not copied")
    added = shelf.add(source)
    assert sorted(path.name for path in added.place.iterdir()) == ["ink.safetensors", "plugin.yaml"]
    with pytest.raises(Conflict, match="already"):
        shelf.add(source)
    with pytest.raises(NotFound):
        shelf.get("../from/ink-wash")
    (added.place / "ink.safetensors").write_bytes(b"changed")
    (listed,) = shelf.listing(BASES, LICENCES)
    assert not listed.usable and "no safetensors file" in listed.reason
