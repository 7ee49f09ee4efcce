"""A mouth net at work: one for all sessions of a process, and for each session what it has heard and its own face.

A net that fails three times in a row is left alone for ten seconds, then tried once; each rest is twice as long as the
one before, up to two minutes. It is never given up for good: a device that was out of memory may have some again."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.avatar import PortraitAvatar
from models.diffusion.door.face_box import Box, FaceBoxes
from models.diffusion.door.files import first_line
from models.diffusion.door.hearing import Frames, around
from models.diffusion.door.mouth import Bytes, MouthNet
from models.diffusion.spec import raised_cosine
from realtime.core.breaker import FAILURES, Breaker
from realtime.core.composite import crop
from realtime.core.errors import PackError
from realtime.core.listening import Decimator
from realtime.core.spoken import Hears, Stretch
from realtime.core.values import I420, BaseKey, Patch, Roi
from realtime.ports import Avatar

log = logging.getLogger(__name__)

EDGE_SHARE: Final = 0.18
"""Of a mouth's shorter side, over which what was made fades into what was drawn."""
HEARS: Final = Hears()
_TRIALS: Final = 3
_LINE_CHARS: Final = 200
_LONG_S: Final = 0.5
"""A trial that takes so long says enough."""


class Mouthpiece:
    """The net, its health, and what a mouth takes on its device."""

    def __init__(self, net: MouthNet, clock: Callable[[], float] = time.monotonic) -> None:
        """Tries the net on nothing. Raises `PackError` for one that does not work."""
        self.net = net
        self._clock = clock
        self._health, self._guarded = Breaker(), threading.Lock()
        self._failed = 0
        self._about = ""
        self.guess_s = self._tried()

    @property
    def name(self) -> str:
        """The net's own name."""
        return self.net.card.name

    @property
    def about(self) -> str:
        """What is wrong with it, in words; empty if nothing is."""
        return self._about

    @property
    def rests(self) -> bool:
        """Whether it is left alone, for it failed."""
        with self._guarded:
            return self._health.wait_s(self._clock()) > 0

    def of(self, avatar: Avatar) -> "SessionMouth | None":
        """A session's mouth; None for avatars that are no portraits."""
        return SessionMouth(self, FaceBoxes(avatar.assets)) if isinstance(avatar, PortraitAvatar) else None

    def worked(self) -> None:
        """A mouth was made."""
        with self._guarded:
            self._health.succeeded()
            again, self._failed, self._about = self._failed >= FAILURES, 0, ""
        if again:
            log.info("the mouth net %s works again", self.name)

    def failed(self, error: Exception) -> None:
        """It was not."""
        why = first_line(error, _LINE_CHARS)
        with self._guarded:
            now_s = self._clock()
            self._health.failed(now_s)
            self._failed += 1
            rest_s = self._health.wait_s(now_s)
            if rest_s:
                self._about = f"{self.name} failed {self._failed} times in a row: {why}; mouths are as drawn"
            first = self._failed == 1
        # the first one with its place in the code; a defect that lasts would fill the log with it
        log.error("the mouth net %s failed: %s", self.name, why, exc_info=error if first else None)
        if rest_s:
            log.error("it is left alone for %.0f s; until then mouths are shown as they are drawn", rest_s)

    def _tried(self) -> float:
        """What a mouth takes once everything is warm, in seconds; a new stretch of sound included."""
        face = np.full((self.net.side_px, self.net.side_px, 3), 128, np.uint8)
        best_s = float("inf")
        for trial in range(_TRIALS):
            begin_s = time.perf_counter()
            try:
                frames = self.net.features.encode(np.zeros(16_000, np.int16))
                self.net.speak(face, around(frames, 0.5))
            except Exception as error:  # whatever a foreign file makes the libraries raise, it is the file's fault
                raise PackError(f"{self.name} does not work: {first_line(error, _LINE_CHARS)}") from error
            took_s = time.perf_counter() - begin_s
            best_s = min(best_s, took_s)
            if trial and took_s > _LONG_S:
                break
        return best_s


