"""The marks' bench: which codecs it encodes as, and pictures that come back from each of them, one for one."""

import numpy as np
import pytest

from bench.marks import USUAL, chosen, sent
from models.avatar.projection import PICTURE_PX
from realtime.core.values import Frame, FrameTrace
from server.media.codecs import VIDEO_CODECS, VideoCodec


def test_codecs_are_named_in_any_case_and_left_out_for_the_usual_ones() -> None:
    assert chosen("") == USUAL
    assert chosen("vp9, AV1") == ("VP9", "AV1")
    with pytest.raises(ValueError, match="HEVC"):
        chosen("HEVC")


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_as_many_pictures_come_back_as_were_sent(codec: VideoCodec) -> None:
    pixels = np.full((PICTURE_PX * 3 // 2, PICTURE_PX), 128, np.uint8)
    frames = [Frame(at, at * 3600, at / 25, 0, pixels, FrameTrace()) for at in range(3)]
    shown = sent(frames, codec)
    assert [one.shape for one in shown] == [pixels.shape] * 3
    assert all(abs(float(one[:PICTURE_PX].mean()) - 128) < 3 for one in shown)
