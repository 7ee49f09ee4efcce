"""What was and will be said around a moment, and whose mouth is shown."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.sound import SoundTimeline
from realtime.core.spoken import FADE_FRAMES, REST_S, Hears, MouthTurn, Spoken
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES, FRAME_S
from realtime.core.values import Pcm

HEARS = Hears()


def numbered(samples: int, first: int = 1) -> Pcm:
    """Sound in which every sample can be told from its neighbours."""
    return ((np.arange(samples) + first) % 32_000).astype(np.int16)


def played(spoken: Spoken, until_s: float, from_s: float = 0.0) -> None:
    for tick in range(round(from_s * 50), round(until_s * 50)):
        spoken.read(tick)


def test_what_was_played_and_what_will_be_are_one_stretch() -> None:
    sound = SoundTimeline()
    spoken = Spoken(sound)
    pcm = numbered(3 * AUDIO_RATE_HZ)
    sound.append(pcm)
    played(spoken, 1.5)
    found = spoken.around(1.6, HEARS)
    assert found.start_s == 0.6 and len(found.pcm) == round(1.4 * AUDIO_RATE_HZ)
    begin = found.begin
    assert (found.pcm == pcm[begin : begin + len(found.pcm)]).all()


def test_before_the_begin_of_time_there_is_silence() -> None:
    sound = SoundTimeline()
    sound.append(numbered(AUDIO_RATE_HZ))
    found = Spoken(sound).around(0.0, HEARS)
    assert found.start_s == -1.0 and not found.pcm[:AUDIO_RATE_HZ].any() and found.pcm[AUDIO_RATE_HZ:].all()


def test_moments_close_together_share_a_stretch() -> None:
    spans = {HEARS.span(index * FRAME_S) for index in range(25)}
    assert len(spans) == 5, "five to a second"
    for index in range(100):
        begin, end = HEARS.span(index * FRAME_S)
        at = index * FRAME_S * AUDIO_RATE_HZ
        assert begin <= at - 0.2 * AUDIO_RATE_HZ and at + 0.2 * AUDIO_RATE_HZ <= end


def test_what_an_interruption_cut_off_is_never_asked_for_again() -> None:
    sound = SoundTimeline()
    spoken = Spoken(sound)
    sound.append(np.full(3 * AUDIO_RATE_HZ, 9000, np.int16))
    played(spoken, 1.0)
    assert spoken.around(1.2, HEARS).sounds(1.2)
    sound.cut(1.0)
    after = spoken.around(1.2, HEARS)
    assert not after.sounds(1.2), "8 ms of fading out lie more than 120 ms back"
    assert not after.pcm[round(1.02 * AUDIO_RATE_HZ) - after.begin :].any()
    sound.append(np.full(AUDIO_RATE_HZ, -500, np.int16), 1.1)
    new = spoken.around(1.2, HEARS).pcm[round(1.1 * AUDIO_RATE_HZ) - after.begin :]
    assert (new == -500).all(), "nothing of the old speech is in the new one"


def test_sound_is_kept_for_two_seconds_and_no_longer() -> None:
    sound = SoundTimeline()
    spoken = Spoken(sound)
    sound.append(np.full(60 * AUDIO_RATE_HZ, 100, np.int16))
    played(spoken, 50.0)
    assert len(spoken._ticks) == 100
    assert not spoken.around(40.0, HEARS).pcm.any()


def test_asking_takes_no_sound_from_the_listeners() -> None:
    sound, silent = SoundTimeline(), SoundTimeline()
    for one in (sound, silent):
        one.append(numbered(AUDIO_RATE_HZ))
    spoken = Spoken(sound)
    for tick in range(50):
        spoken.around(tick * 0.02, HEARS)
        assert np.array_equal(spoken.read(tick), silent.read(tick))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 40_000), st.floats(0.0, 3.0)), max_size=12), st.data())
def test_a_stretch_is_what_is_heard_and_of_one_session(
    pieces: list[tuple[int, int, float]], data: st.DataObject
) -> None:
    """Two sessions speak, are interrupted and read at random. One's samples are above zero and the other's below, which
    no fade changes; and as far as nothing comes between, a stretch is what the listeners hear."""
    signs = (1, -1)
    sounds = [SoundTimeline() for _ in signs]
    spoken = [Spoken(one) for one in sounds]
    now = [0 for _ in signs]
    for who, samples, at_s in pieces:
        sounds[who].append(np.full(samples, 1000 * signs[who], np.int16), at_s)
        for _ in range(data.draw(st.integers(0, 60))):
            spoken[who].read(now[who])
            now[who] += 1
        if data.draw(st.integers(0, 5)) == 0:
            sounds[who].cut(now[who] * 0.02)
    for who, sign in enumerate(signs):
        found = spoken[who].around(now[who] * 0.02, HEARS)
        assert int((found.pcm.astype(int) * sign).min()) >= 0
        ahead = np.concatenate([spoken[who].read(tick) for tick in range(now[who], now[who] + 20)])
        at = now[who] * AUDIO_TICK_SAMPLES - found.begin
        shared = min(len(ahead), len(found.pcm) - at)
        assert np.array_equal(found.pcm[at : at + shared], ahead[:shared])


def test_a_mouth_comes_and_goes_over_a_few_frames() -> None:
    turn = MouthTurn()
    shares = []
    for sounds in [False, True, True, True, True, False, False, False, False]:
        share = turn.share(0.0, 0.04, 0.01, FRAME_S, sounds=sounds)
        shares.append(round(share * FADE_FRAMES))
        if share:
            turn.made()
    assert shares == [0, 1, 2, 3, 3, 2, 1, 0, 0]


def test_a_missed_mouth_is_not_asked_for_a_while_and_then_comes_softly() -> None:
    turn = MouthTurn()
    for _ in range(4):
        assert turn.share(0.0, 0.04, 0.01, FRAME_S, sounds=True)
        turn.made()
    turn.missed(1.0)
    assert not turn.share(1.0 + REST_S - 0.01, 0.04, 0.01, FRAME_S, sounds=True)
    assert turn.share(1.0 + REST_S, 0.04, 0.01, FRAME_S, sounds=True) == 1 / FADE_FRAMES
    turn.missed(1.0 + REST_S)
    assert not turn.share(1.0 + 2 * REST_S + 0.1, 0.04, 0.01, FRAME_S, sounds=True), "the second rest is longer"


def test_what_can_never_be_in_time_is_never_tried_and_what_nearly_is_now_and_then() -> None:
    slow, near = MouthTurn(), MouthTurn()
    tried = {"slow": 0, "near": 0}
    for frame in range(25 * 60):
        now_s = frame * FRAME_S
        tried["slow"] += bool(slow.share(now_s, 0.03, 3.0, FRAME_S, sounds=True))
        if near.share(now_s, 0.03, 0.05, FRAME_S, sounds=True):
            tried["near"] += 1
            near.missed(now_s)
    assert tried["slow"] == 0
    assert 3 <= tried["near"] <= 6, "after 2, 4, 8, 16 and 32 s of rest"
