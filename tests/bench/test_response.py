"""What the response bench makes of what was recorded."""

import numpy as np
import pytest

from bench.browser import Recording, ShownFrame
from bench.response import displayed_ms
from bench.watching import audible
from client.viewer.viewer import HeardSound


def shown(rtp: int | None, display_ms: float) -> ShownFrame:
    return ShownFrame(now_ms=display_ms, display_ms=display_ms, received_ms=None, rtp=rtp, presented=0, bgr=None)


def recording(*frames: ShownFrame) -> Recording:
    return Recording(frames, np.zeros(0), np.zeros(0))


def test_the_first_picture_of_the_speech_counts() -> None:
    frames = recording(shown(None, 1.0), shown(1000, 40.0), shown(4600, 80.0), shown(8200, 120.0))
    assert displayed_ms(frames, 1000, 0.04) == 80.0
    assert displayed_ms(frames, 1000, 0.041) == 120.0
    with pytest.raises(LookupError):
        displayed_ms(frames, 1000, 1.0)


def test_media_time_survives_the_wrap_of_rtp_time() -> None:
    frames = recording(shown(2**32 - 1800, 40.0), shown(1800, 80.0))
    assert displayed_ms(frames, 2**32 - 3600, 0.06) == 80.0


def heard(level: float, samples: int) -> HeardSound:
    pcm = np.zeros(960, np.int16)
    pcm[-samples:] = round(level * 32768)
    return HeardSound(pcm, 0, 0.0, None)


def test_a_packet_is_audible_when_its_end_is() -> None:
    assert audible(heard(0.02, 120))
    assert not audible(heard(0.001, 960))
    assert not audible(heard(0.02, 1))
