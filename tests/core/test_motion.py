"""Primitives, clips, the body and the eyes."""

import numpy as np
import pytest

from realtime.core.body import SETTLE_S, Body
from realtime.core.clips import GESTURES, PRIMITIVES, primitive
from realtime.core.errors import NotFound
from realtime.core.eyes import BLINK_S, Blinks, Gaze, blink_closure
from realtime.core.facs import CONTROL_HIGH, CONTROL_INDEX, CONTROL_LOW, REST
from realtime.core.primitives import Primitive, breath, clip_controls, minimum_jerk
from realtime.core.script import emotion_named
from realtime.core.units import FRAME_S

YAW = CONTROL_INDEX["yaw"]
MAX_HEAD_STEP_DEG = 3.0
"""Per frame: a brisk nod of a person peaks near 70 degrees a second."""


@pytest.mark.parametrize("name", list(PRIMITIVES))
def test_clips_stay_in_range_and_never_jump(name: str) -> None:
    vectors = np.array([controls.vector for controls in clip_controls(primitive(name))])
    assert np.all(vectors >= CONTROL_LOW) and np.all(vectors <= CONTROL_HIGH)
    for control in ("yaw", "pitch", "roll"):
        assert np.abs(np.diff(vectors[:, CONTROL_INDEX[control]])).max() < MAX_HEAD_STEP_DEG


@pytest.mark.parametrize("name", GESTURES)
def test_gestures_leave_the_body_where_they_found_it(name: str) -> None:
    gesture = primitive(name)
    assert not gesture.offsets(0.0).any() and not gesture.offsets(gesture.duration_s).any()


@pytest.mark.parametrize("name", [n for n in PRIMITIVES if n not in GESTURES])
def test_loops_close_and_share_the_breath(name: str) -> None:
    loop = primitive(name)
    assert np.allclose(loop.offsets(0.0), loop.offsets(loop.duration_s), atol=1e-5)
    assert breath(0.0) == pytest.approx(breath(loop.duration_s))


def test_unknown_primitive_lists_what_exists() -> None:
    with pytest.raises(NotFound, match="wave"):
        primitive("juggle")


@pytest.mark.parametrize(
    "track", [((0, 1), (1, 0)), ((0, 0), (0.5, 1)), ((0, 0), (0.6, 1), (0.5, 1), (1, 0)), ((0, 0.5), (1, 0.5))]
)
def test_broken_gestures_are_refused(track: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="x.yaw"):
        Primitive("x", "gesture", 1.0, {"yaw": track}, "")


def test_the_library_is_rich() -> None:
    assert len(PRIMITIVES) >= 30 and len({one.description for one in PRIMITIVES.values()}) == len(PRIMITIVES)


@pytest.mark.parametrize("name", GESTURES)
def test_a_tag_means_one_thing(name: str) -> None:
    assert emotion_named(name) is None


def test_minimum_jerk_is_clamped_and_smooth() -> None:
    assert minimum_jerk(-1) == 0 and minimum_jerk(2) == 1 and minimum_jerk(0.5) == pytest.approx(0.5)


def sample_body(body: Body, begin_s: float, end_s: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array([body.offsets(t) for t in np.arange(begin_s, end_s, FRAME_S)])


def test_changes_of_activity_are_cross_faded() -> None:
    body = Body()
    frames = [sample_body(body, 0, 2)]
    body.turn_to("thinking", 2.0)
    frames.append(sample_body(body, 2.0, 2.2))
    body.turn_to("speaking", 2.2)
    frames.append(sample_body(body, 2.2, 4))
    yaw = np.concatenate(frames)[:, YAW]
    assert np.abs(np.diff(yaw)).max() < MAX_HEAD_STEP_DEG


def test_a_gesture_takes_the_body_over_and_gives_it_back() -> None:
    body = Body()
    body.turn_to("speaking", 0.0)
    before = sample_body(body, 4, 6)
    assert body.begin("nod", 6.0) and not body.begin("shake", 6.5)
    during = sample_body(body, 6, 6 + primitive("nod").duration_s + SETTLE_S + 0.2)
    yaw = np.concatenate([before, during])[:, YAW]
    assert np.abs(np.diff(yaw)).max() < MAX_HEAD_STEP_DEG
    assert np.abs(during[10:25, YAW]).max() < 0.05, "a nod does not turn the head"
    assert body.gesture(6.3) == "nod" and body.gesture(8.0) is None
    assert body.begin("shake", 8.0)


def test_blinks_come_at_a_person_s_rate_and_close_fully() -> None:
    blinks = Blinks(seed=3)
    closure = np.array([blinks.closure(i * FRAME_S) for i in range(25 * 120)])
    begins = int(np.sum((closure[1:] > 0.3) & (closure[:-1] <= 0.3)))
    assert 20 <= begins <= 50, "10 to 25 a minute"
    assert closure.max() > 0.9 and closure.min() == 0.0


def test_a_prompted_blink_happens_at_once() -> None:
    blinks = Blinks(seed=1)
    blinks.closure(0.1)
    blinks.prompt(0.2)
    assert blinks.closure(0.2 + BLINK_S * 0.35) > 0.9
    assert blink_closure(BLINK_S) == 0.0


def test_gaze_goes_there_and_comes_back() -> None:
    gaze = Gaze()
    assert gaze.mix(0.1, 0.0, 0.5) == (0.1, 0.0)
    gaze.look(0.8, -0.4, 1.0, hold_s=1.0)
    assert gaze.mix(0.1, 0.0, 1.5) == pytest.approx((0.8, -0.4))
    assert gaze.mix(0.1, 0.0, 2.5) == pytest.approx((0.1, 0.0))


def test_rest_is_inside_every_range() -> None:
    assert np.all(REST.vector >= CONTROL_LOW) and np.all(REST.vector <= CONTROL_HIGH)
