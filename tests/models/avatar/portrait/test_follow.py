"""Does the picture follow its controls? Judged by landmarks that mediapipe finds again."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from bench.follow import GOALS, follow, seen
from models.avatar.portrait.avatar import PortraitAvatar
from models.avatar.portrait.detect import FaceFinder
from models.avatar.portrait.preview import Frames
from realtime.core.facs import REST


def judged(avatar: PortraitAvatar, figure: str, control: str, values: Sequence[float], **held: float) -> list[float]:
    frames = Frames(avatar)
    found = []
    with FaceFinder() as finder:
        for value in values:
            picture = frames.picture(REST.with_(**{control: value}, **held))
            (face,) = finder.faces(np.asarray(cv2.cvtColor(picture, cv2.COLOR_YUV2BGR_I420), np.uint8))
            found.append(seen(face)[figure])
    return found


@pytest.mark.parametrize(
    ("figure", "control", "values", "rises"),
    [
        ("mouth_openness_r", "AU26", (0.0, 0.3, 0.5, 0.7, 1.0), True),
        ("mouth_width_r", "AU12", (0.0, 0.35, 0.7, 1.0), True),
        ("mouth_width_r", "AU18", (0.0, 0.35, 0.7, 1.0), False),
        ("eyes_r", "blink_l", (0.0, 0.4, 0.7, 1.0), False),
        ("brows_r", "AU2", (0.0, 0.5, 1.0), True),
        ("brows_r", "AU4", (0.0, 0.5, 1.0), False),
        ("gaze_r", "gaze_x", (-0.9, -0.4, 0.0, 0.4, 0.9), True),
        ("yaw_r", "yaw", (-15.0, -7.0, 0.0, 7.0, 15.0), None),
        ("pitch_r", "pitch", (-12.0, -6.0, 0.0, 6.0, 12.0), None),
    ],
)  # fmt: skip
def test_landmarks_follow_monotonically(
    avatar: PortraitAvatar, figure: str, control: str, values: Sequence[float], rises: bool | None
) -> None:
    held = {"blink_r": 0.0} if control != "blink_l" else {}
    found = judged(avatar, figure, control, values, **held)
    ways = np.sign(np.diff(found))
    assert abs(ways.sum()) == len(ways), found
    assert rises is None or (ways[0] > 0) == rises


@pytest.mark.slow
def test_random_faces_follow_within_the_goals(avatar: PortraitAvatar) -> None:
    figures = follow(avatar, 60)
    assert figures["detected_ratio"] == 1.0
    for goal in GOALS:
        assert figures[goal.key] >= (goal.least or 0.0) - 0.03, (goal.key, figures)
