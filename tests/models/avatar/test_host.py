"""The illustrated host keeps the promises of the Avatar port."""

import itertools

import numpy as np
import pytest

from models.avatar import quantise
from models.avatar.host import IllustratedHost
from models.avatar.sheet import visemes
from realtime.core.composite import planes, windows
from realtime.core.facs import CONTROL_NAMES, DEGREE_CONTROLS, REST, Controls, controls
from realtime.core.values import Region, Roi
from realtime.ports import Avatar
from tests.models.avatar.drawing import base_of, difference, picture

POSES = [controls(), controls(yaw=12, pitch=-6, roll=4), controls(yaw=-20, roll=-8), controls(pitch=12, lean=0.5)]


def region(host: IllustratedHost, pose: Controls, name: str) -> Region:
    return next(r for r in host.regions(host.base_key(pose), pose) if r.name == name)


def test_it_is_an_avatar(host: IllustratedHost) -> None:
    avatar: Avatar = host
    assert (avatar.name, avatar.width, avatar.height) == ("mei", 512, 512)
    assert avatar.base(avatar.base_key(REST)) is None


@pytest.mark.parametrize("pose", POSES)
def test_a_face_at_rest_has_no_regions(host: IllustratedHost, pose: Controls) -> None:
    assert host.regions(host.base_key(pose), pose) == ()


def test_drawing_is_a_pure_function(host: IllustratedHost) -> None:
    pose = controls(AU26=0.5, AU25=0.7, blink_l=0.4, yaw=5, arm_raise=1.0)
    assert np.array_equal(picture(host, pose), picture(host, pose))
    key = host.base_key(pose)
    assert np.array_equal(host.render_base(key), host.render_base(key))


@pytest.mark.parametrize("name", [n for n in CONTROL_NAMES if n != "breath"])
def test_every_control_shows(host: IllustratedHost, name: str) -> None:
    moved = controls(**{name: 12.0 if name in DEGREE_CONTROLS else 1.0})
    rest = REST
    if name in ("tongue_up", "teeth"):
        rest = controls(AU25=0.7, AU26=0.4)
        moved = rest.with_(**{name: 1.0})
    if name in ("arm_swing", "arm_x", "hand"):
        rest = controls(arm_raise=1.0)
        moved = rest.with_(**{name: 1.0})
    changed = planes(difference(picture(host, moved), picture(host, rest)).astype(np.uint8))[0]
    assert (changed > 6).sum() > 60


def test_breath_shows(host: IllustratedHost) -> None:
    changed = difference(picture(host, controls(breath=1.0)), picture(host, controls(breath=0.0)))
    assert (changed > 6).sum() > 500


@pytest.mark.parametrize("pose", POSES)
def test_upper_and_lower_region_share_one_edge(host: IllustratedHost, pose: Controls) -> None:
    speaking = pose.with_(AU26=0.5, blink_l=0.5, blink_r=0.5)
    upper, lower = (region(host, speaking, name).roi for name in ("upper", "lower"))
    assert upper.y + upper.height == lower.y
    for roi in (upper, lower):
        assert roi.x >= 0 and roi.y >= 0 and roi.x + roi.width <= 512 and roi.y + roi.height <= 512


@pytest.mark.parametrize("pose", POSES)
def test_no_seam_around_a_speaking_mouth(host: IllustratedHost, pose: Controls) -> None:
    speaking = pose.with_(AU25=0.8, AU26=0.8)
    base, roi = base_of(host, speaking), region(host, speaking, "lower").roi
    changed = difference(picture(host, speaking), base)
    assert host.regions(host.base_key(speaking), speaking)[0].name == "lower"
    for plane in windows(changed.astype(np.uint8), roi):
        border = np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])
        assert border.max() <= 2


def test_nothing_outside_the_regions_changes(host: IllustratedHost) -> None:
    pose = controls(AU26=0.7, AU12=0.8, AU6=0.5, blink_l=1.0, yaw=8)
    changed = difference(picture(host, pose), base_of(host, pose)).astype(np.uint8)
    for found in host.regions(host.base_key(pose), pose):
        for plane in windows(changed, found.roi):
            plane[...] = 0
    assert not changed.any()


def test_the_jaw_moves_the_chin(host: IllustratedHost) -> None:
    """Below the resting chin, the neck's shadow gives way to the lit chin of a dropped jaw."""
    open_mouth = controls(AU26=1.0, AU25=0.8)
    chin = Roi(236, 386, 40, 20)
    rest, dropped = (windows(picture(host, pose), chin)[0].mean() for pose in (REST, open_mouth))
    assert dropped > rest + 8


