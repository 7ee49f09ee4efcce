"""An independent judge, mediapipe's face mesh, sees what the controls say."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatar.host import IllustratedHost
from models.avatar.sheet import emotions, turns, visemes
from realtime.core.facs import Controls, controls
from tests.models.avatar.drawing import picture, rgb

Points = NDArray[np.float64]
# mediapipe's protobuf bindings are older than the warnings that Python and protobuf raise about them
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def mesh() -> Iterator[Any]:
    mediapipe = pytest.importorskip("mediapipe")
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as found:
        yield found


def landmarks(mesh: Any, host: IllustratedHost, pose: Controls) -> Points:
    """Landmarks in pixels, (478, 3)."""
    faces = mesh.process(rgb(picture(host, pose))).multi_face_landmarks
    assert faces, f"no face found at {pose.nonzero()}"
    return np.asarray([(p.x, p.y, p.z) for p in faces[0].landmark], np.float64) * 512


def mouth_gap(p: Points) -> float:
    return float(p[14, 1] - p[13, 1])


def mouth_width(p: Points) -> float:
    return float(np.hypot(*(p[291] - p[61])[:2]))


def lid_gap(p: Points) -> float:
    return float(p[374, 1] - p[386, 1] + p[145, 1] - p[159, 1]) / 2


def inner_brows(p: Points) -> float:
    corners = (p[33, 1] + p[133, 1] + p[362, 1] + p[263, 1]) / 4
    return float(corners - (p[107, 1] + p[336, 1]) / 2)


def gaze(p: Points) -> float:
    """Iris centres between the corners of their eyes, to the picture's right."""
    right = (p[468, 0] - p[33, 0]) / (p[133, 0] - p[33, 0])
    left = (p[473, 0] - p[362, 0]) / (p[263, 0] - p[362, 0])
    return float(right + left)


def turn(p: Points) -> float:
    """Where the nose stands between the sides of the face."""
    return float((p[1, 0] - p[234, 0]) / (p[454, 0] - p[234, 0]))


@pytest.mark.parametrize("sheet", [emotions, visemes, turns])
def test_a_face_is_found_everywhere(mesh: Any, host: IllustratedHost, sheet: Any) -> None:
    for pose in sheet().values():
        landmarks(mesh, host, pose)


@pytest.mark.parametrize(
    ("measure", "poses", "least"),
    [
        (mouth_gap, [controls(AU25=0.6 * v, AU26=v) for v in (0.0, 0.25, 0.5, 0.75, 1.0)], 20.0),
        (mouth_width, [controls(AU12=v) for v in (0.0, 0.35, 0.7, 1.0)], 8.0),
        (lid_gap, [controls(blink_l=v, blink_r=v) for v in (1.0, 0.6, 0.3, 0.0)], 8.0),
        (inner_brows, [controls(AU4=0.8), controls(), controls(AU1=0.5), controls(AU1=1.0)], 6.0),
        (gaze, [controls(gaze_x=v) for v in (-1.0, -0.5, 0.0, 0.5, 1.0)], 0.2),
        (turn, [controls(yaw=v) for v in (-20.0, -10.0, 0.0, 10.0, 20.0)], 0.3),
    ],
)
def test_the_face_follows(mesh: Any, host: IllustratedHost, measure: Any, poses: list[Controls], least: float) -> None:
    values = [measure(landmarks(mesh, host, pose)) for pose in poses]
    assert values == sorted(values)
    assert values[-1] - values[0] > least


def test_the_mouth_is_large_enough_to_read(mesh: Any, host: IllustratedHost) -> None:
    assert mouth_width(landmarks(mesh, host, controls())) >= 84.0
