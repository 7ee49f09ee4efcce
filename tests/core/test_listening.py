"""Rates, levels, pitch and mood of a voice."""

import numpy as np
import pytest

from realtime.core.facs import Emotion
from realtime.core.listening import (
    HEARING_RATE_HZ,
    SILENT_DB,
    WINDOW_S,
    WINDOW_SAMPLES,
    Decimator,
    NoiseFloor,
    Window,
    Windows,
    level_db,
    pitch_hz,
)
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Pcm
from realtime.core.voice_mood import MAX_MOOD, MoodReader, VoiceMood, empathy, prosody


def tone(hz: float, seconds: float, rate_hz: int, amplitude: float = 8000) -> Pcm:
    at_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(amplitude * np.sin(2 * np.pi * hz * at_s), np.int16)


def test_decimation_keeps_what_belongs_and_drops_what_would_fold() -> None:
    low = Decimator().push(tone(1000, 1.0, AUDIO_RATE_HZ))
    high = Decimator().push(tone(11_000, 1.0, AUDIO_RATE_HZ))
    assert abs(level_db(low[200:]) - level_db(tone(1000, 1.0, HEARING_RATE_HZ))) < 0.1
    assert level_db(high[200:]) < level_db(low[200:]) - 60


@pytest.mark.parametrize("size", [1, 7, 480, 960, 5000])
def test_the_size_of_the_pieces_does_not_matter(size: int) -> None:
    sound = (np.random.default_rng(0).normal(size=9600) * 3000).astype(np.int16)
    whole, pieces = Decimator(), Decimator()
    expected = whole.push(sound)
    got = np.concatenate([pieces.push(sound[at : at + size]) for at in range(0, len(sound), size)])
    assert np.abs(got.astype(int) - expected).max() <= 1 and abs(len(got) - 3200) < 20


def test_windows_are_whole_and_lose_nothing() -> None:
    cutter = Windows()
    sound = np.arange(2000, dtype=np.int16)
    found = [window for at in range(0, 2000, 333) for window in cutter.push(sound[at : at + 333])]
    assert np.array_equal(np.concatenate(found), sound[: 3 * WINDOW_SAMPLES])


def test_levels() -> None:
    assert level_db(np.zeros(0, np.int16)) == SILENT_DB and level_db(np.zeros(512, np.int16)) == SILENT_DB
    assert abs(level_db(np.full(512, 16384, np.int16)) + 6.02) < 0.01


def test_the_noise_floor_follows_the_room_and_not_the_speech() -> None:
    floor = NoiseFloor()
    for _ in range(100):
        floor.update(-50.0)
    assert abs(floor.level_db + 50) < 5
    for _ in range(60):
        floor.update(-20.0)
    assert floor.level_db < -44
    for _ in range(20):
        floor.update(-70.0)
    assert floor.level_db < -65


@pytest.mark.parametrize("hz", [85.0, 120.0, 205.0, 330.0])
def test_pitch_of_a_rich_tone(hz: float) -> None:
    rich = sum(tone(hz * k, 0.064, HEARING_RATE_HZ, 6000 / k).astype(int) for k in (1, 2, 3, 4))
    found = pitch_hz(np.asarray(rich, np.int16))
    assert found is not None and abs(found / hz - 1) < 0.03


def test_noise_and_silence_have_no_pitch() -> None:
    noise = (np.random.default_rng(0).normal(size=1024) * 2000).astype(np.int16)
    assert pitch_hz(noise) is None and pitch_hz(np.zeros(1024, np.int16)) is None


def turn(level: float, pitch: float, spread: float, syllables_hz: float, seconds: float = 2.0) -> list[Window]:
    """A turn with this loudness, pitch, spread of pitch (semitones) and rate."""
    rng = np.random.default_rng(3)
    found = []
    for index in range(round(seconds / WINDOW_S)):
        at_s = index * WINDOW_S
        loud = level + 6 * np.sin(2 * np.pi * syllables_hz * at_s)
        hz = pitch * 2 ** (rng.normal() * spread / 12)
        found.append(Window(at_s, 0.9, loud, 30.0, 1.0, hz))
    return found


def test_a_voice_is_judged_against_its_own_usual_way() -> None:
    reader = MoodReader()
    assert reader.read(turn(-25, 120, 2.0, 4.0)) is None
    usual = reader.read(turn(-25, 120, 2.0, 4.0))
    assert usual is not None and abs(usual.arousal) < 0.1 and empathy(usual) == (Emotion.NEUTRAL, 0.0)
    lively = reader.read(turn(-17, 160, 4.5, 5.5))
    assert lively is not None and lively.arousal > 0.4 and empathy(lively)[0] is Emotion.HAPPY


def test_a_low_flat_slow_voice_makes_her_concerned() -> None:
    reader = MoodReader()
    reader.read(turn(-25, 120, 2.5, 4.5))
    sad = reader.read(turn(-33, 100, 0.7, 2.5))
    assert sad is not None and sad.arousal < -0.3
    emotion, intensity = empathy(sad)
    assert emotion is Emotion.SAD and 0.05 < intensity <= MAX_MOOD


def test_the_mood_is_bounded_and_too_little_voice_says_nothing() -> None:
    for arousal in (-1.0, 0.0, 1.0):
        for valence in (-1.0, 0.0, 1.0):
            assert 0.0 <= empathy(VoiceMood(arousal, valence))[1] <= MAX_MOOD
    assert prosody(turn(-25, 120, 2.0, 4.0, seconds=0.2)) is None
    assert prosody([]) is None
