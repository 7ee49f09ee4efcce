"""Watches a clip with mediapipe: the face's mesh and the shoulders in every picture, and what light and cuts there are.

Nothing of a picture is kept beyond these numbers."""

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.topology import ALL_POINTS, CHIN, FOREHEAD
from models.vision.footage import Picture
from realtime.core.errors import PackError

Floats = NDArray[np.float64]

_SECOND_FACE: Final = 0.35
"""A face in the background, smaller than this part of the main one, does not count."""
_SHOULDERS: Final = (11, 12)
_SEEN: Final = 0.6
"""A shoulder counts from this visibility on."""
_THUMB_PX: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one picture shows."""

    face: Floats | None
    """(478, 3) in pixels, z away from the viewer; None if no face was found."""
    faces: int
    shoulders: Floats | None
    """(2, 2) in pixels, the picture's left one first; None if they are not to be seen."""
    light: float
    """Median brightness of the face, 0..255."""
    change: float
    """Mean change of the picture against the one before, 0..255."""


class Watcher:
    """mediapipe's face mesh and pose, tracking. Raises `PackError` if the extra `vision` is not installed."""

    def __init__(self) -> None:
        os.environ.setdefault("GLOG_minloglevel", "3")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its generated protobuf modules use deprecated calls
                from mediapipe.python.solutions.face_mesh import FaceMesh
                from mediapipe.python.solutions.pose import Pose

                self._mesh: Any = FaceMesh(max_num_faces=2, refine_landmarks=True, min_detection_confidence=0.4)
                self._pose: Any = Pose(model_complexity=1, smooth_landmarks=False)
        except ImportError as error:
            raise PackError("recording needs mediapipe: install Anima with the extra `vision`") from error
        self._before: NDArray[np.float32] | None = None

    def look(self, picture: Picture) -> Seen:
        """What the next picture of the clip shows."""
        height, width, _ = picture.shape
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self._mesh.process(rgb).multi_face_landmarks or ()
            body = self._pose.process(rgb).pose_landmarks
        faces = [np.array([(p.x * width, p.y * height, p.z * width) for p in one.landmark]) for one in found]
        faces = sorted((one for one in faces if len(one) == ALL_POINTS), key=_height, reverse=True)
        count = sum(_height(one) >= _SECOND_FACE * _height(faces[0]) for one in faces)
        shoulders = None
        if body is not None and all(body.landmark[i].visibility >= _SEEN for i in _SHOULDERS):
            pair = np.array([(body.landmark[i].x * width, body.landmark[i].y * height) for i in _SHOULDERS])
            shoulders = pair[np.argsort(pair[:, 0])]
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        thumb = cv2.resize(grey, (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        change = 0.0 if self._before is None else float(np.abs(thumb - self._before).mean())
        self._before = thumb
        return Seen(faces[0] if faces else None, count, shoulders, _light(grey, faces), change)

    def close(self) -> None:
        """Free the models."""
        self._mesh.close()
        self._pose.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def watch(pictures: Iterable[Picture]) -> list[Seen]:
    """What every picture of a clip shows."""
    with Watcher() as watcher:
        return [watcher.look(picture) for picture in pictures]


def _height(face: Floats) -> float:
    return float(np.hypot(*(face[CHIN, :2] - face[FOREHEAD, :2])))


def _light(grey: NDArray[Any], faces: list[Floats]) -> float:
    if not faces:
        return float(np.median(grey))
    low = np.maximum(faces[0][:, :2].min(0).astype(int), 0)
    high = faces[0][:, :2].max(0).astype(int)
    part = grey[low[1] : high[1], low[0] : high[0]]
    return float(np.median(part if part.size else grey))
