"""`anima verify FILE`: reads the invisible mark out of a video or picture and says where it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.core.errors import InvalidField, NotFound
from realtime.core.mark import MarkReader

WINDOW_PICTURES: Final = 25
"""A second of the stream is read together."""
MAX_PICTURES: Final = 1500
SIDES_PX: Final = (512, 384, 640, 768, 1024, 720, 480)
"""Sides of square pictures that are tried, besides a picture's own size: a rescaled video is scaled back."""

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Found:
    """What was read."""

    identity: int
    clarity: float
    windows: int
    """Windows of a second that were looked at."""
    agreeing: int
    """Windows in which this identity was read."""
    width: int
    height: int
    """Size at which the mark was read."""


def verify(path: Path, *, max_pictures: int = MAX_PICTURES) -> Found | None:
    """The mark that most windows carry; None if none does. One that a single window of many carries is chance.
    Raises `NotFound` without a file, `InvalidField` for one that holds no picture."""
    if not path.is_file():
        raise NotFound(f"there is no file {path}", field="file")
    windows = list(_windows(_pictures(path, max_pictures)))
    if not windows:
        raise InvalidField("the file holds no picture", field="file")
    height, width = windows[0][0].shape
    sizes = dict.fromkeys([(width, height), *((side, round(side * height / width)) for side in SIDES_PX)])
    best: Found | None = None
    for size in sizes:
        found = _read(windows, size)
        if found is not None and (best is None or (found.agreeing, found.clarity) > (best.agreeing, best.clarity)):
            best = found
        if best is not None and 2 * best.agreeing > best.windows:
            break
    return best


def _pictures(path: Path, most: int) -> Iterator[Luma]:
    try:
        with av.open(str(path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number == most:
                    return
                # only the Y plane is wanted, in limited range, whatever the file's own form is
                yield np.asarray(frame.reformat(format="yuv420p").to_ndarray()[: frame.height], np.uint8)
    except (av.FFmpegError, IndexError) as error:
        raise InvalidField(f"the file cannot be read as a video or picture: {error}", field="file") from error


def _windows(pictures: Iterator[Luma]) -> Iterator[list[Luma]]:
    window: list[Luma] = []
    for picture in pictures:
        window.append(picture)
        if len(window) == WINDOW_PICTURES:
            yield window
            window = []
    if window:
        yield window


def _read(windows: list[list[Luma]], size: tuple[int, int]) -> Found | None:
    counts: dict[int, int] = {}
    clearest: dict[int, float] = {}
    for window in windows:
        reader = MarkReader()
        for picture in window:
            if picture.shape[::-1] != size:
                picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)
            reader.feed(picture)
        identity = reader.identity
        if identity is not None:
            counts[identity] = counts.get(identity, 0) + 1
            clearest[identity] = max(clearest.get(identity, 0.0), reader.clarity)
    identity = max(counts, key=lambda one: (counts[one], clearest[one]), default=None)
    if identity is None or counts[identity] < min(2, (len(windows) + 1) // 2):
        return None
    return Found(identity, clearest[identity], len(windows), counts[identity], *size)
