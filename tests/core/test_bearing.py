"""An emotion is seen in the body: posture, size of movements, blinks and gaze, counted in virtual time."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.core.bearing import BEARINGS, LEVELS, BearingTrack
from realtime.core.facs import CONTROL_HIGH, CONTROL_INDEX, CONTROL_LOW, REST, Emotion
from realtime.core.plan import Plan

FRAMES = 25


def course(emotion: Emotion, intensity: float, seconds: int, seed: int = 3) -> NDArray[np.float32]:
    """Controls of a host that rests in a mood, (frames, CONTROL_COUNT)."""
    plan = Plan(seed)
    plan.rest_at(emotion, intensity, 0.0)
    return np.stack([plan.sample(frame / FRAMES).controls.vector for frame in range(seconds * FRAMES)])


def column(controls: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    return controls[:, CONTROL_INDEX[name]]


def blinks(controls: NDArray[np.float32]) -> int:
    closed = column(controls, "blink_l") > 0.6
    return int((closed[1:] & ~closed[:-1]).sum())


def averted_share(controls: NDArray[np.float32]) -> float:
    """Share of the time in which the eyes are elsewhere than the face and the loop would have them."""
    x = np.abs(column(controls, "gaze_x"))
    y = column(controls, "gaze_y")
    return float(((x > 0.40) | (y > 0.45)).mean())


def still(weights: dict[Emotion, float]) -> list[float]:
    full = [weights.get(emotion, 0.0) for emotion in Emotion]
    full[Emotion.NEUTRAL] = 1.0 - sum(full)
    return full


@pytest.mark.parametrize("emotion", [e for e in Emotion if e is not Emotion.NEUTRAL])
def test_every_emotion_has_a_posture_that_is_reached_and_left(emotion: Emotion) -> None:
    track = BearingTrack(1)
    felt, calm = still({emotion: 1.0}), still({})
    for frame in range(100):
        borne = track.at(felt, frame / FRAMES)
    for name, value in BEARINGS[emotion].posture.items():
        assert borne.posture[CONTROL_INDEX[name]] == pytest.approx(value, abs=1e-3)
    for frame in range(100, 220):
        borne = track.at(calm, frame / FRAMES)
    assert not borne.posture.any() and borne.size == 1.0 and borne.blinks == 1.0


def test_the_body_comes_after_the_face_and_without_a_jerk() -> None:
    track = BearingTrack(1)
    track.at(still({}), 0.0)
    felt = still({Emotion.SAD: 1.0})
    pitch = np.array([track.at(felt, frame / FRAMES).posture[CONTROL_INDEX["pitch"]] for frame in range(1, 100)])
    assert (np.diff(pitch) >= -1e-6).all(), "no overshoot"
    assert np.abs(np.diff(pitch)).max() < 0.4, "degrees per frame"
    assert np.abs(np.diff(pitch, 2)).max() < 0.12


def test_sampling_twice_as_often_gives_the_same_course() -> None:
    slow, fast = BearingTrack(1), BearingTrack(1)
    felt = still({Emotion.FEAR: 1.0})
    for frame in range(50):
        one = slow.at(felt, frame / FRAMES)
        fast.at(felt, frame / FRAMES - 0.5 / FRAMES)
        other = fast.at(felt, frame / FRAMES)
        if frame > 2:
            assert np.abs(one.posture - other.posture).max() < 0.05


def test_weak_and_wavering_emotions_change_no_posture() -> None:
    track = BearingTrack(1)
    for frame in range(200):
        borne = track.at(still({Emotion.HAPPY: 0.25 + 0.1 * np.sin(frame)}), frame / FRAMES)
    assert not borne.posture.any()


def test_postures_are_few() -> None:
    """Base frames are cached by posture: however an emotion's strength varies, the body comes to rest in few."""
    found = set()
    for intensity in np.linspace(0, 1, 21):
        track = BearingTrack(1)
        for frame in range(120):
            borne = track.at(still({Emotion.SAD: float(intensity)}), frame / FRAMES)
        found.add(borne.posture.tobytes())
    assert len(found) == LEVELS + 1


def test_sad_bodies_move_less_than_happy_ones() -> None:
    spans = {e: float(np.ptp(column(course(e, 1.0, 36)[150:], "yaw"))) for e in (Emotion.SAD, Emotion.HAPPY)}
    assert spans[Emotion.SAD] < 0.6 * spans[Emotion.HAPPY]


def test_shoulders_fall_in_sadness_and_rise_in_fear() -> None:
    level = {e: float(column(course(e, 1.0, 12)[150:], "shoulders").mean()) for e in (Emotion.SAD, Emotion.FEAR)}
    assert level[Emotion.SAD] < -0.5 < 0.4 < level[Emotion.FEAR]


def test_blinks_come_faster_in_fear_and_slower_in_surprise() -> None:
    counted = {e: blinks(course(e, 1.0, 600)) for e in (Emotion.FEAR, Emotion.NEUTRAL, Emotion.SURPRISE)}
    assert counted[Emotion.FEAR] > 1.3 * counted[Emotion.NEUTRAL]
    assert counted[Emotion.SURPRISE] < 0.8 * counted[Emotion.NEUTRAL]
    assert 110 < counted[Emotion.NEUTRAL] < 200, "about 15 a minute"


def test_fear_and_sadness_look_away_anger_and_joy_do_not() -> None:
    share = {e: averted_share(course(e, 1.0, 300)) for e in Emotion}
    for shy, bold in itertools.product((Emotion.FEAR, Emotion.SAD), (Emotion.ANGRY, Emotion.HAPPY, Emotion.NEUTRAL)):
        assert share[shy] > share[bold] + 0.03


def test_equal_seeds_and_moods_give_equal_courses() -> None:
    assert np.array_equal(course(Emotion.SAD, 0.9, 30, seed=5), course(Emotion.SAD, 0.9, 30, seed=5))


@pytest.mark.parametrize("emotion", list(Emotion))
def test_controls_stay_within_their_ranges(emotion: Emotion) -> None:
    controls = course(emotion, 1.0, 24)
    assert (controls >= CONTROL_LOW).all() and (controls <= CONTROL_HIGH).all()


def test_a_calm_host_keeps_to_the_poses_that_are_baked() -> None:
    from realtime.core.clips import PRIMITIVES
    from realtime.core.primitives import loop_controls

    plan = Plan(3)
    for frame in range(300):
        pose = plan.sample(frame / FRAMES).controls
        loop = loop_controls(PRIMITIVES["idle"], frame / FRAMES)
        for name in ("yaw", "pitch", "roll", "lean", "shoulders", "breath"):
            assert pose[name] == pytest.approx(loop[name], abs=1e-5)
    assert REST["lean"] == 0.0
