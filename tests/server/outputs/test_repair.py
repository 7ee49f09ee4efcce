"""Recordings that were cut off get their end, whatever the moment was; everything else is left as it is."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.outputs.files import FileSink
from server.outputs.repair import END, is_whole, repair
from server.outputs.shelf import Shelf, held
from tests.server.outputs.media import FPS, read, samples
from tests.server.outputs.stage import SIZE, Script, nothing


async def recorded(folder: Path, *, seconds: int = 12) -> Path:
    """A finished HLS recording without its end, as if its process had been killed."""
    shelf = Shelf(folder, 10**9)
    path = shelf.claim("one", "hls")
    await FileSink(shelf, path, "hls", SIZE, FPS, aac=True).run(Script(samples(seconds)), nothing)
    path.write_text(path.read_text().replace(END + "\n", ""))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_a_list_without_its_end_gets_one_and_plays_to_it(tmp_path: Path) -> None:
    path = await recorded(tmp_path)
    (path.parent / "index9.m4s.tmp").write_bytes(b"begun")
    (path.parent / "index.m3u8.tmp").write_bytes(b"#EXT")
    assert repair(tmp_path) == 1 and repair(tmp_path) == 0
    assert path.read_text().endswith(END + "\n") and path.read_text().count(END) == 1
    found = read(path)
    assert found.frames == 12 * FPS and found.monotone
    listed = {line for line in path.read_text().splitlines() if not line.startswith("#")}
    assert set(contents(path.parent)) == listed | {"index.m3u8", "init.mp4"}, "leftovers go"


@pytest.mark.parametrize("harm", ["cut", "emptied", "missing"])
async def test_a_last_segment_that_is_not_whole_is_left_out(tmp_path: Path, harm: str) -> None:
    path = await recorded(tmp_path)
    last = path.parent / [line for line in path.read_text().splitlines() if not line.startswith("#")][-1]
    if harm == "missing":
        last.unlink()
    else:
        last.write_bytes(last.read_bytes()[: last.stat().st_size // 2 if harm == "cut" else 0])
    assert repair(tmp_path) == 1
    text = path.read_text()
    assert last.name not in text and not last.exists() and text.count("#EXTINF") == 2
    found = read(path)
    assert found.frames == 8 * FPS and found.monotone


async def test_what_has_no_whole_segment_goes(tmp_path: Path) -> None:
    path = await recorded(tmp_path, seconds=3)
    for segment in path.parent.glob("*.m4s"):
        segment.write_bytes(b"\x00\x00\x10\x00moof")
    begun = tmp_path / "two"
    begun.mkdir()
    (begun / "init.mp4").write_bytes(b"")
    assert repair(tmp_path) == 2 and os.listdir(tmp_path) == []


async def test_what_is_not_ours_or_still_written_stays(tmp_path: Path) -> None:
    path = await recorded(tmp_path)
    foreign, empty, playlist = tmp_path / "theirs", tmp_path / "empty", tmp_path / "theirs" / "index.m3u8"
    foreign.mkdir()
    empty.mkdir()
    playlist.write_text("#EXTM3U\n")
    (foreign / "notes.txt").write_text("mine")
    (tmp_path / "link").symlink_to(path.parent)
    before = contents(path.parent)
    with held(path.parent) as ours:
        assert ours and repair(tmp_path) == 0
    assert contents(path.parent) == before and empty.exists()
    assert repair(tmp_path) == 1, "only the one that is ours"
    assert contents(foreign) == {"index.m3u8": b"#EXTM3U\n", "notes.txt": b"mine"}


async def test_a_rewriting_that_was_cut_off(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 10**9)
    path = shelf.claim("one", "mp4")
    aside = tmp_path / ".one.mp4.partial"
    aside.write_bytes(b"half")
    assert repair(tmp_path) == 0 and aside.exists(), "it is being recorded"
    shelf.release(path)
    assert repair(tmp_path) == 1 and not aside.exists() and path.exists()


def test_a_list_that_cannot_be_read_harms_no_other(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "index.m3u8").write_bytes(b"\xff\xfe\x00")
    assert repair(tmp_path) == 0 and repair(tmp_path / "nowhere") == 0


@given(st.binary(max_size=64))
def test_any_bytes_can_be_asked_about(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "boxes"
        path.write_bytes(data)
        assert is_whole(path) in (True, False)
        box = (8 + len(data)).to_bytes(4, "big") + b"free" + data
        path.write_bytes(box + box)
        assert is_whole(path)
        path.write_bytes(box + box[:-1])
        assert not is_whole(path)
