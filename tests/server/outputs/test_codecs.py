"""Which codec each output gets, and that a session whose viewers have another one is recorded all the same."""

from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest

from client.viewer import HeadlessViewer
from realtime.core.errors import InvalidField
from server.media.codecs import VIDEO_CODECS, VideoCodec
from server.outputs.codecs import FED, TAKEN, Kind, codec_of
from server.outputs.feed import Feed
from server.outputs.files import FileSink
from server.outputs.samples import Picture, Sample, Sound
from server.outputs.shelf import Shelf
from server.outputs.tap import SoundTap
from tests.server.outputs.stage import nothing
from tests.server.rtc.rig import HEIGHT, WIDTH, patches, psnr_db, session, tone, until


def test_every_kind_of_output_has_its_codecs() -> None:
    assert set(TAKEN) == set(get_args(Kind))
    assert all(codecs and set(codecs) <= set(VIDEO_CODECS) for codecs in TAKEN.values())
    # RTMP as servers know it (FLV) has no other one, and what the feed hands on are its NAL units
    assert FED == "H264" and all(TAKEN[kind] == (FED,) for kind in ("mp4", "hls", "rtmp", "srt"))


def test_a_codec_is_named_in_any_case_or_refused_with_what_is_taken() -> None:
    assert [codec_of("rtp", name, "url") for name in ("h264", "Vp8", "VP9", "av1")] == list(VIDEO_CODECS)
    with pytest.raises(InvalidField) as caught:
        codec_of("rtp", "h265", "url")
    assert (caught.value.field, caught.value.limit) == ("url", "codec=h264, vp8, vp9 or av1")
    with pytest.raises(InvalidField) as caught:
        codec_of("rtmp", "av1", "url")
    assert caught.value.limit == "codec=h264"


@pytest.mark.parametrize("codec", ["VP9", "AV1"])
async def test_what_viewers_watch_in_another_codec_is_recorded(tmp_path: Path, codec: VideoCodec) -> None:
    async with session() as rig, HeadlessViewer(signaller=rig, video_codec=codec) as viewer:
        await anext(viewer.frames())
        feed = Feed(rig.egress, SoundTap(tone), "opus", 4.0)
        feed.begin()
        taken: list[Sample] = []
        while sum(isinstance(one, Picture) for one in taken) < 30:
            taken += await feed.take()
        assert {name.split()[0] for name in rig.egress.census()} == {codec, "H264"}
        feed.end()
        await until(lambda: {name.split()[0] for name in rig.egress.census()} == {codec})
        assert (await anext(viewer.frames())).pixels.shape == (HEIGHT * 3 // 2, WIDTH), "the viewer stays"
    assert isinstance(taken[0], Picture) and taken[0].keyframe and any(isinstance(one, Sound) for one in taken)
    shelf = Shelf(tmp_path, 10**9)
    path = shelf.claim("one", "mp4")
    await FileSink(shelf, path, "mp4", (WIDTH, HEIGHT), 25, aac=False).run(_Taken(feed, taken), nothing)
    with av.open(str(path)) as file:
        assert file.streams.video[0].codec_context.name == "h264"
        last = [frame.to_ndarray() for frame in file.decode(video=0)][-1]
    assert psnr_db(np.asarray(last), patches()) > 40


class _Taken(Feed):
    """A feed that gives what another one gave, and ends."""

    def __init__(self, feed: Feed, taken: list[Sample]) -> None:
        super().__init__(feed._egress, feed._tap, "opus", 4.0)
        self._taken = taken

    def begin(self) -> None:
        """Nothing is encoded for it."""

    async def take(self) -> list[Sample]:
        """All, and then nothing."""
        taken, self._taken = self._taken, []
        return taken
