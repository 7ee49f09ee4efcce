"""Finds the face in a picture and says clearly why a picture cannot become an avatar.

The limits are for pictures as people have them: a phone's portrait, a scanned photo, a drawing."""

import os
import warnings
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.numerics import Floats, closed_mask
from models.avatar.portrait.topology import ALL_POINTS, CHIN, FOREHEAD, OVAL
from realtime.core.errors import InvalidField, PackError

Picture = NDArray[np.uint8]
"""BGR, (height, width, 3)."""

MIN_FACE_PX: Final = 96
"""Least height of a face from hairline to chin. The public-domain test photo has 106; below, lips are two pixels."""
MAX_TURN_DEG: Final = 20.0
MAX_TILT_DEG: Final = 20.0
MIN_SHARPNESS: Final = 150.0
"""Least variance of the Laplacian over the face, brought to `_SHARPNESS_PX` in height. The sharp test photo has 6900;
a Gaussian of 3 pixels on a face of 106 leaves 110."""
MAX_SIDE_PX: Final = 8192

_SHARPNESS_PX: Final = 110
_DETECT_PX: Final = 1280
_MAX_FACES: Final = 4
_SECOND_FACE: Final = 0.35
"""A face in the background, smaller than this part of the main one, does not count."""
_VIEWS: Final = 7

Reason = Literal["unreadable", "no_face", "faces", "small", "turned", "tilted", "blurred"]


class UnusablePhoto(InvalidField):
    """A photo of which no portrait can be made. `reason` says why in one word, for who tells it in words of his own."""

    def __init__(self, reason: Reason, message: str, limit: str | None = None) -> None:
        super().__init__(message, field="photo", limit=limit)
        self.reason = reason


class FaceFinder:
    """mediapipe's face mesh on still pictures. Raises `PackError` if the extra `vision` is not installed."""

    def __init__(self, max_faces: int = 1) -> None:
        os.environ.setdefault("GLOG_minloglevel", "3")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its generated protobuf modules use deprecated calls
                from mediapipe.python.solutions.face_mesh import FaceMesh

                self._mesh: Any = FaceMesh(
                    static_image_mode=True,
                    max_num_faces=max_faces,
                    refine_landmarks=True,
                    min_detection_confidence=0.3,
                )
        except ImportError as error:
            raise PackError("portraits need mediapipe: install Anima with the extra `vision`") from error

    def faces(self, picture: Picture) -> list[Floats]:
        """Points (478, 3) of every face, in pixels; z grows away from the viewer."""
        height, width, _ = picture.shape
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self._mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks
        faces = [np.array([(p.x * width, p.y * height, p.z * width) for p in face.landmark]) for face in found or ()]
        return [face for face in faces if len(face) == ALL_POINTS]

    def close(self) -> None:
        """Free the model."""
        self._mesh.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class FaceCheck:
    """What was measured of a face before it was accepted."""

    height_px: float
    turn_deg: float
    pitch_deg: float
    tilt_deg: float
    sharpness: float


def check_consent(consent: str) -> None:
    """Raises `InvalidField` unless somebody stated that the person depicted agrees."""
    if len(consent.strip()) < 12:
        raise InvalidField(
            "a portrait needs a consent statement of at least 12 characters: who agreed to being animated, and to what",
            field="consent",
            limit="at least 12 characters",
        )


def check_size(picture: Picture) -> None:
    """Raises `UnusablePhoto` for pictures that are no colour pictures or too large."""
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise UnusablePhoto("unreadable", "the photo is not a colour picture")
    if max(picture.shape[:2]) > MAX_SIDE_PX:
        raise UnusablePhoto("unreadable", f"the photo is larger than {MAX_SIDE_PX} pixels", f"{MAX_SIDE_PX} px")


