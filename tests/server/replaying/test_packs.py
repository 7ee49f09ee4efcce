"""A replay takes the avatar's pack of the log, and no other."""

import json
from pathlib import Path

import pytest

from realtime.core.errors import NotFound, PackError
from server.config import Config
from server.event_log import event_logs, read_log
from server.replaying.packs import pack_mark, same_pack
from server.surfaces import SessionSpec

FILES = {"layers.npz": {"bytes": 3, "sha256": "aa"}, "frames.i420": {"bytes": 9, "sha256": "bb"}}


def pack(place: Path, changed: dict[str, dict[str, str]] | None = None, title: str = "Mei") -> Path:
    place.mkdir(exist_ok=True)
    (place / "manifest.json").write_text(json.dumps({"title": title, "files": FILES | (changed or {})}))
    return place


def test_the_files_make_the_mark_and_nothing_else(tmp_path: Path) -> None:
    first = pack_mark(pack(tmp_path / "a"))
    assert len(first) == 32 and pack_mark(pack(tmp_path / "b", title="another title")) == first
    assert pack_mark(pack(tmp_path / "c", {"frames.i420": {"sha256": "cc"}})) != first
    assert pack_mark(pack(tmp_path / "d", {"more": {"sha256": "bb"}})) != first


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": {"a": 1}}', '{"files": {"a": {}}}'])
def test_what_is_no_pack_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    assert pack_mark(tmp_path) == "" and pack_mark(tmp_path / "missing") == ""


def test_another_pack_is_refused_by_both_names(tmp_path: Path) -> None:
    place = pack(tmp_path / "mei")
    opened = event_logs(Config(event_log_dir=tmp_path / "logs"), lambda name: tmp_path / name)
    log = opened("abc", SessionSpec("mei", "en", "default"), 1)
    assert log is not None
    log.close()
    header, _ = read_log(tmp_path / "logs" / "abc.jsonl")
    had = header["pack"]
    assert had == pack_mark(place)
    same_pack(header, "mei", lambda name: tmp_path / name)
    pack(place, {"more": {"sha256": "cc"}})
    with pytest.raises(PackError, match=f"{had}.* mei here, .* is {pack_mark(place)}"):
        same_pack(header, "mei", lambda name: tmp_path / name)
    with pytest.raises(PackError, match=f"{had}, but there is none of mei here"):
        same_pack(header, "mei", lambda name: tmp_path / "gone")


def test_logs_without_a_pack_go_with_any(tmp_path: Path) -> None:
    def unknown(name: str) -> Path:
        raise NotFound("no such avatar", field="avatar")

    log = event_logs(Config(event_log_dir=tmp_path), unknown)("abc", SessionSpec("mei", "en", "default"), 1)
    assert log is not None
    log.close()
    header, _ = read_log(tmp_path / "abc.jsonl")
    assert header["pack"] == ""
    same_pack(header, "mei", unknown)
