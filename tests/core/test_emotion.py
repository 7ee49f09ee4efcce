"""The course of emotion over virtual time, and the emotion read from words."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.emotion import HOLD_S, MIN_CHANGE_S, SUSTAIN, TAIL_S, EmotionTrack, read_emotion
from realtime.core.facs import Emotion

FRAME_S = 0.04
EMOTIONS = [emotion for emotion in Emotion if emotion is not Emotion.NEUTRAL]
MAX_SLOPE_PER_S = 6.0
"""An onset of 0.4 s has its steepest slope at 3.1 per second; an onset that is overtaken by another may double it."""


def course(track: EmotionTrack, emotion: Emotion, start_s: float, end_s: float) -> list[float]:
    frames = round((end_s - start_s) / FRAME_S)
    return [track.weights(start_s + i * FRAME_S)[emotion] for i in range(frames)]


def test_it_starts_neutral() -> None:
    assert EmotionTrack().weights(0.0) == (0, 0, 0, 0, 0, 0, 1)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_the_onset_is_monotone_smooth_and_takes_about_half_a_second(emotion: Emotion) -> None:
    track = EmotionTrack()
    track.set(emotion, 0.8, 10.0)
    rise = course(track, emotion, 10.0, 10.7)
    assert rise == sorted(rise)
    assert rise[1] < 0.1, "it sets in smoothly"
    crossing_s = [next(i for i, w in enumerate(rise) if w >= share * 0.8) * FRAME_S for share in (0.1, 0.9)]
    assert 0.3 <= crossing_s[1] - crossing_s[0] <= 0.5


def test_it_relaxes_from_the_apex_and_holds() -> None:
    track = EmotionTrack()
    track.set(Emotion.HAPPY, 1.0, 0.0)
    assert track.weights(1.4)[Emotion.HAPPY] > 0.98
    assert track.weights(HOLD_S - 0.1)[Emotion.HAPPY] == pytest.approx(SUSTAIN, abs=0.02)


def test_surprise_is_the_briefest() -> None:
    def after(emotion: Emotion) -> float:
        track = EmotionTrack()
        track.set(emotion, 1.0, 0.0)
        return track.weights(2.5)[emotion]

    assert after(Emotion.SURPRISE) < 0.55 < after(Emotion.HAPPY)


def test_the_offset_is_monotone_and_slower_than_the_onset() -> None:
    track = EmotionTrack()
    track.set(Emotion.SAD, 1.0, 0.0)
    fall = course(track, Emotion.SAD, HOLD_S, HOLD_S + 3.0)
    assert fall == sorted(fall, reverse=True)
    top = fall[0]
    fall_s = [next(i for i, w in enumerate(fall) if w <= share * top) * FRAME_S for share in (0.9, 0.1)]
    assert 0.8 <= fall_s[1] - fall_s[0] <= 1.2
    assert track.weights(HOLD_S + 5.0)[Emotion.SAD] < 0.01


def test_speech_keeps_it() -> None:
    track = EmotionTrack()
    track.set(Emotion.HAPPY, 1.0, 0.0)
    track.keep(20.0)
    assert track.weights(20.0 + TAIL_S)[Emotion.HAPPY] == pytest.approx(SUSTAIN, abs=0.01)
    assert track.weights(20.0 + TAIL_S + 3.0)[Emotion.HAPPY] < 0.02


def test_release_begins_the_return_at_once() -> None:
    track = EmotionTrack()
    track.set(Emotion.HAPPY, 1.0, 0.0)
    track.keep(60.0)
    track.release(2.0)
    assert track.weights(4.5)[Emotion.HAPPY] < 0.05


def test_it_returns_to_the_mood() -> None:
    track = EmotionTrack(Emotion.HAPPY, 0.3)
    track.set(Emotion.SAD, 1.0, 1.0)
    assert track.weights(2.5)[Emotion.HAPPY] < 0.02
    rested = track.weights(20.0)
    assert rested[Emotion.HAPPY] == pytest.approx(0.3, abs=0.01) and rested[Emotion.SAD] < 0.01
    track.rest_at(Emotion.NEUTRAL, 0.0, 20.0)
    assert track.weights(30.0)[Emotion.NEUTRAL] == pytest.approx(1.0, abs=0.01)


def test_asking_for_neutral_is_a_target_like_the_others() -> None:
    track = EmotionTrack(Emotion.HAPPY, 0.5)
    track.set(Emotion.NEUTRAL, 1.0, 1.0)
    assert track.target == (Emotion.NEUTRAL, 1.0)
    assert track.weights(3.0)[Emotion.NEUTRAL] > 0.98


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(EMOTIONS[:5], 2)))
def test_one_emotion_fades_into_another_without_a_dip(first: Emotion, second: Emotion) -> None:
    track = EmotionTrack()
    track.set(first, 1.0, 0.0)
    track.weights(1.2)
    track.set(second, 1.0, 1.2)
    for i in range(30):
        weights = track.weights(1.2 + i * FRAME_S)
        assert weights[first] + weights[second] == pytest.approx(1.0, abs=0.03)
    assert track.weights(2.5)[second] > 0.98


def test_a_change_of_mind_waits_and_the_newest_wins() -> None:
    track = EmotionTrack()
    track.set(Emotion.HAPPY, 1.0, 1.0)
    track.set(Emotion.SAD, 1.0, 1.05)
    track.set(Emotion.ANGRY, 1.0, 1.10)
    before = track.weights(1.0 + MIN_CHANGE_S - 0.001)
    assert before[Emotion.SAD] == before[Emotion.ANGRY] == 0.0 and before[Emotion.HAPPY] > 0.4
    after = track.weights(2.4)
    assert after[Emotion.ANGRY] > 0.95 and after[Emotion.SAD] == 0.0


def test_more_of_the_same_takes_effect_at_once() -> None:
    track = EmotionTrack()
    track.set(Emotion.HAPPY, 0.2, 1.0)
    track.set(Emotion.HAPPY, 1.0, 1.1)
    assert track.weights(1.8)[Emotion.HAPPY] > 0.9


def test_time_does_not_run_backwards() -> None:
    track = EmotionTrack()
    track.set(Emotion.HAPPY, 1.0, 5.0)
    later = track.weights(5.5)
    assert track.weights(5.2) == later


def test_the_course_does_not_depend_on_how_often_it_is_read() -> None:
    seldom, often = EmotionTrack(), EmotionTrack()
    for track in (seldom, often):
        track.set(Emotion.HAPPY, 1.0, 0.0)
        track.set(Emotion.SURPRISE, 0.6, 0.1)
    for i in range(1_000):
        often.weights(i * 0.01)
    assert often.weights(10.0) == pytest.approx(seldom.weights(10.0))
    assert often.weights(12.0) == pytest.approx(seldom.weights(12.0))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_asked_the_weights_are_bounded_and_smooth(seed: int) -> None:
    rng = random.Random(seed)
    track = EmotionTrack(rng.choice(list(Emotion)), rng.random())
    now_s, before = 0.0, track.weights(0.0)
    for _ in range(300):
        match rng.randrange(12):
            case 0 | 1:
                track.set(rng.choice(list(Emotion)), rng.uniform(-0.5, 1.5), now_s)
            case 2:
                track.keep(now_s + rng.random() * 3)
            case 3:
                track.release(now_s)
            case 4:
                track.rest_at(rng.choice(list(Emotion)), rng.random(), now_s)
        now_s += FRAME_S
        weights = track.weights(now_s)
        assert len(weights) == 7 and all(0.0 <= w <= 1.0 for w in weights)
        assert sum(weights) == pytest.approx(1.0)
        assert all(abs(a - b) <= MAX_SLOPE_PER_S * FRAME_S for a, b in zip(before, weights, strict=True))
        before = weights


# --- reading


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("Congratulations, that is wonderful!", Emotion.HAPPY),
        ("I'm sorry, we are sold out.", Emotion.SAD),
        ("I'm afraid we don't have it.", Emotion.SAD),
        ("Wow, no way!", Emotion.SURPRISE),
        ("This is outrageous.", Emotion.ANGRY),
        ("That smells disgusting.", Emotion.DISGUST),
        ("Be careful, it is dangerous.", Emotion.FEAR),
        ("The shop opens at nine.", Emotion.NEUTRAL),
        ("I am not happy with it.", Emotion.SAD),
        ("Not bad!", Emotion.HAPPY),
        ("I’m not afraid.", Emotion.NEUTRAL),
        ("I don't really like it, but I am happy.", Emotion.HAPPY),
        ("🎉", Emotion.HAPPY),
        ("恭喜你！", Emotion.HAPPY),
        ("非常抱歉，卖完了。", Emotion.SAD),
        ("我不开心。", Emotion.SAD),
        ("不客气！", Emotion.HAPPY),
        ("不要害怕。", Emotion.NEUTRAL),
        ("哇，没想到！", Emotion.SURPRISE),
        ("太过分了！", Emotion.ANGRY),
        ("真恶心。", Emotion.DISGUST),
        ("商店九点开门。", Emotion.NEUTRAL),
        ("", Emotion.NEUTRAL),
    ],
)
def test_emotion_read_from_words(text: str, emotion: Emotion) -> None:
    assert read_emotion(text)[0] is emotion


def test_intensity_follows_intensifiers() -> None:
    slight, plain, strong = (read_emotion(f"I am {w}happy")[1] for w in ("a bit ", "", "very "))
    assert 0.0 < slight < plain < strong <= 1.0
    assert read_emotion("有点害怕")[1] < read_emotion("害怕")[1] < read_emotion("非常害怕")[1]


def test_no_cue_has_no_intensity() -> None:
    assert read_emotion("It is a table.") == (Emotion.NEUTRAL, 0.0)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_reading_takes_any_text(text: str) -> None:
    emotion, intensity = read_emotion(text)
    assert 0.0 <= intensity <= 1.0
    assert (emotion is Emotion.NEUTRAL) == (intensity == 0.0)
