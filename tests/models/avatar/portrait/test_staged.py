"""A portrait cut out of its photo or before another background."""

import numpy as np
import pytest

from models.avatar.portrait.assets import Assets
from models.avatar.portrait.avatar import PortraitAvatar
from models.staging.person import Person, cut_body
from models.staging.portrait import staged_portrait
from realtime.core.backdrop import parse
from realtime.core.composite import compose, planes
from realtime.core.facs import REST, Controls
from realtime.core.matte import unpack
from realtime.core.values import I420

POSES = {"idle": REST, "speaking": REST.with_(AU25=0.8, AU26=0.7), "turned": REST.with_(yaw=10.0, AU26=0.4, AU25=0.5)}


@pytest.fixture(scope="module")
def person(assets: Assets) -> Person:
    return cut_body(assets)


def shown(avatar: PortraitAvatar, controls: Controls) -> I420:
    key = avatar.base_key(controls)
    base = avatar.render_base(key)
    patches = [avatar.draw(base, key, controls, region) for region in avatar.regions(key, controls)]
    return compose(base, patches, np.empty_like(base))


def test_the_body_is_cut_out_the_same_way_each_time(assets: Assets, person: Person) -> None:
    again = cut_body(assets)
    assert (again.body == person.body).all()
    alpha = person.body[..., 3]
    assert 0.1 < (alpha == 255).mean() < 0.5
    assert (alpha[:200] == 0).all(), "nothing of the wall above the shoulders"
    assert (person.body[..., :3] <= alpha[..., None]).all(), "premultiplied"


@pytest.mark.parametrize("pose", list(POSES))
def test_laid_over_a_colour_it_is_the_portrait_before_that_colour(assets: Assets, person: Person, pose: str) -> None:
    cutout = staged_portrait("one", assets, person, parse("transparent"))
    green = staged_portrait("one", assets, person, parse("#00ff00"))
    truth = planes(shown(green, POSES[pose]))[0].astype(np.float64)
    colour, alpha = unpack(shown(cutout, POSES[pose]))
    laid = planes(colour)[0] + (1 - alpha / 255.0) * (truth[2, 2] - 16.0)
    off = np.abs(laid - truth)
    assert off.mean() < 0.8
    assert np.percentile(off, 99.8) <= 6


@pytest.mark.parametrize("pose", list(POSES))
def test_it_is_clear_outside_and_has_no_gap_inside(assets: Assets, person: Person, pose: str) -> None:
    cutout = staged_portrait("one", assets, person, parse("transparent"))
    assert cutout.height == 2 * cutout.width
    _, alpha = unpack(shown(cutout, POSES[pose]))
    assert (alpha[4:60, 4:60] == 0).all()
    assert (alpha[180:500, 230:290] >= 250).all(), "face, neck and chest hang together"
    assert ((alpha > 0) & (alpha < 255)).mean() < 0.03
