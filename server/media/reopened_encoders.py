"""Encoders of VP8, VP9 and AV1: FFmpeg cannot change their bit rate, so they are opened anew for another one."""

import contextlib
import os
import random
from abc import ABC, abstractmethod
from typing import ClassVar, Final

import av
from av.video.codeccontext import VideoCodecContext

from realtime.core.units import VIDEO_CLOCK_HZ
from realtime.core.values import Frame
from server.media.av1_payloads import av1_payloads
from server.media.codec_setup import BUFFER_BITS, context, picture_of
from server.media.codecs import VideoCodec
from server.media.packets import EncodedVideo
from server.media.payloads import PICTURE_ID_MODULUS, vp8_payloads
from server.media.scheduling import own_scheduling
from server.media.vp9_payloads import vp9_payloads

_REOPEN_RATIO: Final = 1.25
_RISE_TICKS: Final = 2 * VIDEO_CLOCK_HZ
"""A higher rate has to last so long, and then what lasted is taken: an estimate that saws at the path's limit would
otherwise buy a keyframe with every tooth, and each keyframe fills the path that it was to use."""
_FREE_RATIO: Final = 1.1
"""A change beyond this is taken up with a keyframe that is made anyway."""
_SVT_ERRORS_ONLY: Final = "1"
"""Of SVT_LOG: the library prints its settings whenever it is opened, and no option of FFmpeg's says otherwise."""