class SessionMouth:
    """One session's, behind the port `MouthMaker`. Keeps the encoding of one stretch of its session's sound."""

    def __init__(self, piece: Mouthpiece, boxes: FaceBoxes) -> None:
        self._piece, self._boxes = piece, boxes
        self._heard: tuple[Stretch, Frames] | None = None

    @property
    def name(self) -> str:
        return self._piece.name

    @property
    def kind(self) -> str:
        return f"mouth net on {self._piece.net.device}"

    @property
    def area_px(self) -> int:
        return self._piece.net.side_px**2

    @property
    def guess_s(self) -> float:
        return self._piece.guess_s

    @property
    def hears(self) -> Hears:
        return HEARS

    def speak(self, picture: I420, key: BaseKey, sound: Stretch, media_s: float, share: float) -> Patch | None:
        """See `MouthMaker.speak`."""
        if self._piece.rests:
            return None
        try:
            box = self._boxes.at(key)
            tokens = around(self._encoded(sound), media_s - sound.start_s)
            made = self._piece.net.speak(taken(picture, box, self._piece.net.side_px), tokens)
            patch = laid(made, box, picture, share)
        except Exception as error:  # a frame as it was drawn is a good frame
            self._heard = None
            self._piece.failed(error)
            return None
        self._piece.worked()
        return patch

    def _encoded(self, sound: Stretch) -> Frames:
        heard = self._heard
        if heard is None or heard[0].begin != sound.begin or not np.array_equal(heard[0].pcm, sound.pcm):
            heard = self._heard = sound, self._piece.net.features.encode(Decimator().push(sound.pcm))
        return heard[1]


def taken(picture: I420, box: Box, side_px: int) -> Bytes:
    """The face, RGB (side_px, side_px, 3), stretched to a square; beyond the picture its border is continued."""
    roi = _inside(box.around, picture)
    rgb = cv2.cvtColor(crop(picture, roi), cv2.COLOR_YUV2RGB_I420)
    move = _to_face(box, roi, side_px)
    found = cv2.warpAffine(rgb, move, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8)


def laid(face: Bytes, box: Box, picture: I420, share: float) -> Patch:
    """The mouth of a made face as a patch over a picture; it takes the place of what is there by `share` in the middle
    and not at all on its border."""
    roi = _inside(box.mouth, picture)
    back = cv2.invertAffineTransform(_to_face(box, roi, len(face)))
    found = cv2.warpAffine(
        face, back, (roi.width, roi.height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    pixels = np.asarray(cv2.cvtColor(found, cv2.COLOR_RGB2YUV_I420), np.uint8)
    alpha = np.rint(window(roi.height, roi.width) * (255 * share)).astype(np.uint8)
    return Patch(roi, pixels, alpha)


def window(height: int, width: int) -> NDArray[np.float32]:
    """How much of a made mouth is shown: nothing on the border, so that there is no seam."""
    return raised_cosine(width, height, max(1.0, EDGE_SHARE * min(height, width)))


def open_mouthpiece(place: Path, device: str) -> Mouthpiece:
    """Load a folder and try it. Raises `PackError`."""
    return Mouthpiece(MouthNet(place, device))


def _to_face(box: Box, roi: Roi, side_px: int) -> NDArray[np.float64]:
    """(2, 3): from pixel indices of a rectangle to those of the face; whole numbers are pixel centres."""
    across, down = side_px / (box.right - box.left), side_px / (box.bottom - box.top)
    return np.array(
        [
            [across, 0.0, (roi.x + 0.5 - box.left) * across - 0.5],
            [0.0, down, (roi.y + 0.5 - box.top) * down - 0.5],
        ]
    )


def _inside(roi: Roi, picture: I420) -> Roi:
    """What of a rectangle lies in a picture. Raises `ValueError` if nothing does."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    return Roi(roi.x, roi.y, min(roi.width, width - roi.x), min(roi.height, height - roi.y))