def find_face(picture: Picture) -> tuple[Floats, FaceCheck]:
    """Points (478, 3) of the one face in a picture, checked. Raises `UnusablePhoto` with the reason."""
    check_size(picture)
    shrink = min(1.0, _DETECT_PX / max(picture.shape[:2]))
    small = picture if shrink == 1.0 else cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    with FaceFinder(_MAX_FACES) as finder:
        faces = sorted(finder.faces(np.asarray(small, np.uint8)), key=_height_px, reverse=True)
    if not faces:
        raise UnusablePhoto("no_face", "no face was found in the photo; it must show one, from the front")
    if len(faces) > 1 and _height_px(faces[1]) > _SECOND_FACE * _height_px(faces[0]):
        raise UnusablePhoto("faces", f"the photo shows {len(faces)} faces; a portrait is made of one", "1 face")
    points = faces[0] / shrink
    check = measure(picture, points)
    _judge(check)
    return points, check


def measure(picture: Picture, points: Floats) -> FaceCheck:
    """Size, attitude and sharpness of a face."""
    eyes = points[[362, 263]].mean(0) - points[[33, 133]].mean(0)
    down = points[CHIN] - points[FOREHEAD]
    return FaceCheck(
        height_px=_height_px(points),
        turn_deg=float(np.degrees(np.arctan2(eyes[2], np.hypot(eyes[0], eyes[1])))),
        pitch_deg=float(np.degrees(np.arctan2(down[2], np.hypot(down[0], down[1])))),
        tilt_deg=float(np.degrees(np.arctan2(eyes[1], eyes[0]))),
        sharpness=_sharpness(picture, points),
    )


def averaged(picture: Picture, seed: int = 0) -> Floats | None:
    """Points (478, 3) averaged over slightly moved views of a picture: steadier than one detection. None: no face."""
    random = np.random.default_rng(seed)
    height, width, _ = picture.shape
    found = []
    with FaceFinder() as finder:
        for view in range(_VIEWS):
            zoom = 1.0 if view == 0 else random.uniform(0.92, 1.08)
            angle = 0.0 if view == 0 else random.uniform(-4, 4)
            move = cv2.getRotationMatrix2D((width / 2, height / 2), angle, zoom)
            seen = cv2.warpAffine(
                picture, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            for face in finder.faces(np.asarray(seen, np.uint8))[:1]:
                back = cv2.invertAffineTransform(move)
                found.append(np.c_[face[:, :2] @ back[:, :2].T + back[:, 2], face[:, 2] / zoom])
    return np.mean(found, axis=0) if found else None


def _judge(check: FaceCheck) -> None:
    if check.height_px < MIN_FACE_PX:
        raise UnusablePhoto(
            "small",
            f"the face is too small: {check.height_px:.0f} pixels from forehead to chin",
            f"at least {MIN_FACE_PX} px",
        )
    if abs(check.turn_deg) > MAX_TURN_DEG:
        raise UnusablePhoto(
            "turned",
            f"the face is turned aside by {abs(check.turn_deg):.0f} degrees; it must look at the camera",
            f"at most {MAX_TURN_DEG:g} degrees",
        )
    if abs(check.tilt_deg) > MAX_TILT_DEG:
        raise UnusablePhoto(
            "tilted",
            f"the head is tilted by {abs(check.tilt_deg):.0f} degrees; it must be upright",
            f"at most {MAX_TILT_DEG:g} degrees",
        )
    if check.sharpness < MIN_SHARPNESS:
        raise UnusablePhoto(
            "blurred",
            f"the face is too blurred: sharpness {check.sharpness:.0f}",
            f"at least {MIN_SHARPNESS:g} (variance of the Laplacian)",
        )


def _height_px(points: Floats) -> float:
    return float(np.linalg.norm(points[CHIN, :2] - points[FOREHEAD, :2]))


def _sharpness(picture: Picture, points: Floats) -> float:
    """Variance of the Laplacian inside the face's outline, at a fixed size so that large photos are not favoured."""
    outline = points[list(OVAL), :2]
    low = np.clip(np.floor(outline.min(0)), 0, None).astype(int)
    high = np.ceil(outline.max(0)).astype(int)
    crop = picture[low[1] : high[1], low[0] : high[0]]
    if min(crop.shape[:2]) < 8:
        return 0.0
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    if crop.shape[0] > _SHARPNESS_PX:
        factor = _SHARPNESS_PX / crop.shape[0]
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    scale = grey.shape[0] / crop.shape[0]
    inside = closed_mask(grey.shape, (outline - low) * scale) > 0.5
    return float(cv2.Laplacian(grey, cv2.CV_64F, ksize=3)[inside].var())