def test_keys_tell_pixels_apart(host: IllustratedHost) -> None:
    key = host.base_key(REST)
    keys = {region(host, controls(AU26=value), "lower").key for value in (0.2, 0.2001, 0.5)}
    assert len(keys) == 2
    turned = controls(AU26=0.2, yaw=5)
    assert region(host, turned, "lower").key not in keys
    waving = controls(arm_raise=1.0)
    assert host.regions(key, waving)[-1].key == region(host, waving.with_(yaw=5.0), "arm").key


def test_equal_keys_mean_equal_pixels(host: IllustratedHost) -> None:
    step = quantise.STEP_PX / quantise.REACH_PX["AU26"]
    one, other = controls(AU26=50 * step), controls(AU26=50.3 * step)
    assert region(host, one, "lower").key == region(host, other, "lower").key
    assert np.array_equal(picture(host, one), picture(host, other))


def test_lips_that_press_stay_shut(host: IllustratedHost) -> None:
    from models.avatar.mouth_shape import mouth_shape

    pressed = mouth_shape(controls(AU24=1.0, AU25=0.4, AU26=0.1))
    assert pressed.gap < 0.7
    assert mouth_shape(controls(AU25=0.4, AU26=0.1)).gap > 3.0


def test_visemes_are_told_apart_at_stream_size(host: IllustratedHost) -> None:
    """The sounds that look alike most: the tongue's place and the rows of teeth have to show."""
    mouth = Roi(180, 300, 152, 96)
    shown = {name: windows(picture(host, visemes()[name]), mouth)[0].astype(int) for name in ("L", "SZ", "E", "TH")}
    for one, other in itertools.combinations(shown, 2):
        assert (np.abs(shown[one] - shown[other]) > 32).sum() > 900, f"{one} and {other}"


def test_displacement_is_linear_and_local(host: IllustratedHost) -> None:
    small, large = controls(AU26=0.1), controls(AU26=0.2)
    assert host.displacement_px("upper", REST, large) == 0.0
    assert host.displacement_px("lower", REST, REST) == 0.0
    near, far = host.displacement_px("lower", REST, small), host.displacement_px("lower", REST, large)
    assert far == pytest.approx(2 * near, rel=1e-4)
    assert near == pytest.approx(0.1 * quantise.REACH_PX["AU26"], rel=1e-4)


def test_the_pose_is_quantised_finely(host: IllustratedHost) -> None:
    assert host.base_key(controls(yaw=0.1)) == host.base_key(REST)
    assert host.base_key(controls(yaw=0.3)) != host.base_key(REST)
    assert host.base_key(controls(yaw=90.0)) == host.base_key(controls(yaw=20.0))


def test_a_hidden_arm_is_no_region(host: IllustratedHost) -> None:
    assert host.regions(host.base_key(REST), controls(arm_raise=0.02)) == ()
    patch = host.draw(
        base_of(host, REST), host.base_key(REST), controls(arm_raise=1.0), region(host, controls(arm_raise=1.0), "arm")
    )
    assert patch.alpha is not None and patch.alpha.shape == (patch.roi.height, patch.roi.width)
    assert patch.alpha.max() == 255


@pytest.mark.parametrize("pose", POSES)
def test_a_mouth_that_begins_to_move_does_not_pop(host: IllustratedHost, pose: Controls) -> None:
    """The first drawn region after a face at rest differs from the base frame by next to nothing."""
    stirred = pose.with_(AU25=0.04)
    changed = planes(difference(picture(host, stirred), base_of(host, stirred)).astype(np.uint8))[0]
    assert (changed > 24).sum() < 12


def test_lips_leave_the_upper_face_as_it_is_while_the_cheek_stays(host: IllustratedHost) -> None:
    """The lips stretch and close in every frame of speech; what that leaves of the smile comes in steps."""
    wide, wider = controls(AU1=0.4, AU20=0.50, AU25=0.4), controls(AU1=0.4, AU20=0.53, AU25=0.7)
    assert region(host, wide, "upper").key == region(host, wider, "upper").key
    assert region(host, wide, "lower").key != region(host, wider, "lower").key
    assert region(host, wide, "upper").key != region(host, controls(AU1=0.4, AU12=0.3), "upper").key
