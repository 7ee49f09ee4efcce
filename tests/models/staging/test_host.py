"""The illustrated host cut out or before another background: the matte is held against the truth of its own layers."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatar.host import IllustratedHost
from models.avatar.layers import Layers, paint_layers
from models.avatar.projection import PICTURE_PX, View
from models.avatar.spec import MEI
from models.staging.host import staged_host
from models.staging.scenery import shipped
from realtime.core.backdrop import parse
from realtime.core.composite import compose, planes
from realtime.core.facs import REST, Controls
from realtime.core.matte import unpack
from realtime.core.values import I420

POSES = {
    "idle": REST,
    "speaking": REST.with_(AU25=0.8, AU26=0.7, yaw=9.0, roll=3.0),
    "blinking": REST.with_(blink_l=1.0, blink_r=1.0, AU1=0.6, pitch=4.0),
    "waving": REST.with_(arm_raise=1.0, arm_swing=0.4, AU25=0.4),
}
CLEAR_PX = (slice(4, 40), slice(4, 60))
"""A corner where no host reaches."""


@pytest.fixture(scope="module")
def layers() -> Layers:
    cv2.setNumThreads(1)
    return paint_layers(MEI)


@pytest.fixture(scope="module")
def cutout(layers: Layers) -> IllustratedHost:
    return staged_host(MEI, layers, parse("transparent"))


def shown(host: IllustratedHost, controls: Controls) -> I420:
    """A frame as the generator makes it: base frame and regions."""
    key = host.base_key(controls)
    base = host.render_base(key)
    patches = [host.draw(base, key, controls, region) for region in host.regions(key, controls)]
    return compose(base, patches, np.empty_like(base))


def luma_over(packed: I420, luma: int) -> NDArray[np.float64]:
    """The packed picture's luma over a background of this luma: over black, all of it is linear."""
    colour, alpha = unpack(packed)
    return np.asarray(planes(colour)[0] + (1 - alpha / 255.0) * (luma - 16.0))


@pytest.mark.parametrize("pose", list(POSES))
def test_laid_over_a_colour_it_is_the_host_drawn_before_that_colour(
    layers: Layers, cutout: IllustratedHost, pose: str
) -> None:
    green = staged_host(MEI, layers, parse("#00ff00"))
    truth = planes(shown(green, POSES[pose]))[0].astype(np.float64)
    laid = luma_over(shown(cutout, POSES[pose]), int(truth[2, 2]))
    off = np.abs(laid - truth)
    assert off.mean() < 0.6, "no halo and no spill anywhere"
    assert np.percentile(off, 99.8) <= 6


@pytest.mark.parametrize("pose", list(POSES))
def test_it_is_clear_outside_and_opaque_inside(cutout: IllustratedHost, pose: str) -> None:
    colour, alpha = unpack(shown(cutout, POSES[pose]))
    assert (alpha[CLEAR_PX] == 0).all()
    assert (alpha[200:440, 220:290] == 255).all()
    soft = ((alpha > 0) & (alpha < 255)).mean()
    assert soft < 0.03, "an edge, not a fog"
    assert np.abs(planes(colour)[0][CLEAR_PX].astype(int) - 16).max() <= 1, "and nothing glows where nobody is"


@pytest.mark.parametrize("pose", ["speaking", "blinking"])
def test_regions_leave_the_matte_of_a_picture_drawn_whole(cutout: IllustratedHost, pose: str) -> None:
    controls = POSES[pose]
    whole = cutout._rig.picture(View.of(cutout.base_key(controls)), controls)[..., 3]
    _, alpha = unpack(shown(cutout, controls))
    off = np.abs(alpha.astype(int) - whole)
    assert np.percentile(off, 99.8) <= 6


def test_only_what_changes_is_drawn(cutout: IllustratedHost) -> None:
    controls = POSES["speaking"]
    key = cutout.base_key(controls)
    base = cutout.render_base(key)
    patches = [cutout.draw(base, key, controls, region) for region in cutout.regions(key, controls)]
    assert patches, "speech changes something"
    assert sum(patch.pixels.size for patch in patches) < base.size / 4


def test_a_waving_hand_is_in_the_matte(cutout: IllustratedHost) -> None:
    _, still = unpack(shown(cutout, REST))
    _, waving = unpack(shown(cutout, POSES["waving"]))
    assert ((waving == 255) & (still == 0)).sum() > 2000


def test_pictures_have_the_size_they_say(layers: Layers, cutout: IllustratedHost) -> None:
    assert (cutout.width, cutout.height) == (PICTURE_PX, 2 * PICTURE_PX)
    assert cutout.render_base(cutout.base_key(REST)).shape == (3 * PICTURE_PX, PICTURE_PX)
    plain = staged_host(MEI, layers, parse("blur"))
    assert plain.render_base(plain.base_key(REST)).shape == (3 * PICTURE_PX // 2, PICTURE_PX)


def test_a_room_of_choice_stands_behind(layers: Layers) -> None:
    room = shipped("loft")
    host = staged_host(MEI, layers, parse("loft"), room)
    seen = cv2.cvtColor(shown(host, REST), cv2.COLOR_YUV2RGB_I420)[CLEAR_PX]
    assert np.abs(seen.astype(int) - room[CLEAR_PX][..., :3]).mean() < 6


def test_a_blur_keeps_the_rooms_light(layers: Layers) -> None:
    own = staged_host(MEI, layers, parse("default"))
    blurred = staged_host(MEI, layers, parse("blur"))
    before, after = (planes(shown(host, REST))[0][:, :60].astype(np.float64) for host in (own, blurred))
    assert abs(before.mean() - after.mean()) < 4
    assert np.abs(np.diff(after, axis=0)).mean() < np.abs(np.diff(before, axis=0)).mean()
