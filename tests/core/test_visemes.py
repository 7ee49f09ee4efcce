"""The mouth in virtual time: closure, coarticulation, stillness, interruption."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.facs import CONTROL_HIGH, CONTROL_LOW, CONTROL_NAMES
from realtime.core.units import FRAME_S
from realtime.core.values import Phoneme
from realtime.core.visemes import (
    CLOSE_S,
    CLOSURE_S,
    LIP_CONTROLS,
    MOUTH_CONTROLS,
    PREPARE_S,
    RELEASE_S,
    MouthTrack,
    opening,
)

AT_S = 10.0
STEP_S = 0.002


def phones(text: str, length_s: float = 0.09, stress: int = 0) -> list[Phoneme]:
    """Phones of equal length from symbols separated by spaces; `_` is silence."""
    symbols = ["" if symbol == "_" else symbol for symbol in text.split()]
    return [Phoneme(s, i * length_s, (i + 1) * length_s, stress) for i, s in enumerate(symbols)]


def track(text: str, length_s: float = 0.09, stress: int = 0) -> MouthTrack:
    mouth = MouthTrack()
    mouth.extend(phones(text, length_s, stress), AT_S)
    return mouth


def openings(mouth: MouthTrack, begin_s: float, end_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([mouth.openness(s) for s in np.arange(begin_s, end_s, STEP_S)])


@pytest.mark.parametrize("sound", ["p", "b", "m", "ph"])
@pytest.mark.parametrize("length_s", [0.03, 0.06, 0.10])
def test_lips_that_must_meet_do_so_for_a_whole_frame_wherever_frames_fall(sound: str, length_s: float) -> None:
    mouth, met_s = MouthTrack(), AT_S + 0.15
    spoken = [(0.0, 0.15, "ɑː"), (0.15, 0.15 + length_s, sound), (0.15 + length_s, 0.3 + length_s, "ɑː")]
    mouth.extend([Phoneme(symbol, begin_s, end_s) for begin_s, end_s, symbol in spoken], AT_S)
    shut = openings(mouth, AT_S, met_s + length_s + 0.1) == 0.0
    assert shut.sum() * STEP_S >= CLOSURE_S - STEP_S > FRAME_S
    for phase in np.arange(0.0, FRAME_S, 0.005):
        frames = [mouth.openness(s) for s in np.arange(AT_S + phase, met_s + length_s + 0.1, FRAME_S)]
        assert min(frames) == 0.0


def test_a_plosive_parts_the_lips_with_its_burst() -> None:
    for sound, length_s in (("p", 0.034), ("ph", 0.05), ("b", 0.03)):
        mouth = MouthTrack()
        mouth.extend([Phoneme("ɑː", 0.0, 0.2), Phoneme(sound, 0.2, 0.2 + length_s), Phoneme("ɑː", 0.25, 0.4)], AT_S)
        assert mouth.openness(AT_S + 0.2 - 0.02) == mouth.openness(AT_S + 0.2) == 0.0
        assert mouth.openness(AT_S + 0.2 + 0.035) > 0.1
    humming = MouthTrack()
    humming.extend([Phoneme("b", 0.2, 0.26)], AT_S)
    assert not openings(humming, AT_S + 0.2, AT_S + 0.26).any()


def test_lips_touch_the_teeth_for_f_and_v() -> None:
    for sound in ("f", "v"):
        mouth = track(f"iː {sound} ɑː")
        assert mouth.sample(AT_S + 0.135)["lip_tuck"] == pytest.approx(1.0)


def test_the_mouth_opens_after_a_closure() -> None:
    mouth = track("m ɑː m ɑː")
    seen = openings(mouth, AT_S, AT_S + 0.36)
    assert seen.max() > 0.35 and (np.diff(np.sign(np.diff(seen))) != 0).sum() >= 3


def test_vowels_differ_in_opening_and_shape() -> None:
    middle = AT_S + 0.1
    wide, spread, round_ = (track(vowel, 0.2).sample(middle) for vowel in ("ɑː", "iː", "uː"))
    assert opening(wide) > 1.5 * opening(spread) > 0
    assert spread["AU20"] > 0.4 and spread["lip_round"] == 0.0
    assert round_["lip_round"] > 0.9 and round_["AU20"] == 0.0


def test_stress_opens_further() -> None:
    weak, strong = (track("ɑː", 0.2, stress).openness(AT_S + 0.1) for stress in (0, 2))
    assert strong > 1.1 * weak


def test_rounding_is_anticipated_further_than_opening() -> None:
    mouth = track("s s uː", 0.08)
    during_s = mouth.sample(AT_S + 0.08)
    assert during_s["lip_round"] > 0.05
    assert during_s["AU26"] == pytest.approx(track("s s s", 0.08).sample(AT_S + 0.08)["AU26"], rel=0.1)


def test_a_short_sound_is_pulled_towards_its_neighbours() -> None:
    long, short = (track("iː ɑː iː", length_s).openness(AT_S + 1.5 * length_s) for length_s in (0.2, 0.04))
    assert short < 0.9 * long


def test_silence_is_perfectly_still_and_closed() -> None:
    mouth = track("h ə l oʊ _ _ _ _ _ h ə")
    end_s = AT_S + 4 * 0.09
    assert not openings(mouth, AT_S - 1.0, AT_S - PREPARE_S).any()
    assert openings(mouth, AT_S - PREPARE_S / 2, AT_S)[-1] > 0
    pause = [mouth.sample(s).vector for s in np.arange(end_s + RELEASE_S, AT_S + 9 * 0.09 - PREPARE_S, STEP_S)]
    assert len(pause) > 50 and not np.any(pause)
    assert not openings(mouth, AT_S + 11 * 0.09 + RELEASE_S, AT_S + 3.0).any()


def test_a_gap_between_words_does_not_flap_the_mouth() -> None:
    held = [*phones("ɑː", 0.15), Phoneme("", 0.15, 0.18), Phoneme("ɑː", 0.18, 0.33)]
    mouth = MouthTrack()
    mouth.extend(held, AT_S)
    seen = openings(mouth, AT_S + 0.1, AT_S + 0.25)
    assert seen.min() > 0.85 * seen.max()


def test_only_the_mouths_controls_are_set() -> None:
    mouth = track("h ə l oʊ m aɪ f ɹ ɛ n d z")
    others = [name for name in CONTROL_NAMES if name not in MOUTH_CONTROLS]
    assert set(LIP_CONTROLS) < set(MOUTH_CONTROLS)
    for s in np.arange(AT_S, AT_S + 1.0, 0.01):
        sample = mouth.sample(s)
        assert all(sample[name] == 0.0 for name in others)
        np.testing.assert_array_equal(sample.vector, sample.vector.clip(CONTROL_LOW, CONTROL_HIGH))


def test_feeding_piecewise_changes_nothing() -> None:
    whole, pieces = track("w iː m uː v d b oʊ θ b ɪ ɡ ʃ ɪ p s"), MouthTrack()
    for phoneme in phones("w iː m uː v d b oʊ θ b ɪ ɡ ʃ ɪ p s"):
        pieces.extend([phoneme], AT_S)
    for s in np.arange(AT_S - 0.2, AT_S + 2.0, 0.013):
        np.testing.assert_array_equal(whole.sample(s).vector, pieces.sample(s).vector)


def test_no_jumps_between_frames_of_a_millisecond() -> None:
    mouth = track("b ɑː t ʃ iː p ɑː v ə m _ _ _ f uː")
    seen = np.array([mouth.sample(s).vector for s in np.arange(AT_S - 0.3, AT_S + 1.8, 0.001)])
    assert np.abs(np.diff(seen, axis=0)).max() < 0.06


def test_an_interruption_closes_smoothly_from_where_the_mouth_is() -> None:
    mouth = track("ɑː ɑː ɑː ɑː")
    cut_s = AT_S + 0.2
    before = mouth.sample(cut_s)
    mouth.cut(cut_s)
    np.testing.assert_allclose(mouth.sample(cut_s).vector, before.vector, atol=1e-6)
    closing = openings(mouth, cut_s, cut_s + CLOSE_S)
    assert np.all(np.diff(closing) <= 0) and np.abs(np.diff(closing)).max() < 0.05
    assert not np.any([mouth.sample(s).vector for s in np.arange(cut_s + CLOSE_S, cut_s + 2.0, 0.01)])


def test_speech_after_an_interruption_is_spoken_in_full() -> None:
    mouth = track("ɑː ɑː ɑː ɑː")
    mouth.cut(AT_S + 0.2)
    mouth.extend(phones("ɑː ɑː"), AT_S + 0.25)
    assert mouth.openness(AT_S + 0.34) > 0.35
    assert mouth.openness(AT_S + 0.25 + 0.18 + RELEASE_S) == 0.0


def test_what_was_seen_long_ago_is_forgotten() -> None:
    mouth = MouthTrack()
    for minute in range(60):
        mouth.extend(phones("ɑː m " * 20), minute * 60.0)
        mouth.sample(minute * 60.0 + 3.0)
    assert mouth.pending < 200


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["m", "f", "ɑː", "uː", "s", "", "tʃ", "5"]), st.floats(0.001, 0.4), st.integers(0, 2)
        ),
        max_size=30,
    ),
    st.floats(0.0, 8.0),
)
def test_any_speech_stays_in_range_and_ends_closed(spoken: list[tuple[str, float, int]], cut_s: float) -> None:
    mouth, at_s = MouthTrack(), 0.0
    for symbol, length_s, stress in spoken:
        mouth.extend([Phoneme(symbol, 0.0, length_s, stress)], at_s)
        at_s += length_s
    for s in np.arange(0.0, cut_s, 0.1):
        sample = mouth.sample(s)
        assert np.isfinite(sample.vector).all()
        np.testing.assert_array_equal(sample.vector, sample.vector.clip(CONTROL_LOW, CONTROL_HIGH))
    mouth.cut(cut_s)
    assert not mouth.sample(cut_s + CLOSE_S).vector.any()
