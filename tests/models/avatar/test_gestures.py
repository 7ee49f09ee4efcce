"""Gestures come from the idle pose and go back to it without a cut, for every host."""

import numpy as np
import pytest

from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.presets import presets
from models.avatar.projection import View, base_key
from realtime.core.clips import GESTURES, primitive
from realtime.core.facs import CONTROL_INDEX, Controls
from realtime.core.physics import FOLLOWING
from realtime.core.plan import Plan
from tests.models.avatar.drawing import difference, picture

RATE_HZ = 25
BEGIN_S = 2.0
AFTER_S = 1.0
LANDMARKS = np.array([(0, -140, 20), (0, 30, 90), (0, 106, 50), (-80, 0, 10), (80, 0, 10), (0, 66, 80)], np.float64)
"""Crown, nose, chin, both ears and mouth in head units."""
FASTEST_PX = 16.0
"""A vigorous shake of the head: 7 degrees in a tenth of a second, at the nose."""
SHOWN = ("nod", "shake", "wave", "shrug", "point_left", "thumbs_up", "laugh", "sigh")


def course(name: str | None, length_s: float) -> list[Controls]:
    plan = Plan(seed=11)
    if name:
        plan.gesture(name, BEGIN_S)
    return [plan.sample(frame / RATE_HZ).controls for frame in range(round(length_s * RATE_HZ))]


def length_s(name: str) -> float:
    clip = primitive(name)
    return BEGIN_S + clip.duration_s + (clip.hold_for_s if clip.holds else 0.0) + AFTER_S


@pytest.mark.parametrize("name", GESTURES)
def test_a_gesture_moves_the_head_without_a_jump(name: str) -> None:
    places = [View.of(base_key(pose)).head(LANDMARKS) for pose in course(name, length_s(name))]
    moved = np.linalg.norm(np.diff(np.stack(places), axis=0), axis=2)
    assert moved.max() < FASTEST_PX
    assert np.abs(np.diff(np.stack(places), n=2, axis=0)).max() < 0.8 * FASTEST_PX, "nor does its speed jump"


@pytest.mark.parametrize("name", GESTURES)
def test_after_a_gesture_the_body_is_where_it_would_have_been(name: str) -> None:
    with_it, without = (course(one, length_s(name))[-1].vector.copy() for one in (name, None))
    swung = np.abs(with_it[FOLLOWING] - without[FOLLOWING]).max()
    for blink in ("blink_l", "blink_r"):
        with_it[CONTROL_INDEX[blink]] = without[CONTROL_INDEX[blink]]
    with_it[FOLLOWING] = without[FOLLOWING]
    assert np.abs(with_it - without).max() < 1e-4
    assert swung < 0.2, "hair may still swing a little"


@pytest.mark.slow
@pytest.mark.parametrize("preset", presets())
def test_the_picture_comes_back_without_a_cut(preset: str) -> None:
    """The last frames of a gesture and the first after it change no faster than its fastest ones, and end at idle."""
    spec = presets()[preset]
    host = IllustratedHost(spec, paint_layers(spec))
    for name in SHOWN:
        end = round((BEGIN_S + primitive(name).duration_s) * RATE_HZ)
        poses = course(name, length_s(name))
        shown = [picture(host, poses[frame]) for frame in range(end - 5, end + 9)]
        changes = [float(difference(a, b)[:512].mean()) for a, b in zip(shown, shown[1:], strict=False)]
        assert max(changes) < 4.0, f"{name}: {changes}"
        later = course(None, length_s(name))[-1]
        assert float(difference(picture(host, poses[-1]), picture(host, later))[:512].mean()) < 0.6, name
