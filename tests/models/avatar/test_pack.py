"""Packs are baked whole, opened fast and refused with a reason when something is wrong with them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.avatar import pack
from models.avatar.spec import MEI
from realtime.core.errors import PackError
from realtime.core.facs import REST, controls

KEYS = [(0, 0, 0, 2, 0, 0), (4, 0, 0, 2, 0, 0), (-4, 2, 0, 3, 0, 0)]


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("packs") / "mei"
    told: list[tuple[int, int]] = []
    pack.bake(MEI, place, [*KEYS, KEYS[0]], lambda done, total: told.append((done, total)), processes=1)
    assert told[0] == (0, 3) and told[-1] == (3, 3)
    return place


@pytest.fixture
def copy(baked: Path, tmp_path: Path) -> Path:
    place = tmp_path / "copy"
    place.mkdir()
    for file in baked.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    return place


def test_it_serves_what_was_baked(baked: Path) -> None:
    avatar = pack.open_pack(baked)
    assert avatar.base_key(REST) == KEYS[0]
    for key in KEYS:
        frame = avatar.base(key)
        assert frame is not None and not frame.flags.writeable
        assert np.array_equal(frame, avatar.render_base(key))
    assert avatar.base(avatar.base_key(controls(yaw=15))) is None


def test_it_verifies_every_byte_when_asked(baked: Path) -> None:
    pack.open_pack(baked, verify=True)


def test_the_manifest_names_the_pack(baked: Path) -> None:
    manifest = json.loads((baked / "manifest.json").read_text())
    assert manifest["name"] == "mei" and manifest["licence"] == "Apache-2.0" and manifest["frames"] == 3


def test_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no avatar pack"):
        pack.open_pack(tmp_path / "nothing")


def test_a_foreign_directory(copy: Path) -> None:
    (copy / "manifest.json").write_text('{"kind": "something else"}')
    with pytest.raises(PackError, match="does not describe an avatar pack"):
        pack.open_pack(copy)


def test_a_broken_manifest(copy: Path) -> None:
    (copy / "manifest.json").write_text("{")
    with pytest.raises(PackError, match="cannot be read"):
        pack.open_pack(copy)


@pytest.mark.parametrize(("field", "value"), [("format", 99), ("rig", 0), ("width", 640)])
def test_another_version(copy: Path, field: str, value: int) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {field: value}))
    with pytest.raises(PackError, match=field):
        pack.open_pack(copy)


@pytest.mark.parametrize("name", ["layers.npz", "keys.npy", "frames.i420"])
def test_a_flipped_byte_at_the_end(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[-1] ^= 0xFF
    (copy / name).write_bytes(data)
    with pytest.raises(PackError, match=f"{name} is corrupt"):
        pack.open_pack(copy)


@pytest.mark.parametrize("name", ["layers.npz", "keys.npy", "frames.i420"])
def test_a_truncated_or_missing_file(copy: Path, name: str) -> None:
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[:-10])
    with pytest.raises(PackError, match=f"{name} has"):
        pack.open_pack(copy)
    (copy / name).unlink()
    with pytest.raises(PackError, match=f"{name} is missing"):
        pack.open_pack(copy)


def test_a_hidden_fault_is_found_by_verifying(copy: Path) -> None:
    data = bytearray((copy / "frames.i420").read_bytes())
    data[len(data) // 2 + 9000] ^= 0xFF
    (copy / "frames.i420").write_bytes(data)
    pack.open_pack(copy)
    with pytest.raises(PackError, match="corrupt"):
        pack.open_pack(copy, verify=True)


def test_too_many_frames(tmp_path: Path) -> None:
    keys = [(n, 0, 0, 2, 0, 0) for n in range(pack.MAX_FRAMES + 1)]
    with pytest.raises(PackError, match="at most"):
        pack.bake(MEI, tmp_path / "big", keys)
    assert not any(tmp_path.iterdir())


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PackError, match="cannot be written"):
        pack.bake(MEI, tmp_path / "file" / "mei", KEYS)


def test_a_damaged_cache_is_baked_anew(copy: Path) -> None:
    (copy / "layers.npz").write_bytes(b"")
    avatar = pack.ensure_pack(MEI, KEYS[:1], copy)
    assert avatar.base(KEYS[0]) is not None
    assert [p.name for p in copy.parent.iterdir()] == ["copy"]


def test_a_pack_that_suffices_is_kept(copy: Path) -> None:
    before = (copy / "manifest.json").stat().st_mtime_ns
    pack.ensure_pack(MEI, KEYS[:2], copy)
    assert (copy / "manifest.json").stat().st_mtime_ns == before
    pack.ensure_pack(MEI, [*KEYS[:2], (8, 0, 0, 2, 0, 0)], copy)
    assert (copy / "manifest.json").stat().st_mtime_ns != before


def test_another_spec_lives_elsewhere() -> None:
    other = replace(MEI, seed=8)
    assert pack.default_directory(other) != pack.default_directory(MEI)
    assert pack.default_directory(MEI).name.startswith("mei-")


@pytest.mark.slow
def test_two_processes_bake_the_same(baked: Path, tmp_path: Path) -> None:
    keys = [(n, 0, 0, 2, 0, 0) for n in range(-13, 14)] + KEYS
    pack.bake(MEI, tmp_path / "mei", keys, processes=2)
    one, two = pack.open_pack(baked), pack.open_pack(tmp_path / "mei")
    for key in KEYS:
        a, b = one.base(key), two.base(key)
        assert a is not None and b is not None and np.array_equal(a, b)
