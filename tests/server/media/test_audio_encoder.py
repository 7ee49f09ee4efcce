"""Opus: the tone comes back, times follow the tick."""

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from realtime.core.units import AUDIO_RATE_HZ
from server.media.audio_encoder import SOUND_BITRATE_BPS, OpusEncoder
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
