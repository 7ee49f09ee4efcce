"""What controls do: jaws drop, lids close over the eyeballs, lips meet without a gap."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatar.portrait.framing import PICTURE_PX
from models.diffusion.head3d.figure import PART
from models.diffusion.head3d.source import Studio
from realtime.core.facs import REST, Controls, controls
from realtime.core.visemes import SHAPES

_INSIDE = [PART[name] for name in ("cavity", "upper_teeth", "lower_teeth", "tongue")]
_EYES = [PART[name] for name in ("sclera", "iris")]


def _labels(studio: Studio, roi: str, face: Controls) -> NDArray[np.uint8]:
    posed = studio.mover.posed(face, studio.frame, PICTURE_PX)
    return studio.truth(posed, studio.view(roi, face))[1].labels


def test_a_dropped_jaw_opens_the_mouth_and_shows_what_is_inside(studio: Studio) -> None:
    shown = [
        int(np.isin(_labels(studio, "mouth", controls(AU26=drop, AU25=drop)), _INSIDE).sum()) for drop in (0, 0.4, 1)
    ]
    assert shown[0] == 0
    assert 500 < shown[1] < shown[2]


def test_an_open_mouth_shows_teeth_tongue_and_no_neck(studio: Studio) -> None:
    posed = studio.mover.posed(controls(AU26=0.8, AU25=0.8), studio.frame, PICTURE_PX)
    labels = _labels(studio, "mouth", controls(AU26=0.8, AU25=0.8))
    for part in ("upper_teeth", "tongue", "cavity"):
        assert (labels == PART[part]).sum() > 100, part
    upper, lower = (posed.vertices[ids] for ids in studio.figure.seams)
    assert (lower[:, 1] - upper[:, 1]).max() > 0.3
    assert abs(float((lower[[0, -1], 1] - upper[[0, -1], 1]).max())) < 1e-5


def test_lids_close_fully(studio: Studio) -> None:
    shut = controls(blink_l=1.0, blink_r=1.0)
    assert np.isin(_labels(studio, "eyes", REST), _EYES).sum() > 1500
    assert np.isin(_labels(studio, "eyes", shut), _EYES).sum() < 60
    half = np.isin(_labels(studio, "eyes", controls(blink_l=0.5, blink_r=0.5)), _EYES).sum()
    assert 300 < half < np.isin(_labels(studio, "eyes", REST), _EYES).sum()


def test_one_eye_closes_alone(studio: Studio) -> None:
    labels = np.isin(_labels(studio, "eyes", controls(blink_l=1.0)), _EYES)
    middle = labels.shape[1] // 2
    assert labels[:, :middle].sum() > 700
    assert labels[:, middle:].sum() < 40


@pytest.mark.parametrize(
    "face", [controls(**SHAPES["MBP"].targets), controls(AU24=1.0), controls(AU17=1.0, AU23=0.5), REST]
)
def test_closed_lips_leave_no_gap(studio: Studio, face: Controls) -> None:
    posed = studio.mover.posed(face, studio.frame, PICTURE_PX)
    upper, lower = (posed.vertices[ids] for ids in studio.figure.seams)
    assert np.abs(lower[:, 1] - upper[:, 1]).max() < 1e-4
    assert posed.opening < 1e-4
    assert np.isin(_labels(studio, "mouth", face), _INSIDE).sum() == 0


def test_a_smile_widens_the_mouth_and_raises_its_corners(studio: Studio) -> None:
    rest = studio.mover.rest_points
    face = controls(AU12=1.0)
    smiling = studio.mover.points(studio.mover.posed(face, studio.frame, PICTURE_PX), face)
    assert smiling[291, 0] - smiling[61, 0] > rest[291, 0] - rest[61, 0] + 0.1
    assert smiling[61, 1] < rest[61, 1] - 0.05


def test_gaze_moves_the_iris_as_far_as_the_portrait_does(studio: Studio) -> None:
    face = controls(gaze_x=1.0)
    looking = studio.mover.points(studio.mover.posed(face, studio.frame, PICTURE_PX), face)
    assert looking[468, 0] - studio.mover.rest_points[468, 0] == pytest.approx(0.085, abs=0.012)


def test_the_eyes_define_the_unit(studio: Studio) -> None:
    rest = studio.mover.rest_points
    middle = rest[[33, 133], :2].mean(0), rest[[362, 263], :2].mean(0)
    assert np.linalg.norm(middle[1] - middle[0]) == pytest.approx(1.0, abs=0.01)
    assert np.abs(middle[0] + middle[1]).max() < 0.02
