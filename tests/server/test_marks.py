"""How sessions are marked as the settings say, and the command that reads a mark back."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from models.marks.label import label
from realtime.core.values import Frame, FrameTrace
from server.cli import main
from server.config import Config
from server.marks import Marks, Source
from server.provenance import ProvenanceLog
from server.surfaces import SessionSpec
from tests.core.test_mark import scene


def marks(path: Path, **settings: object) -> Marks:
    config = Config(provenance_log=path, **settings)  # type: ignore[arg-type]
    source = Source("digest", "drawn by code")
    return Marks(config, ProvenanceLog(config.provenance_path), label, lambda name: source, {"voice": "espeak-ng"})


def spec(**wishes: object) -> SessionSpec:
    return SessionSpec("mei", "en", "default", **wishes)  # type: ignore[arg-type]


def test_every_session_has_a_mark_of_its_own(tmp_path: Path) -> None:
    made = marks(tmp_path / "p.jsonl")
    for session in ("one", "two"):
        assert made.marking(session, spec(), 512, 512) is not None
    records = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [record["session"] for record in records] == ["one", "two"]
    assert len({record["identity"] for record in records}) == 2
    assert all(record["models"] == {"voice": "espeak-ng"} and record["pack"] == "digest" for record in records)


def test_what_is_switched_off_is_not_done(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    assert marks(path, ai_label="off", watermark=False).marking("s", spec(), 512, 512) is None
    assert not path.exists()
    assert marks(path, ai_label="off").marking("s", spec(), 512, 512) is not None and path.exists()


def test_a_picture_too_small_for_the_mark_is_labelled_only(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    assert marks(path).marking("s", spec(), 128, 128) is not None and not path.exists()


def test_a_packed_matte_is_not_marked(tmp_path: Path) -> None:
    made = marks(tmp_path / "p.jsonl").marking("s", spec(background="transparent"), 512, 1024)
    assert made is not None
    pixels = np.full((1536, 512), 128, np.uint8)
    pixels[512:1024] = 16
    shown = made(Frame(0, 0, 0.0, 0, pixels, FrameTrace())).pixels
    outside_the_label = shown[512 : 512 + 300]
    assert np.all(outside_the_label == 16) and np.any(shown[:300] != 128)


def marked_video(path: Path, records: Path) -> Path:
    made = marks(records, ai_label="off").marking("shop-1", spec(), 512, 512)
    assert made is not None
    pixels = np.full((768, 512), 128, np.uint8)
    pixels[:512] = scene(7)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 512
        stream.pix_fmt = "yuv420p"
        for index in range(30):
            shown = made(Frame(index, index * 3600, index / 25, 0, pixels, FrameTrace())).pixels
            for packet in stream.encode(av.VideoFrame.from_ndarray(shown, format="yuv420p")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_the_command_tells_where_a_video_comes_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = tmp_path / "p.jsonl"
    video = marked_video(tmp_path / "clip.mp4", records)
    assert main(["verify", str(video), "--provenance-log", str(records)]) == 0
    assert "shop-1" in capsys.readouterr().out
    assert main(["verify", str(video), "--json", "--provenance-log", str(tmp_path / "none.jsonl")]) == 0
    told = json.loads(capsys.readouterr().out)["mark"]
    assert len(told["identity"]) == 16 and told["record"] is None and told["agreeing"] == told["windows"]


def test_the_command_says_when_there_is_no_mark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "plain.png"
    frame = av.VideoFrame.from_ndarray(np.full((512, 512, 3), 90, np.uint8), format="rgb24")
    codec = av.CodecContext.create("png", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width = codec.height = 512
    codec.pix_fmt = "rgb24"
    codec.framerate = 25  # type: ignore[assignment]
    picture.write_bytes(b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)]))
    assert main(["verify", str(picture)]) == 1
    assert "no mark" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "missing.mp4")]) == 1
    assert "no file" in capsys.readouterr().err
