"""Every kind of output at once from one session: it is rendered once, and encoded once for each codec."""

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import av
import pytest

from realtime.core.values import Frame, Pcm
from server.media.audio_encoder import OpusEncoder
from server.media.packets import EncodedSound, EncodedVideo
from server.media.video_encoder import H264Encoder
from server.outputs.book import Kind, OutputWish
from server.outputs.muxer import AacTrack
from server.sessions.session import Session
from tests.interop.conftest import needs_pion
from tests.interop.janus import janus, needs_janus
from tests.interop.test_mountpoint import mountpoint, watching
from tests.interop.test_outputs import TOKEN, pion
from tests.server.outputs.ports import free_port, free_udp_ports
from tests.server.outputs.stage import until
from tests.server.outputs.test_rtmp import needs_nginx, nginx
from tests.server.outputs.test_srt import needs_receiver
from tests.server.sessions.test_session import SPEC, House

pytestmark = [pytest.mark.slow, needs_pion, needs_janus, needs_nginx, needs_receiver]
PICTURES = 120


class Counts:
    """How often each picture and each tick of sound is encoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pictures: Counter[tuple[H264Encoder, int]] = Counter()
        """By encoder: one exists for each rung that somebody watches."""
        self.opus: Counter[int] = Counter()
        self.aac: set[AacTrack] = set()
        encode, opus, aac = H264Encoder.encode, OpusEncoder.encode, AacTrack.encode

        def picture(own: H264Encoder, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
            self.pictures[own, frame.index] += 1
            return encode(own, frame, keyframe=keyframe, bitrate_bps=bitrate_bps)

        def sound(own: OpusEncoder, tick: int, pcm: Pcm, **how: Any) -> EncodedSound:
            self.opus[tick] += 1
            return opus(own, tick, pcm, **how)

        def other_sound(own: AacTrack, pts: int, pcm: Pcm) -> list[Any]:
            self.aac.add(own)
            return aac(own, pts, pcm)

        monkeypatch.setattr(H264Encoder, "encode", picture)
        monkeypatch.setattr(OpusEncoder, "encode", sound)
        monkeypatch.setattr(AacTrack, "encode", other_sound)


@contextmanager
def srt_receiver(port: int, path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Haivision's receiver, writing what it gets to a file."""
    command = ("srt-live-transmit", "-q", "-a:no", f"srt://127.0.0.1:{port}?mode=listener", "file://con")
    with path.open("wb") as out, subprocess.Popen(command, stdout=out) as process:
        try:
            yield process
        finally:
            process.kill()


def told(session: Session) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in session.outputs.all()}


def pictures_in(path: Path) -> int:
    """Decoded pictures; there is sound too, and it can be decoded."""
    with av.open(str(path)) as file:
        assert sum(frame.samples for frame in file.decode(audio=0)) > 48_000
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0))


async def test_all_at_once_cost_one_rendering_and_one_encoding_per_codec(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(monkeypatch)
    session = await house.sessions.create(SPEC)
    rtmp_port, srt_port, rtp_port = free_port(), free_port(), free_udp_ports(4)
    async with AsyncExitStack() as stack:
        recordings = stack.enter_context(nginx(tmp_path, rtmp_port))
        receiving = stack.enter_context(srt_receiver(srt_port, tmp_path / "got.ts"))
        whip = await stack.enter_async_context(pion(tmp_path))
        api = await stack.enter_async_context(janus(tmp_path, mountpoint(rtp_port, "h264")))
        wishes: dict[Kind, OutputWish] = {
            "mp4": OutputWish("mp4", name="all"),
            "hls": OutputWish("hls", name="all"),
            "rtmp": OutputWish("rtmp", f"rtmp://127.0.0.1:{rtmp_port}/live", "the-key"),
            "srt": OutputWish("srt", f"srt://127.0.0.1:{srt_port}"),
            "whip": OutputWish("whip", f"{whip}/whip", TOKEN),
            "rtp": OutputWish("rtp", f"rtp://127.0.0.1:{rtp_port}"),
        }
        for wish in wishes.values():
            await session.outputs.open(wish)
        await until(lambda: {one["state"] for one in told(session).values()} == {"live"}, "all are live", 60.0)
        async with watching(api) as seen:
            began = told(session)["mp4"]["pictures"]
            await session.say("one two three")
            await until(lambda: told(session)["mp4"]["pictures"] >= began + PICTURES, "pictures", 60.0)
            await until(lambda: seen.frames >= 10 and seen.ticks >= 10, "the mountpoint's watcher sees and hears")
        await house.sessions.close(session.id, "the test is over")
        await until(lambda: "deleteStream" in (tmp_path / "error.log").read_text(), "nginx closes the stream")
        await asyncio.to_thread(receiving.wait, 20.0)
        ended = told(session)
    assert {kind: (one["state"], one["attempts"]) for kind, one in ended.items() if kind != "srt"} == {
        kind: ("ended", 1) for kind in wishes if kind != "srt"
    }
    # the receiver of SRT may be up later than we are
    assert ended["srt"]["state"] == "ended"
    assert set(counts.pictures.values()) == {1} == set(counts.opus.values()), "each encoder sees each picture once"
    shares = Counter(index for _, index in counts.pictures)
    # the path by WHIP has an estimate of its own, and may be given the next lower rate; the other five share one
    assert max(shares.values()) <= 2, "no more encodings than rates"
    assert len(counts.aac) == 3, "hls, rtmp and srt have no Opus: one AAC each"
    (published,) = recordings.iterdir()
    shelf = tmp_path / "shelf"
    for path in (shelf / "all.mp4", shelf / "all" / "index.m3u8", published, tmp_path / "got.ts"):
        assert pictures_in(path) >= PICTURES, path.name
    assert ended["mp4"]["pictures"] <= len(shares)
