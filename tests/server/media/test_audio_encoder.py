"""Opus: the tone comes back, times follow the tick."""

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

from realtime.core.units import AUDIO_RATE_HZ
from server.media.audio_encoder import SOUND_BITRATE_BPS, OpusEncoder
from server.media.packets import EncodedSound
from tests.server.rtc.rig import TONE_HZ, frequency_hz, tone


def test_tone_comes_back() -> None:
    encoder = OpusEncoder()
    units = [encoder.encode(tick, tone(tick)) for tick in range(50)]
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate = AUDIO_RATE_HZ
    decoder.layout = "stereo"
    parts = [frame.to_ndarray() for unit in units for frame in decoder.decode(av.Packet(unit.payload))]
    sound = np.concatenate(parts, axis=1).reshape(-1)[::2]
    assert abs(frequency_hz(sound[AUDIO_RATE_HZ // 2 :]) - TONE_HZ) < 3
    assert 4000 < np.sqrt(np.mean(sound[AUDIO_RATE_HZ // 2 :].astype(float) ** 2)) < 7000


def test_times_follow_the_tick_even_over_a_gap() -> None:
    encoder = OpusEncoder()
    units = [encoder.encode(tick, tone(tick)) for tick in (10, 11, 15)]
    assert [unit.pts for unit in units] == [9600, 10560, 14400]
    assert all(len(unit.payloads) == 1 and unit.payload for unit in units)


def test_rate_is_kept() -> None:
    encoder = OpusEncoder()
    noise = np.random.default_rng(1).normal(0, 3000, (100, 960)).astype(np.int16)
    size_bytes = sum(len(encoder.encode(tick, pcm).payload) for tick, pcm in enumerate(noise))
    assert size_bytes * 8 / 2.0 < 1.15 * SOUND_BITRATE_BPS


@pytest.mark.parametrize("samples", [0, 480, 961])
def test_wrong_length_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match="960"):
        OpusEncoder().encode(0, np.zeros(samples, np.int16))


def decoded(units: list[EncodedSound]) -> NDArray[np.float64]:
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate = AUDIO_RATE_HZ
    decoder.layout = "mono"
    parts = [frame.to_ndarray() for unit in units for frame in decoder.decode(av.Packet(unit.payload))]
    return np.concatenate(parts, axis=1).reshape(-1).astype(float)


def test_protection_ends_and_begins_in_a_pause_and_nothing_is_heard_of_it() -> None:
    encoder, silence = OpusEncoder(), np.zeros(960, np.int16)
    assert encoder.protected
    units, states = [], []
    for tick in range(60):
        # a pause in ticks 20 to 24 and 40 to 44; plain sound is asked for in between, from within the tone
        pause = 20 <= tick < 25 or 40 <= tick < 45
        units.append(encoder.encode(tick, silence if pause else tone(tick), protected=not 10 <= tick < 30))
        states.append(encoder.protected)
    assert states == [True] * 20 + [False] * 20 + [True] * 20
    sound = decoded(units)
    still = sound[22 * 960 : 25 * 960]
    assert np.abs(still).max() < 400
    loud = sound[27 * 960 : 39 * 960]
    assert abs(frequency_hz(loud) - TONE_HZ) < 3
    assert np.abs(np.diff(loud)).max() < 1.5 * np.abs(np.diff(sound[5 * 960 : 19 * 960])).max()
