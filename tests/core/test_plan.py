"""The plan in virtual time: speech, activity, emotion, gestures, gaze, interruption."""

import numpy as np
import pytest

from realtime.core.facs import CONTROL_HIGH, CONTROL_LOW, Emotion
from realtime.core.plan import LISTEN_S, Plan
from realtime.core.units import FRAME_S
from realtime.core.values import Phoneme, Pose


def play(plan: Plan, begin_s: float, end_s: float) -> list[Pose]:
    return [plan.sample(float(t)) for t in np.arange(begin_s, end_s, FRAME_S)]


def speak(plan: Plan, start_s: float, length_s: float, symbol: str = "ɑː") -> None:
    plan.speak([Phoneme(symbol, 0.0, length_s, 2)], start_s, start_s + length_s)


def test_at_rest_nothing_opens_the_mouth() -> None:
    poses = play(Plan(), 0, 20)
    assert all(pose.controls["AU26"] == 0 and not pose.mouth_open for pose in poses)
    assert {pose.activity for pose in poses} == {"idle"}


def test_activity_follows_speech_thinking_and_attention() -> None:
    plan = Plan()
    plan.think(1.0)
    assert plan.activity(1.1) == "idle" and plan.activity(1.5) == "thinking"
    speak(plan, 2.0, 1.0)
    assert plan.activity(2.5) == "speaking"
    assert plan.activity(3.5) == "listening"
    assert plan.activity(3.5 + LISTEN_S) == "idle"


def test_speech_opens_the_mouth_on_time() -> None:
    plan = Plan()
    speak(plan, 1.0, 0.4)
    poses = play(plan, 0, 3)
    opened = [pose.media_s for pose in poses if pose.mouth_open]
    assert 0.9 <= opened[0] <= 1.1 and 1.3 <= opened[-1] <= 1.6


def test_an_interruption_closes_the_mouth_and_raises_the_epoch() -> None:
    plan = Plan()
    speak(plan, 1.0, 5.0)
    play(plan, 0, 2)
    assert plan.interrupt(2.0) == 1
    poses = play(plan, 2.0, 4.0)
    assert all(pose.epoch == 1 for pose in poses)
    assert all(not pose.mouth_open for pose in poses if pose.media_s > 2.13)
    assert poses[-1].activity == "listening"


def test_what_was_planned_before_an_interruption_does_not_happen() -> None:
    plan = Plan()
    plan.gesture("wave", 3.0)
    plan.feel(Emotion.ANGRY, 1.0, 3.0)
    plan.interrupt(1.0)
    poses = play(plan, 0, 6)
    assert max(pose.controls["arm_raise"] for pose in poses) == 0
    assert max(pose.controls["AU4"] for pose in poses) < 0.3


def test_emotions_rise_smoothly_and_stay_in_range_with_speech_on_top() -> None:
    plan = Plan()
    for emotion in Emotion:
        plan.feel(emotion, 1.0, float(emotion) * 1.5)
    speak(plan, 0.5, 10.0)
    poses = play(plan, 0, 12)
    vectors = np.array([pose.controls.vector for pose in poses])
    assert np.all(vectors >= CONTROL_LOW) and np.all(vectors <= CONTROL_HIGH)
    smile = np.array([pose.controls["AU12"] for pose in poses])
    assert np.abs(np.diff(smile)).max() < 0.25


@pytest.mark.parametrize("emotion", list(Emotion))
def test_lips_meet_for_p_b_m_in_every_emotion(emotion: Emotion) -> None:
    plan = Plan()
    plan.feel(emotion, 1.0, 0.0)
    phonemes = [Phoneme("ɑː", 0.0, 0.2, 2), Phoneme("m", 0.2, 0.3), Phoneme("ɑː", 0.3, 0.5, 2)]
    plan.speak(phonemes, 2.0, 2.5)
    poses = play(plan, 0, 3)
    closed = [pose for pose in poses if 2.2 <= pose.media_s <= 2.3 and pose.controls["AU26"] < 0.1]
    assert closed, "the lips meet in at least one frame"
    assert min(pose.controls["AU25"] for pose in closed) < 0.12


def test_a_second_gesture_waits_for_the_first() -> None:
    plan = Plan()
    plan.gesture("nod", 1.0)
    plan.gesture("wave", 1.1)
    poses = play(plan, 0, 7)
    waved = [pose.media_s for pose in poses if pose.controls["arm_raise"] > 0.5]
    assert waved and waved[0] > 2.2


def test_looking_somewhere_and_back() -> None:
    plan = Plan()
    plan.look(0.8, 0.0, 1.0, 1.0)
    poses = play(plan, 0, 3)
    away = [pose.media_s for pose in poses if pose.controls["gaze_x"] > 0.6]
    assert away[0] == pytest.approx(1.08, abs=0.05) and away[-1] == pytest.approx(2.0, abs=0.1)


def test_two_plans_with_one_seed_do_the_same() -> None:
    def run(seed: int) -> list[bytes]:
        plan = Plan(seed)
        speak(plan, 1.0, 2.0)
        return [pose.controls.vector.tobytes() for pose in play(plan, 0, 10)]

    assert run(5) == run(5)
    assert run(5) != run(6)
