"""Recordings as a player sees them: whole, in time, and playable when their process was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Literal

import av
import pytest

from realtime.core.errors import Conflict, InvalidField
from server.outputs.files import FileSink
from server.outputs.repair import repair
from server.outputs.shelf import Shelf
from server.outputs.sink import SinkFailed
from tests.server.outputs.media import FPS, Read, read, samples
from tests.server.outputs.stage import SIZE, Script, nothing

SECONDS = 6
PLENTY = 10**9


async def record(folder: Path, kind: Literal["mp4", "hls"], *, aac: bool) -> Path:
    shelf = Shelf(folder, PLENTY)
    path = shelf.claim("one", kind)
    sink = FileSink(shelf, path, kind, SIZE, FPS, aac=aac)
    await sink.run(Script(samples(SECONDS)), nothing)
    assert sink.figures() == {"recorded_s": float(SECONDS)}
    return path


def judge(found: Read, seconds: float) -> None:
    assert found.frames == seconds * FPS and found.monotone
    assert abs(found.video_s - seconds) < 0.01 and abs(found.sound_s - seconds) < 0.06
    assert len(found.flashes_s) == len(found.beeps_s) == seconds - 1
    assert max(map(abs, found.offsets_ms)) <= 10.0, "ms between flash and beep"


@pytest.mark.parametrize("aac", [False, True], ids=["opus", "aac"])
async def test_mp4(tmp_path: Path, aac: bool) -> None:
    path = await record(tmp_path, "mp4", aac=aac)
    judge(read(path), SECONDS)
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat"), "the index stands first"
    assert path.stat().st_mode & 0o137 == 0, "for others it is not"
    assert b"moof" not in data and os.listdir(tmp_path) == [path.name]
    with av.open(str(path)) as file:
        assert file.streams.audio[0].codec_context.name == ("aac" if aac else "opus")


@pytest.mark.parametrize("aac", [True, False], ids=["aac", "opus"])
async def test_hls(tmp_path: Path, aac: bool) -> None:
    path = await record(tmp_path, "hls", aac=aac)
    judge(read(path), SECONDS)
    text = path.read_text()
    assert path.parent.stat().st_mode & 0o027 == 0, "for others it is not"
    assert text.endswith("#EXT-X-ENDLIST\n") and "#EXT-X-INDEPENDENT-SEGMENTS" in text
    named = {line for line in text.splitlines() if not line.startswith("#")}
    assert {one.name for one in path.parent.iterdir()} == named | {"init.mp4", "index.m3u8"}


CHILD = """
import asyncio, sys
from pathlib import Path
from server.outputs.files import FileSink
from server.outputs.shelf import Shelf
from tests.server.outputs.media import FPS, samples
from tests.server.outputs.stage import SIZE, Script, nothing
shelf = Shelf(Path(sys.argv[1]), 10**9)
sink = FileSink(shelf, shelf.claim("one", sys.argv[2]), sys.argv[2], SIZE, FPS, aac=sys.argv[2] == "hls")
tell = lambda: print(sink.figures()["recorded_s"], flush=True)
asyncio.run(sink.run(Script(samples(20), at_once=10, endless=True), tell))
"""


@pytest.mark.parametrize("kind", ["mp4", "hls"])
def test_a_killed_process_leaves_a_playable_recording(tmp_path: Path, kind: Literal["mp4", "hls"]) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path), kind]
    recorded = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while recorded < 19.9:
            line = process.stdout.readline()
            assert line, "the recorder ended by itself"
            recorded = float(line)
        assert repair(tmp_path) == 0, "what is being recorded is not touched"
        process.send_signal(signal.SIGKILL)
    path = tmp_path / ("one.mp4" if kind == "mp4" else "one/index.m3u8")
    # without its end a list is a live one, and FFmpeg would wait for more
    assert repair(tmp_path) == (kind == "hls")
    found = read(path)
    lost_s = recorded - found.frames / FPS
    assert found.monotone and 0 <= lost_s <= (1.5 if kind == "mp4" else 4.5), f"{lost_s:.2f} s were lost"
    assert max(map(abs, found.offsets_ms[:-1])) <= 10.0


def test_names_and_quota(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "new", 1000)
    for name in ("", "../x", "a/b", ".hidden", "x" * 101, "a..b", "a\x00", "ü"):
        with pytest.raises(InvalidField):
            shelf.claim(name, "mp4")
    shelf.claim("a", "mp4").write_bytes(bytes(999))
    shelf.claim("b", "hls")
    for name in ("a", "b"):
        with pytest.raises(Conflict, match="this name"):
            shelf.claim(name, "mp4" if name == "a" else "hls")
    (tmp_path / "new/b/x").write_bytes(b"x")
    with pytest.raises(Conflict, match="quota"):
        shelf.claim("c", "mp4")


async def test_the_quota_ends_a_recording_that_can_be_played(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 5000)
    path = shelf.claim("one", "mp4")
    with pytest.raises(SinkFailed, match="quota") as caught:
        await FileSink(shelf, path, "mp4", SIZE, FPS, aac=False).run(Script(samples(12)), nothing)
    assert caught.value.final
    found = read(path)
    assert found.monotone and 5 * FPS <= found.frames <= 11 * FPS


async def test_what_never_began_leaves_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, PLENTY)
    for kind in ("mp4", "hls"):
        path = shelf.claim("one", kind)
        await FileSink(shelf, path, kind, SIZE, FPS, aac=False).run(Script([]), nothing)
    assert os.listdir(tmp_path) == []


