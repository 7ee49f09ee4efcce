"""The contact sheets show what they say."""

import numpy as np

from models.avatar import sheet
from models.avatar.host import IllustratedHost
from realtime.core.facs import REST, controls
from realtime.core.visemes import SHAPES


def test_sheets_cover_emotions_visemes_turns_and_gestures() -> None:
    assert set(sheet.visemes()) == set(SHAPES)
    assert {"happy", "sad", "angry", "fear", "surprise", "disgust", "neutral", "blink"} == set(sheet.emotions())
    assert any(pose["arm_raise"] == 1.0 for pose in sheet.gestures().values())
    assert {pose["yaw"] for pose in sheet.turns().values()} >= {-20.0, 20.0}


def test_a_sheet_is_a_grid_filled_up_with_white(host: IllustratedHost) -> None:
    poses = {"rest": REST, "open": controls(AU26=0.6), "wave": controls(arm_raise=1.0)}
    picture = sheet.contact_sheet(host, poses, columns=2, size=64)
    assert picture.shape == (128, 128, 3)
    assert (picture[64:, 64:] == 255).all()
    assert not np.array_equal(picture[:64, :64], picture[:64, 64:])


def test_visemes_can_be_told_apart(host: IllustratedHost) -> None:
    """At the size of the stream, the mouths of the main classes differ clearly from each other."""
    poses = sheet.visemes()
    names = ("A", "E", "O", "U", "MBP", "FV", "TH", "L", "SZ", "SH")
    mouths = {name: sheet.draw(host, poses[name])[310:410, 190:322].astype(np.int16) for name in names}
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            apart = np.abs(mouths[one] - mouths[other]).max(2)
            assert (apart > 40).sum() > 250, f"{one} and {other} look alike"