class ReopenedEncoder(ABC):
    """Opens its codec anew, at the price of a keyframe, when the wanted rate leaves a band of 25 % around its own: at
    once where it falls, for what does not fit would wait on the path, and where it rises once that has lasted, at the
    least that was wanted meanwhile. A keyframe that is asked for takes the wanted rate up with it."""

    codec: ClassVar[VideoCodec]

    def __init__(
        self, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> None:
        self._size = (width, height)
        self._fps = fps
        self._buffer_bits = buffer_bits
        self._shape = (height * 3 // 2, width)
        self._ceiling_bps = ceiling_bps
        self._bitrate_bps = 0
        self._rise: tuple[int, int] | None = None
        """Since when, in ticks, more is wanted than the band allows, and the least that was wanted since."""
        self._codec: VideoCodecContext | None = None

    def encode(self, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """See `VideoEncoder.encode`."""
        codec = self._codec_for(min(bitrate_bps, self._ceiling_bps), frame.pts, keyframe=keyframe)
        packets = codec.encode(picture_of(frame, self._shape, keyframe))
        data = b"".join(bytes(packet) for packet in packets)
        made_keyframe = any(packet.is_keyframe for packet in packets)
        return EncodedVideo(
            codec=self.codec,
            pts=frame.pts,
            keyframe=made_keyframe,
            payloads=self._payloads(data, made_keyframe),
            size_bytes=len(data),
            trace=frame.trace,
        )

    def close(self) -> None:
        """See `VideoEncoder.close`."""
        self._codec = None

    def _codec_for(self, bitrate_bps: int, pts: int, *, keyframe: bool) -> VideoCodecContext:
        wanted_bps = self._new_rate(bitrate_bps, pts, keyframe=keyframe)
        if self._codec is None or wanted_bps is not None:
            self.close()
            self._bitrate_bps, self._rise = wanted_bps or bitrate_bps, None
            self._codec = self._open(self._bitrate_bps)
        return self._codec

    def _new_rate(self, bitrate_bps: int, pts: int, *, keyframe: bool) -> int | None:
        """The rate to open anew at; None while the present one will do."""
        low, high = self._bitrate_bps / _REOPEN_RATIO, self._bitrate_bps * _REOPEN_RATIO
        moved = max(bitrate_bps, self._bitrate_bps) > _FREE_RATIO * min(bitrate_bps, self._bitrate_bps)
        if bitrate_bps < low or (keyframe and moved):
            return bitrate_bps
        if bitrate_bps <= high:
            self._rise = None
            return None
        since_pts, least_bps = self._rise or (pts, bitrate_bps)
        least_bps = min(least_bps, bitrate_bps)
        self._rise = since_pts, least_bps
        return least_bps if pts - since_pts >= _RISE_TICKS else None

    @abstractmethod
    def _open(self, bitrate_bps: int) -> VideoCodecContext:
        """The codec at one bit rate."""

    @abstractmethod
    def _payloads(self, data: bytes, keyframe: bool) -> tuple[bytes, ...]:
        """A picture, which may be empty, cut into RTP payloads."""


class _VpxEncoder(ReopenedEncoder):
    """libvpx in real-time mode at a constant bit rate, its pictures numbered."""

    name: ClassVar[str]
    options: ClassVar[dict[str, str]]

    def __init__(
        self, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> None:
        super().__init__(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
        self._picture_id = random.randrange(PICTURE_ID_MODULUS)

    def _open(self, bitrate_bps: int) -> VideoCodecContext:
        codec = context(self.name, *self._size, self._fps, bitrate_bps)
        codec.qmin, codec.qmax = 2, 56
        codec.options = {
            "deadline": "realtime",
            "lag-in-frames": "0",
            "minrate": str(bitrate_bps),
            "maxrate": str(bitrate_bps),
            "bufsize": str(min(bitrate_bps // 2, self._buffer_bits)),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            "static-thresh": "1",
            **self.options,
        }
        return codec

    def _payloads(self, data: bytes, keyframe: bool) -> tuple[bytes, ...]:
        if data:
            self._picture_id = (self._picture_id + 1) % PICTURE_ID_MODULUS
        return self._numbered(data, keyframe)

    @abstractmethod
    def _numbered(self, data: bytes, keyframe: bool) -> tuple[bytes, ...]:
        """RTP payloads with the picture's number."""


class Vp8Encoder(_VpxEncoder):
    """libvpx at its fastest setting, without its denoiser."""

    codec = "VP8"
    name = "libvpx"
    options: ClassVar[dict[str, str]] = {"cpu-used": "-8", "noise-sensitivity": "0"}

    def _numbered(self, data: bytes, keyframe: bool) -> tuple[bytes, ...]:
        return vp8_payloads(data, self._picture_id)


class Vp9Encoder(_VpxEncoder):
    """libvpx at speed 8, profile 0, one layer, one tile: 512 pixels are too few for rows or tiles in parallel.

    Cyclic refresh (`aq-mode` 3) gains 0.3 dB on thin paths and costs less than none."""

    codec = "VP9"
    name = "libvpx-vp9"
    options: ClassVar[dict[str, str]] = {
        "cpu-used": "8",
        "aq-mode": "3",
        "row-mt": "0",
        "tile-columns": "0",
        "error-resilient": "0",
    }

    def _numbered(self, data: bytes, keyframe: bool) -> tuple[bytes, ...]:
        return vp9_payloads(data, self._picture_id, self._size if keyframe else None)


class Av1Encoder(ReopenedEncoder):
    """SVT-AV1 in its mode for real-time communication: low delay, no look-ahead, one picture out for each in.

    Preset 12 costs half and gains nothing over VP9; 10 is 1.5 dB better than that on thin paths."""

    codec = "AV1"

    def close(self) -> None:
        """See `VideoEncoder.close`."""
        codec, self._codec = self._codec, None
        if codec is not None and codec.is_open:
            # the library complains about an encoder that goes without having been told that no more comes
            with contextlib.suppress(av.FFmpegError):
                codec.encode(None)

    def _open(self, bitrate_bps: int) -> VideoCodecContext:
        os.environ.setdefault("SVT_LOG", _SVT_ERRORS_ONLY)
        codec = context("libsvtav1", *self._size, self._fps, bitrate_bps)
        codec.options = {
            "preset": "10",
            "svtav1-params": "rtc=1:rc=2:pred-struct=1:lookahead=0:lp=1:scm=0",
        }
        with own_scheduling():
            codec.open()
        return codec

    def _payloads(self, data: bytes, keyframe: bool) -> tuple[bytes, ...]:
        return av1_payloads(data, new_sequence=keyframe)
