"""Samples into a container: MP4 in fragments, HLS segments, MPEG-TS. Blocks; lives on a thread or in a process."""

from fractions import Fraction
from typing import Any, Final, Protocol

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES, AUDIO_TIME_BASE, VIDEO_TIME_BASE
from realtime.core.values import Pcm
from server.outputs.samples import Picture, Sample, Sound

AAC_BITRATE_BPS: Final = 96_000
OPUS_DELAY_SAMPLES: Final = 312
"""libopus' look-ahead: what a decoder gives out is so much later than its packet says, RFC 7845 section 4.2."""


class Writable(Protocol):
    """What takes a container's bytes in the place of a file."""

    def write(self, data: bytes) -> int:
        """Take all of it."""
        ...


class AacTrack:
    """PCM ticks as AAC packets of one stream; a gap in the ticks becomes silence, for AAC has no gaps."""

    def __init__(self, codec: AudioCodecContext) -> None:
        self._codec = codec
        self._next: int | None = None

    def encode(self, pts: int, pcm: Pcm) -> "list[Packet[Any]]":
        """Packets that are ready after this tick; their times are in samples."""
        if self._next is None:
            self._next = pts
        gap = pts - self._next
        pieces = [pcm]
        if gap > 0:
            pieces.insert(0, np.zeros(gap, np.int16))
        elif gap < 0:
            pieces = [pcm[-gap:]]
        packets: list[Packet[Any]] = []
        for piece in pieces:
            if not len(piece):
                continue
            frame = AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = AUDIO_RATE_HZ, AUDIO_TIME_BASE, self._next
            packets += self._codec.encode(frame)
            self._next += len(piece)
        return packets

    def flush(self) -> "list[Packet[Any]]":
        """What is left."""
        return [] if self._next is None else list(self._codec.encode(None))


def aac_codec() -> AudioCodecContext:
    """An AAC-LC encoder, opened."""
    codec = av.CodecContext.create("aac", "w")
    assert isinstance(codec, AudioCodecContext)
    codec.sample_rate, codec.layout, codec.format = AUDIO_RATE_HZ, "mono", "fltp"
    codec.bit_rate, codec.time_base = AAC_BITRATE_BPS, AUDIO_TIME_BASE
    codec.options = {"flags": "+global_header", "aac_coder": "fast"}
    codec.open()
    return codec


class Muxer:
    """One container from its first keyframe to `close`. Raises `av.FFmpegError` or `OSError`."""

    def __init__(
        self, target: "str | Writable", form: str, options: dict[str, str], size: tuple[int, int], fps: int, *,
        aac: bool,
    ) -> None:  # fmt: skip
        self._out = av.open(target, "w", format=form, options=options)
        width, height = size
        self._video = self._out.add_mux_stream("h264", rate=Fraction(fps), width=width, height=height)
        self._video.time_base = VIDEO_TIME_BASE
        # opened as an encoder of its own kind, so that the header says what a decoder has to know
        audio = self._out.add_stream("aac" if aac else "libopus", rate=AUDIO_RATE_HZ)
        assert isinstance(audio, AudioStream)
        audio.layout = "mono"
        audio.time_base = AUDIO_TIME_BASE
        if aac:
            audio.bit_rate = AAC_BITRATE_BPS
            audio.options = {"aac_coder": "fast"}
        self._audio = audio
        self._aac = AacTrack(audio.codec_context) if aac else None
        self._sound_pts = -(1 << 62)

    def write(self, samples: list[Sample]) -> None:
        """Add samples in the order they were made."""
        for sample in samples:
            if isinstance(sample, Picture):
                packet = Packet(sample.annex_b)
                packet.pts = packet.dts = sample.pts
                packet.time_base = VIDEO_TIME_BASE
                packet.is_keyframe = sample.keyframe
                packet.stream = self._video
                self._out.mux(packet)
            else:
                self._write_sound(sample)

    def close(self) -> None:
        """Write what is left and the trailer."""
        if self._aac is not None:
            self._mux_sound(self._aac.flush())
        self._out.close()

    def _write_sound(self, sample: Sound) -> None:
        if self._aac is not None:
            assert sample.pcm is not None
            self._mux_sound(self._aac.encode(sample.pts, sample.pcm))
            return
        packet = Packet(sample.opus)
        packet.pts = packet.dts = sample.pts - OPUS_DELAY_SAMPLES
        packet.duration = AUDIO_TICK_SAMPLES
        packet.time_base = AUDIO_TIME_BASE
        self._mux_sound([packet])

    def _mux_sound(self, packets: "list[Packet[Any]]") -> None:
        for packet in packets:
            packet.stream = self._audio
            self._out.mux(packet)
