"""The encoders' bench: what lies between measured points, and each of the server's encoders read back."""

import numpy as np
import pytest

from bench.encoders import _OWN, CANDIDATES, at_quality, judge
from models.avatar.projection import PICTURE_PX
from realtime.core.values import Frame, FrameTrace
from server.media.codecs import VIDEO_CODECS


def test_rate_and_cost_at_a_quality_lie_between_the_points_around_it() -> None:
    points = [
        {"luma_db": 46.0, "rate_bps": 800_000, "encode_ms": 3.0},
        {"luma_db": 40.0, "rate_bps": 200_000, "encode_ms": 1.0},
        {"luma_db": 48.0, "rate_bps": 900_000, "encode_ms": 9.0},
    ]
    assert at_quality(points, 43.0) == {"rate_bps": 400_000, "encode_ms": 2.0}
    assert at_quality(points, 39.0) is None and at_quality(points, 49.0) is None


@pytest.mark.parametrize("candidate", [one for one in CANDIDATES if one.options is None], ids=lambda one: one.name)
def test_each_of_the_servers_encoders_gives_back_what_it_got(candidate: object) -> None:
    rng = np.random.default_rng(3)
    pixels = np.full((PICTURE_PX * 3 // 2, PICTURE_PX), 128, np.uint8)
    pixels[:PICTURE_PX] = np.kron(rng.integers(60, 200, (16, 16), np.uint8), np.ones((32, 32), np.uint8))
    frames = [Frame(at, at * 3600, at / 25, 0, pixels, FrameTrace()) for at in range(16)]
    found = judge(next(one for one in CANDIDATES if one is candidate), frames, 750_000)
    assert found["late_frames"] == 0 and found["luma_db"] > 38 and found["keyframe_bytes"] > 500
    assert set(_OWN.values()) == set(VIDEO_CODECS)
