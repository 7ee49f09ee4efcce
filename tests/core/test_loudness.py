"""Lips from loudness: open when it is loud, still in pauses, in time, whatever the sound."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.loudness import WINDOW_S, lips_of
from realtime.core.phones import sounds
from realtime.core.recording import CHUNK_S, recording_of
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Pcm


def hum(duration_s: float, amplitude: float, frequency_hz: float = 150.0) -> Pcm:
    at = np.arange(round(duration_s * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    return np.asarray(amplitude * np.sin(2 * np.pi * frequency_hz * at), np.int16)


def silence(duration_s: float) -> Pcm:
    return np.zeros(round(duration_s * AUDIO_RATE_HZ), np.int16)


def test_louder_is_wider_and_pauses_are_closed() -> None:
    pcm = np.concatenate([silence(0.4), hum(0.4, 12_000), silence(0.4), hum(0.4, 5_000), hum(0.4, 1_500)])
    lips = lips_of(pcm)
    assert {one.symbol for one in lips if one.start_s < 0.8} == {"a"}
    assert {one.symbol for one in lips if 1.2 <= one.start_s < 1.6} == {"ɛ"}
    assert {one.symbol for one in lips if one.start_s >= 1.6} == {"ə"}
    assert not [one for one in lips if one.end_s <= 0.4 or 0.8 <= one.start_s < 1.2]


def test_hiss_shows_teeth() -> None:
    noise = np.random.default_rng(3).normal(0, 4000, AUDIO_RATE_HZ // 2)
    hiss = np.diff(noise, prepend=0.0).astype(np.int16)
    assert {one.symbol for one in lips_of(hiss)} == {"s"}


def test_nothing_moves_for_noise_of_the_room() -> None:
    assert lips_of(hum(1.0, 50)) == () == lips_of(silence(1.0)) == lips_of(silence(0.0))


def test_symbols_are_known_to_the_mouth() -> None:
    assert all(sounds(symbol) for symbol in ("a", "ɛ", "ə", "s"))


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=40))
def test_any_sound(levels: list[int]) -> None:
    pcm = np.repeat(np.array(levels, np.int16), 700)
    lips = lips_of(pcm)
    assert all(a.end_s <= b.start_s + 1e-9 for a, b in zip(lips, lips[1:], strict=False))
    assert all(one.end_s <= len(pcm) / AUDIO_RATE_HZ + 1e-9 and one.end_s - one.start_s >= WINDOW_S / 2 for one in lips)


def test_a_recording_keeps_every_sample() -> None:
    pcm = hum(2.5 * CHUNK_S, 9000)
    chunks = recording_of(pcm).chunks
    assert np.array_equal(np.concatenate([chunk.pcm for chunk in chunks]), pcm)
    assert [chunk.start_s for chunk in chunks] == [0.0, CHUNK_S, 2 * CHUNK_S]
    assert [chunk.last for chunk in chunks] == [False, False, True]
    assert sum(len(chunk.phonemes) for chunk in chunks) == len(lips_of(pcm))
