"""The independent judge of mouths: mediapipe's face mesh on received pictures. It knows nothing of our rig."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

_UPPER_INNER_LIP: Final = 13
_LOWER_INNER_LIP: Final = 14
_CORNERS: Final = (61, 291)
_FOREHEAD: Final = 10
_CHIN: Final = 152


@dataclass(frozen=True, slots=True)
class Mouth:
    """One picture's mouth. Lengths are shares of the height of the face."""

    openness: float
    width: float
    box: tuple[float, float, float, float]
    """x, y, width, height in pixels around the lips."""


class MouthJudge:
    """Finds the mouth in pictures. `tracking` carries the face over from picture to picture, as in a video."""

    def __init__(self, *, tracking: bool = False) -> None:
        os.environ.setdefault("GLOG_minloglevel", "3")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its generated protobuf modules use deprecated calls
            from mediapipe.python.solutions.face_mesh import FaceMesh

            self._mesh: Any = FaceMesh(
                static_image_mode=not tracking, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3
            )

    def look(self, bgr: NDArray[np.uint8]) -> Mouth | None:
        """The mouth in a picture, uint8 of shape (height, width, 3); None where no face is found."""
        height, width, _ = bgr.shape
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self._mesh.process(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)).multi_face_landmarks
        if not found:
            return None
        points = np.array([(p.x * width, p.y * height) for p in found[0].landmark])
        face_px = float(np.linalg.norm(points[_FOREHEAD] - points[_CHIN]))
        lips = points[[*_CORNERS, _UPPER_INNER_LIP, _LOWER_INNER_LIP]]
        left, top = lips.min(axis=0)
        right, bottom = lips.max(axis=0)
        return Mouth(
            openness=float(np.linalg.norm(points[_UPPER_INNER_LIP] - points[_LOWER_INNER_LIP])) / face_px,
            width=float(np.linalg.norm(points[_CORNERS[0]] - points[_CORNERS[1]])) / face_px,
            box=(float(left), float(top), float(right - left), float(bottom - top)),
        )

    def openness(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Openness of each picture, NaN where no face is found, shape (pictures,)."""
        seen = (self.look(picture) for picture in pictures)
        return np.array([np.nan if mouth is None else mouth.openness for mouth in seen])

    def close(self) -> None:
        """Free the model."""
        self._mesh.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
