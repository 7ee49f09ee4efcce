"""Every reason for which a picture cannot become an avatar."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatar.portrait.detect import (
    MAX_SIDE_PX,
    MIN_FACE_PX,
    FaceCheck,
    _judge,
    check_consent,
    check_size,
    find_face,
)
from realtime.core.errors import InvalidField

Picture = NDArray[np.uint8]


def refusal(picture: Picture) -> InvalidField:
    with pytest.raises(InvalidField) as caught:
        find_face(picture)
    assert caught.value.field == "photo"
    return caught.value


def test_a_good_photo_is_accepted(photo: Picture) -> None:
    points, check = find_face(photo)
    assert points.shape == (478, 3)
    assert check.height_px > MIN_FACE_PX
    assert abs(check.turn_deg) < 5


def test_no_face() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3)).astype(np.uint8)
    assert "no face" in str(refusal(noise))


def test_several_faces(photo: Picture) -> None:
    head = photo[0:260, 97:357]
    assert "2 faces" in str(refusal(np.ascontiguousarray(np.hstack([head, head]))))


def test_a_small_face_behind_does_not_count(photo: Picture) -> None:
    large = cv2.resize(photo[0:260, 97:357], (780, 780), interpolation=cv2.INTER_CUBIC)
    large[600:780, 0:180] = cv2.resize(photo[0:260, 97:357], (180, 180), interpolation=cv2.INTER_AREA)
    points, _ = find_face(np.asarray(large, np.uint8))
    assert np.ptp(points[:, 1]) > 250


def test_too_small(photo: Picture) -> None:
    error = refusal(np.asarray(cv2.resize(photo, (300, 300), interpolation=cv2.INTER_AREA), np.uint8))
    assert "too small" in str(error)
    assert error.limit == f"at least {MIN_FACE_PX} px"


def test_too_blurred(photo: Picture) -> None:
    assert "too blurred" in str(refusal(np.asarray(cv2.GaussianBlur(photo, (0, 0), 4.0), np.uint8)))


def test_tilted(photo: Picture) -> None:
    turn = cv2.getRotationMatrix2D((225.0, 120.0), 35.0, 1.0)
    tilted = cv2.warpAffine(photo, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    assert "tilted by" in str(refusal(np.asarray(tilted, np.uint8)))


@pytest.mark.parametrize("turn_deg", [-34.0, 21.0])
def test_a_profile(turn_deg: float) -> None:
    with pytest.raises(InvalidField, match="turned aside"):
        _judge(FaceCheck(300.0, turn_deg, 0.0, 0.0, 5000.0))


def test_a_picture_too_large_or_without_colour() -> None:
    with pytest.raises(InvalidField, match="larger"):
        check_size(np.zeros((2, MAX_SIDE_PX + 1, 3), np.uint8))
    with pytest.raises(InvalidField, match="colour"):
        check_size(np.zeros((64, 64), np.uint8))


@pytest.mark.parametrize("statement", ["", "   ", "yes"])
def test_no_consent(statement: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_consent(statement)
    assert caught.value.field == "consent"
