"""Brow beats: on stresses, not too often, gone after a cut."""

import numpy as np

from realtime.core.beats import GAP_S, PEAK, BeatTrack
from realtime.core.values import Phoneme


def stressed(*starts_s: float) -> list[Phoneme]:
    return [Phoneme("a", start_s, start_s + 0.1, 2) for start_s in starts_s]


def lifts(track: BeatTrack, begin_s: float, end_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([track.lift(float(t)) for t in np.arange(begin_s, end_s, 0.02)])


def test_the_apex_is_on_the_stressed_vowel() -> None:
    track = BeatTrack()
    track.extend(stressed(1.0), 2.0)
    values = lifts(track, 0, 5)
    assert np.argmax(values) * 0.02 >= 2.98 and values.max() == PEAK
    assert values[np.arange(len(values)) * 0.02 < 2.8].max() == 0


def test_unstressed_sounds_move_nothing() -> None:
    track = BeatTrack()
    track.extend([Phoneme("a", 0.0, 0.1, 1), Phoneme("b", 0.1, 0.2)], 1.0)
    assert lifts(track, 0, 3).max() == 0


def test_beats_keep_their_distance() -> None:
    track = BeatTrack()
    track.extend(stressed(*np.arange(0, 10, 0.3).tolist()), 0.0)
    values = lifts(track, 0, 11)
    begins = np.flatnonzero((values[1:] > 0) & (values[:-1] == 0)) * 0.02
    assert 5 <= len(begins) <= 7 and np.diff(begins).min() >= GAP_S - 0.1


def test_a_cut_forgets_what_has_not_begun() -> None:
    track = BeatTrack()
    track.extend(stressed(0.5, 3.0), 0.0)
    track.cut(1.0)
    assert lifts(track, 1.2, 5).max() == 0
