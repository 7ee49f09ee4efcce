"""Names of codecs: what is not encoded is said to be so, never taken for another."""

from typing import cast

import pytest

from server.media.codecs import VIDEO_CODECS, VideoCodec, video_codec
from server.media.video_encoder import open_encoder


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_names_are_known_in_any_case(codec: VideoCodec) -> None:
    assert video_codec(codec) == video_codec(codec.lower()) == codec


@pytest.mark.parametrize("name", ["", "H265", "rtx", "VP8 "])
def test_another_codec_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="only as H264, VP8, VP9, AV1"):
        video_codec(name)
    with pytest.raises(ValueError, match="no encoder"):
        open_encoder(cast(VideoCodec, name), 64, 64, 25, ceiling_bps=100_000)
