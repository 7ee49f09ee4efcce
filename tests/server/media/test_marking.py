"""Marking of a stream's pictures: counted work, shared pictures left alone, the mark read back from encoded video."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from models.marks.label import label
from realtime.core.errors import InvalidField, NotFound
from realtime.core.values import I420, Frame, FrameTrace
from server.media.marking import Marking
from server.provenance import Provenance, ProvenanceLog, new_identity
from server.verify import verify
from tests.core.test_mark import IDENTITY, scene


def frame(pixels: I420, index: int = 0) -> Frame:
    return Frame(index, index * 3600, index * 0.04, 0, pixels, FrameTrace())


def picture(seed: int) -> I420:
    pixels = np.full((768, 512), 128, np.uint8)
    pixels[:512] = scene(seed)
    return pixels


def test_a_picture_shown_again_is_not_marked_again_and_the_original_stays() -> None:
    marking = Marking(512, 512, label=label("en", "top-left", 512, 512), identity=IDENTITY)
    shared = picture(1)
    before = shared.copy()
    first = marking(frame(shared))
    again = marking(frame(shared, 1))
    assert marking.marked == 1 and again.pixels is first.pixels and again.index == 1
    assert np.array_equal(shared, before) and not np.array_equal(first.pixels, before)
    marking(frame(picture(2), 2))
    assert marking.marked == 2


def test_nothing_to_mark_costs_nothing() -> None:
    one = frame(picture(1))
    assert Marking(512, 512, label=None, identity=None)(one) is one


def test_a_packed_matte_is_not_marked() -> None:
    packed = np.full((1536, 512), 128, np.uint8)
    packed[:512] = scene(1)
    packed[512:1024] = 235
    made = Marking(512, 512, label=None, identity=IDENTITY)(frame(packed)).pixels
    assert np.all(made[512:1024] == 235) and not np.array_equal(made[:512], packed[:512])


def video(path: Path, pictures: list[I420], codec: str, size: int = 512, bitrate_bps: int = 500_000) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(25))
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = bitrate_bps
        if codec == "libx264":
            stream.options = {"preset": "superfast", "tune": "zerolatency"}
        else:
            stream.options = {"deadline": "realtime", "cpu-used": "5"}
        for pixels in pictures:
            made = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            for packet in stream.encode(made.reformat(width=size, height=size)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def moving(count: int) -> list[I420]:
    """A still scene in which a patch moves, as in a talking picture."""
    out = []
    for number in range(count):
        pixels = picture(5)
        at = 200 + 8 * (number % 10)
        pixels[at : at + 60, 220:300] = 60 + 10 * (number % 7)
        out.append(pixels)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
def test_the_mark_survives_a_codec_at_500_kbit_and_one_rescale(tmp_path: Path, codec: str) -> None:
    marking = Marking(512, 512, label=None, identity=IDENTITY)
    marked = [marking(frame(pixels, index)).pixels for index, pixels in enumerate(moving(75))]
    for size in (512, 384):
        found = verify(video(tmp_path / f"{size}.mkv", marked, codec, size))
        assert found is not None and found.identity == IDENTITY and found.agreeing >= 2
    assert verify(video(tmp_path / "plain.mkv", moving(50), codec)) is None


def test_files_that_hold_no_picture_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        verify(tmp_path / "missing.mp4")
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(InvalidField, match="cannot be read"):
        verify(text)


def test_records_are_found_by_their_mark_and_odd_lines_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "provenance.jsonl"
    log = ProvenanceLog(path)
    assert log.find(1) is None
    records = [
        Provenance(f"{number:016x}", "2026-01-01T00:00:00+00:00", f"s{number}", "1", "mira", "abc", "drawn by code")
        for number in (1, 2)
    ]
    assert log.add(records[0])
    with path.open("a") as lines:
        lines.write("not json\n[1]\n")
    assert log.add(records[1])
    found = log.find(2)
    assert found is not None and found["session"] == "s2" and log.find(3) is None


def test_a_disk_that_fails_costs_the_record_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    record = Provenance("0" * 16, "now", "s", "1", "mira", "abc", "drawn by code")
    assert not ProvenanceLog(blocked / "provenance.jsonl").add(record)
    assert not ProvenanceLog(tmp_path / "p.jsonl").add(
        Provenance("0" * 16, "now", "s", "1", "mira", "abc", "x" * 20_000)
    )


def test_identities_are_drawn_anew() -> None:
    assert len({new_identity() for _ in range(100)}) == 100


def test_a_stream_begins_with_the_stronger_mark() -> None:
    marking = Marking(512, 512, label=None, identity=IDENTITY)
    pixels = picture(1)

    def changed(index: int) -> float:
        made = marking(frame(pixels.copy(), index)).pixels
        return float(np.mean(np.square(made.astype(int) - pixels)))

    first, last, settled = changed(100), changed(100 + 49), changed(100 + 50)
    assert first == last > 3 * settled, "for two seconds, counted from its first picture"
