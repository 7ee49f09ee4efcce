"""Reads a clip: any file that PyAV opens, brought to 25 frames a second and a size that the face mesh is happy with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.core.errors import InvalidField
from realtime.core.units import FRAME_S

Picture = NDArray[np.uint8]
"""BGR, (height, width, 3)."""

MAX_SIDE_PX: Final = 720
"""Larger pictures are made smaller: the mesh looks at 192 pixels of a face."""


def frames(path: Path, start_s: float, end_s: float) -> Iterator[Picture]:
    """The pictures of `start_s` to `end_s`, one every 40 ms of media time: the last one shown by then.

    Raises `InvalidField(field="video")` for what cannot be opened or holds no pictures."""
    try:
        with av.open(str(path)) as file:
            if not file.streams.video:
                raise InvalidField(f"{path.name} holds no pictures", field="video")
            stream = file.streams.video[0]
            stream.thread_type = "NONE"
            wanted, last, first_s = 0, None, None
            for frame in file.decode(stream):
                at_s = float(frame.time or 0.0)
                first_s = at_s if first_s is None else first_s
                while last is not None and start_s + wanted * FRAME_S < at_s - first_s - FRAME_S / 2:
                    if start_s + wanted * FRAME_S > end_s:
                        return
                    yield last
                    wanted += 1
                if at_s - first_s >= start_s - FRAME_S / 2:
                    last = _small(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            if last is not None:
                yield last
    except (av.error.FFmpegError, OSError) as error:
        raise InvalidField(f"{path} cannot be read as a video: {error.strerror}", field="video") from error


def _small(picture: Picture) -> Picture:
    shrink = MAX_SIDE_PX / max(picture.shape[:2])
    if shrink >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
