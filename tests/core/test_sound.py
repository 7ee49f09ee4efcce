"""The sound timeline: order, lateness, silence and cutting."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.sound import FADE_SAMPLES, SoundTimeline
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm


def tone(samples: int, level: int = 1000) -> Pcm:
    return np.full(samples, level, np.int16)


def test_silence_where_nothing_was_appended() -> None:
    assert not SoundTimeline().read(7).any()


def test_sound_starts_with_the_next_unread_tick() -> None:
    sound = SoundTimeline()
    sound.read(0)
    begin_s = sound.append(tone(100), not_before_s=0.003)
    assert begin_s == AUDIO_TICK_SAMPLES / AUDIO_RATE_HZ
    tick = sound.read(1)
    assert tick[:100].all() and not tick[100:].any()


@given(st.lists(st.integers(0, 3000), max_size=12))
def test_pieces_come_out_whole_and_in_order(lengths: list[int]) -> None:
    sound = SoundTimeline()
    pieces = [tone(n, level=i + 1) for i, n in enumerate(lengths)]
    for piece in pieces:
        sound.append(piece)
    ticks = sum(lengths) // AUDIO_TICK_SAMPLES + 1
    out = np.concatenate([sound.read(tick) for tick in range(ticks)])
    expected = np.concatenate([*pieces, np.zeros(0, np.int16)])
    assert np.array_equal(out[: len(expected)], expected)
    assert not out[len(expected) :].any()


def test_a_skipped_tick_is_lost_and_not_played_late() -> None:
    sound = SoundTimeline()
    sound.append(np.repeat(np.arange(1, 4, dtype=np.int16), AUDIO_TICK_SAMPLES))
    assert sound.read(0)[0] == 1
    assert sound.read(2)[0] == 3


def test_cut_fades_out_and_drops_the_rest() -> None:
    sound = SoundTimeline()
    sound.append(tone(AUDIO_RATE_HZ))
    sound.read(0)
    dropped_s = sound.cut(0.010)
    assert dropped_s > 0.95
    faded = sound.read(1)[:FADE_SAMPLES].astype(int)
    assert np.all(np.diff(faded) <= 0) and faded[-1] < 10
    assert not sound.read(2).any()
    assert sound.pending_s(0.06) == 0.0


def test_sound_after_a_cut_does_not_wait_for_what_was_dropped() -> None:
    sound = SoundTimeline()
    sound.append(tone(10 * AUDIO_RATE_HZ))
    sound.read(0)
    sound.cut(0.02)
    assert sound.append(tone(960), not_before_s=0.02) < 0.05


def test_pause_leaves_a_gap() -> None:
    sound = SoundTimeline()
    sound.append(tone(960))
    assert sound.append(tone(960), not_before_s=0.5) == 0.5
    assert sound.pending_s(0.0) == 0.52
