"""Emotions have faces, and speech keeps its mouth whatever is felt."""

import numpy as np
import pytest

from realtime.core.expressions import RECIPES, combine, expression, presence
from realtime.core.facs import CONTROL_HIGH, CONTROL_LOW, CONTROL_NAMES, REST, Controls, Emotion, controls

SILENT = Controls(np.zeros_like(REST.vector))


def spoken(**values: float) -> Controls:
    return SILENT.with_(**values)


def test_every_emotion_has_a_recipe_of_known_controls() -> None:
    assert set(RECIPES) == set(Emotion)
    for recipe in RECIPES.values():
        assert set(recipe) <= set(CONTROL_NAMES)


def test_neutral_and_nothing_are_rest() -> None:
    assert np.array_equal(expression(Emotion.NEUTRAL, 1.0).vector, REST.vector)
    for emotion in Emotion:
        assert np.array_equal(expression(emotion, 0.0).vector, REST.vector)


@pytest.mark.parametrize("emotion", list(Emotion))
def test_intensity_scales_and_is_clipped(emotion: Emotion) -> None:
    full, half = (expression(emotion, i).vector - REST.vector for i in (1.0, 0.5))
    assert np.allclose(half * 2, full)
    assert np.array_equal(expression(emotion, 7.0).vector, expression(emotion, 1.0).vector)
    vector = expression(emotion, 1.0).vector
    assert (vector >= CONTROL_LOW).all() and (vector <= CONTROL_HIGH).all()


@pytest.mark.parametrize("emotion", list(Emotion))
def test_faces_leave_the_base_frame_alone(emotion: Emotion) -> None:
    felt = expression(emotion, 1.0)
    for name in ("yaw", "pitch", "roll", "lean", "shoulders", "breath"):
        assert felt[name] == REST[name]


@pytest.mark.parametrize("emotion", list(Emotion))
def test_silence_keeps_the_face(emotion: Emotion) -> None:
    felt = expression(emotion, 1.0)
    assert np.allclose(combine(felt, SILENT).vector, felt.vector)


@pytest.mark.parametrize("emotion", list(Emotion))
def test_bilabials_close_over_every_emotion(emotion: Emotion) -> None:
    together = combine(expression(emotion, 1.0), spoken(AU24=0.7, AU23=0.12))
    assert together["AU25"] == together["AU26"] == 0.0
    assert together["AU24"] == pytest.approx(0.7)


@pytest.mark.parametrize("emotion", list(Emotion))
def test_vowels_open_over_every_emotion(emotion: Emotion) -> None:
    together = combine(expression(emotion, 1.0), spoken(AU25=0.8, AU26=0.62))
    assert together["AU26"] == pytest.approx(0.62)
    assert together["AU24"] == 0.0


def test_a_smile_stays_but_yields_to_rounding() -> None:
    happy = expression(Emotion.HAPPY, 1.0)
    wide, round_ = (combine(happy, mouth)["AU12"] for mouth in (spoken(AU25=0.8), spoken(AU25=0.5, lip_round=1.0)))
    assert wide > 0.7 and 0.2 < round_ < 0.4


def test_speech_does_not_touch_eyes_and_pose() -> None:
    felt = controls(AU1=0.5, blink_l=0.3, yaw=4.0, gaze_x=0.2)
    together = combine(felt, spoken(AU25=0.8, AU26=0.5))
    for name in ("AU1", "blink_l", "yaw", "gaze_x", "breath"):
        assert together[name] == felt[name]


def test_presence_is_bounded_and_rises() -> None:
    values = [presence(spoken(AU26=v)) for v in (0.0, 0.1, 0.2, 0.5, 1.0)]
    assert values == sorted(values) and values[0] == 0.0 and values[-1] == 1.0


def test_the_result_stays_in_range() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        face = Controls(rng.uniform(CONTROL_LOW, CONTROL_HIGH).astype(np.float32))
        mouth = spoken(
            **{n: float(rng.uniform()) for n in ("AU25", "AU26", "AU24", "AU12", "AU20", "lip_round", "AU10")}
        )
        vector = combine(face, mouth).clipped().vector
        assert np.isfinite(vector).all()
