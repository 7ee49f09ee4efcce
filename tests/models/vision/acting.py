"""A clip whose motion is known: the test photo's portrait nods, blinks, smiles and turns, filmed to a file."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from models.avatar.portrait.preview import Frames
from realtime.core.facs import REST, Controls
from realtime.core.primitives import Primitive
from realtime.core.units import FRAME_RATE_HZ, FRAME_S
from realtime.core.values import I420
from realtime.ports import Avatar

ACT = Primitive(
    "act", "gesture", 4.8,
    {
        "pitch": ((0, 0), (0.5, 0), (0.8, 9.0), (1.1, -3.0), (1.4, 7.0), (1.8, 0), (4.8, 0)),
        "yaw": ((0, 0), (3.2, 0), (3.6, 8.0), (4.1, -6.0), (4.5, 0), (4.8, 0)),
        "roll": ((0, 0), (2.2, 0), (2.6, 6.0), (3.0, 0), (4.8, 0)),
        "blink_l": ((0, 0), (0.30, 0), (0.42, 1), (0.58, 0), (2.5, 0), (2.62, 1), (2.80, 0), (4.8, 0)),
        "blink_r": ((0, 0), (0.30, 0), (0.42, 1), (0.58, 0), (2.5, 0), (2.62, 1), (2.80, 0), (4.8, 0)),
        "AU12": ((0, 0), (1.6, 0), (2.1, 0.9), (3.2, 0.9), (3.7, 0), (4.8, 0)),
        "AU6": ((0, 0), (1.6, 0), (2.1, 0.6), (3.2, 0.6), (3.7, 0), (4.8, 0)),
        "AU1": ((0, 0), (3.7, 0), (4.0, 0.8), (4.3, 0.8), (4.6, 0), (4.8, 0)),
        "AU2": ((0, 0), (3.7, 0), (4.0, 0.8), (4.3, 0.8), (4.6, 0), (4.8, 0)),
    },
    "What the recorder is tested with.",
)  # fmt: skip


def acted(clip: Primitive = ACT) -> list[Controls]:
    """The clip's controls, one per frame."""
    return [Controls(REST.vector + clip.offsets(i * FRAME_S)) for i in range(round(clip.duration_s / FRAME_S) + 1)]


def performed(avatar: Avatar, controls: Sequence[Controls]) -> list[I420]:
    """The frames of an avatar that makes these faces."""
    frames = Frames(avatar)
    return [frames.picture(one) for one in controls]


def film(pictures: Sequence[I420], path: Path) -> Path:
    """Frames as an MP4."""
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=FRAME_RATE_HZ)
        video.height, video.width = pictures[0].shape[0] * 2 // 3, pictures[0].shape[1]
        video.pix_fmt, video.options = "yuv420p", {"crf": "20", "preset": "veryfast", "threads": "1"}
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE_HZ)
            file.mux(video.encode(frame))
        file.mux(video.encode())
    return path
