"""The contract between data, net and runtimes."""

import math
from typing import get_args

import numpy as np
import pytest

from models.diffusion import spec
from realtime.core.facs import CONTROL_NAMES, REST, Emotion
from realtime.core.phones import Viseme


def test_every_crop_can_be_halved_as_often_as_the_net_does() -> None:
    for crop in spec.CROPS.values():
        assert crop.width % spec.SIDE_MULTIPLE == crop.height % spec.SIDE_MULTIPLE == 0


def test_a_crops_box_has_the_crops_aspect() -> None:
    for name, (left, top, right, bottom) in spec.BOXES.items():
        crop = spec.CROPS[name]
        assert math.isclose((right - left) / (bottom - top), crop.width / crop.height, rel_tol=1e-6)


@pytest.mark.parametrize("crop", spec.CROPS.values(), ids=lambda c: c.name)
def test_the_window_is_zero_on_the_border_and_one_inside(crop: spec.Crop) -> None:
    window = spec.window(crop.width, crop.height)
    assert window.shape == (crop.height, crop.width)
    for edge in (window[0], window[-1], window[:, 0], window[:, -1]):
        assert not edge.any()
    assert window[crop.height // 2, crop.width // 2] == 1.0
    assert window.min() >= 0.0


def test_all_names_of_the_control_vector_are_known_and_differ() -> None:
    assert set(spec.VISEMES) == set(get_args(Viseme))
    assert set(spec.FACE_CONTROLS) <= set(CONTROL_NAMES)
    assert len(set(spec.CONTROL)) == spec.CONTROL_LENGTH
    assert len(set(spec.PICTURE)) == spec.PICTURE_CHANNELS


def test_the_control_vector_says_what_was_given() -> None:
    vector = spec.control_vector(REST.with_(AU26=0.4, yaw=-10.0), "eyes", {"A": 0.7}, {Emotion.SAD: 0.5})
    found = {name: float(v) for name, v in zip(spec.CONTROL, vector, strict=True) if v}
    assert found == pytest.approx({"AU26": 0.4, "yaw": -0.5, "viseme_A": 0.7, "emotion_sad": 0.5, "crop_eyes": 1.0})


def test_pictures_go_both_ways_unchanged() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (2, 6, 8, 3)).astype(np.uint8)
    unit = spec.to_unit(picture)
    assert unit.shape == (2, 3, 6, 8)
    assert float(unit.min()) >= -1.0 and float(unit.max()) <= 1.0
    assert np.array_equal(spec.to_bytes(unit), picture)


def test_a_size_that_kernels_do_not_like_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        spec.NetSpec("odd", 4, (60, 128, 256), (1, 1, 1))
    with pytest.raises(ValueError, match="s2d"):
        spec.NetSpec("odd", 3, (64, 128, 256), (1, 1, 1))
