"""Opus at 48 kHz mono, 20 ms packets, made once per tick for all viewers."""

from typing import Final

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame

from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES, AUDIO_TIME_BASE, audio_pts
from realtime.core.values import Pcm
from server.media.packets import EncodedSound

SOUND_BITRATE_BPS: Final = 40_000


class OpusEncoder:
    """One stream's Opus encoder: about 0.15 ms a packet, cheap enough for the event loop.

    Mono, whatever channel count the SDP shows: RFC 7587 section 7 fixes `opus/48000/2` for every stream and lets the
    encoder choose. `voip` rather than `audio`: a voice is what is sent, and below 64 kb/s it keeps the SILK layer in
    use, which alone carries in-band FEC (RFC 6716 section 2.1.7)."""

    def __init__(self, bitrate_bps: int = SOUND_BITRATE_BPS) -> None:
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, AudioCodecContext)
        codec.sample_rate = AUDIO_RATE_HZ
        codec.layout = "mono"
        codec.format = "s16"
        codec.bit_rate = bitrate_bps
        codec.time_base = AUDIO_TIME_BASE
        codec.options = {
            "application": "voip",
            "frame_duration": "20",
            "vbr": "constrained",
            "fec": "1",
            "packet_loss": "5",
            "compression_level": "5",
        }
        self._codec = codec
        self._samples = 0

    def encode(self, tick: int, pcm: Pcm) -> EncodedSound:
        """Encode the 960 samples of one tick. Raises `ValueError` on another length, `av.FFmpegError` if Opus fails.

        The codec's own time runs on without gaps; the packet carries the tick's media time, so that a skipped tick is
        a gap in the time stamps and not a shift of all that follows."""
        if pcm.shape != (AUDIO_TICK_SAMPLES,):
            raise ValueError(f"a tick is {AUDIO_TICK_SAMPLES} samples, got shape {pcm.shape}")
        frame = AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = AUDIO_RATE_HZ
        frame.time_base = AUDIO_TIME_BASE
        frame.pts = self._samples
        self._samples += AUDIO_TICK_SAMPLES
        payload = b"".join(bytes(packet) for packet in self._codec.encode(frame))
        return EncodedSound(tick=tick, pts=audio_pts(tick), payload=payload)
