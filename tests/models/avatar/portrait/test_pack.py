"""Portrait packs: what they hold, and every reason to refuse one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.avatar.pack import FRAMES, KEYS, MANIFEST
from models.avatar.portrait.geometry import REST_KEY
from models.avatar.portrait.pack import UNSTATED, Wish, bake, find_portraits, open_portrait, read_manifest, read_photo
from models.avatar.portrait.shelf import Portraits
from realtime.core.errors import InvalidField, NotFound, PackError
from tests.models.avatar.portrait.conftest import CONSENT
from tests.models.avatar.portrait.conftest import KEYS as WANTED


@pytest.fixture
def copy(pack: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pack, tmp_path / "copy"))


def edit(pack: Path, **fields: object) -> None:
    manifest = json.loads((pack / MANIFEST).read_text("utf-8"))
    (pack / MANIFEST).write_text(json.dumps(manifest | fields), "utf-8")


def test_a_pack_opens_with_its_frames_mapped(pack: Path) -> None:
    avatar = open_portrait(pack, verify=True)
    assert (avatar.name, avatar.width, avatar.height) == ("eileen", 512, 512)
    for key in WANTED:
        frame = avatar.base(key)
        assert frame is not None and not frame.flags.writeable
        assert np.array_equal(frame, avatar.render_base(key))
    assert avatar.base((1, 1, 1, 1, 1, 1)) is None


def test_the_manifest_says_who_agreed_and_where_it_came_from(pack: Path) -> None:
    manifest = read_manifest(pack)
    assert manifest["consent"] == CONSENT
    assert len(manifest["provenance"]["photo_sha256"]) == 64
    assert manifest["provenance"]["photo_px"] == [512, 512]
    assert manifest["licence"]


def test_baking_twice_gives_the_same_bytes(pack: Path, photo_path: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    wish = Wish("eileen", CONSENT, "Eileen")
    bake(photo_path, wish, tmp_path / "again", WANTED, lambda *step: told.append(step))
    assert (tmp_path / "again" / MANIFEST).read_bytes() == (pack / MANIFEST).read_bytes()
    assert told[0] == ("finding the face", 0, told[-1][2])
    assert told[-1][1] == told[-1][2]
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


@pytest.mark.parametrize("name", [FRAMES, "head.npy", "lips.npy", "portrait.json"])
def test_a_damaged_file_is_named(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (copy / name).write_bytes(data)
    with pytest.raises(PackError, match=f"{name}.*corrupt"):
        open_portrait(copy, verify=True)


def test_a_truncated_or_missing_file_is_named(copy: Path) -> None:
    (copy / FRAMES).write_bytes((copy / FRAMES).read_bytes()[:-1])
    with pytest.raises(PackError, match="bytes, its manifest says"):
        open_portrait(copy)
    (copy / KEYS).unlink()
    (copy / FRAMES).unlink()
    with pytest.raises(PackError, match="missing"):
        open_portrait(copy)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "anima-avatar-pack"}, "does not describe a portrait"),
        ({"format": 99}, "format 99"),
        ({"rig": 0}, "rig 0"),
        ({"width": 640}, "width 640"),
        ({"name": "../x"}, "names no avatar"),
        ({"consent": " "}, "no consent"),
        ({"files": {}}, "does not list"),
        ({"licence": ""}, "no licence"),
        ({"licence": 4}, "no licence"),
    ],
)
def test_a_foreign_pack_is_refused(copy: Path, fields: dict[str, object], reason: str) -> None:
    edit(copy, **fields)
    with pytest.raises(PackError, match=reason):
        open_portrait(copy)
    assert find_portraits(copy.parent) == {}


def test_no_pack_and_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no portrait"):
        open_portrait(tmp_path)
    (tmp_path / MANIFEST).write_text("{", "utf-8")
    with pytest.raises(PackError, match="cannot be read"):
        open_portrait(tmp_path)


@pytest.mark.parametrize("name", ["", "Eileen", "a b", "../up", "-x", "x" * 65])
def test_names(name: str) -> None:
    with pytest.raises(InvalidField) as caught:
        Wish(name, CONSENT)
    assert caught.value.field == "name"


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(InvalidField, match="not a picture"):
        read_photo(tmp_path / "text.png")
    with pytest.raises(InvalidField, match="cannot be read"):
        read_photo(tmp_path / "none.png")


def test_a_refused_photo_leaves_nothing_behind(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "grey.png"), np.full((300, 300, 3), 127, np.uint8))
    with pytest.raises(InvalidField, match="no face"):
        bake(tmp_path / "grey.png", Wish("x", CONSENT), tmp_path / "packs" / "x", [REST_KEY])
    assert not (tmp_path / "packs").exists()


def test_the_shelf_finds_opens_and_inspects(pack: Path) -> None:
    shelf = Portraits(pack.parent)
    assert list(shelf.manifests()) == ["eileen"]
    assert shelf.open("eileen").name == "eileen"
    about = shelf.inspect("eileen")
    assert about["consent"] == CONSENT and about["checked"] is True and "files" not in about
    with pytest.raises(NotFound, match="eileen"):
        shelf.open("nobody")


def test_a_removed_portrait_is_not_found_and_leaves_nothing(copy: Path) -> None:
    portraits = Portraits(copy.parent)
    portraits.remove("eileen")
    assert portraits.manifests() == {} and list(copy.parent.iterdir()) == []
    with pytest.raises(NotFound):
        portraits.remove("eileen")


def test_a_licence_is_kept_and_shown(pack: Path, tmp_path: Path) -> None:
    assert Portraits(pack.parent).inspect("eileen")["licence"] == UNSTATED
    copy = Path(shutil.copytree(pack, tmp_path / "packs" / "copy"))
    edit(copy, licence="CC-BY-4.0")
    assert Portraits(tmp_path / "packs").inspect("eileen")["licence"] == "CC-BY-4.0"
    assert Wish("x", CONSENT, licence="CC-BY-4.0").licence == "CC-BY-4.0"


@pytest.mark.parametrize("licence", ["two\nlines", "x" * 201, "   "])
def test_what_is_no_licence(licence: str) -> None:
    with pytest.raises(InvalidField) as caught:
        Wish("x", CONSENT, licence=licence)
    assert caught.value.field == "licence"
