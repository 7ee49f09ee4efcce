"""Encoders of VP8, VP9 and AV1: FFmpeg cannot change their bit rate, so they are opened anew for another one."""

import contextlib
import os
import random
from abc import ABC, abstractmethod
from typing import ClassVar, Final

import av
from av.video.codeccontext import VideoCodecContext

from realtime.core.values import Frame
from server.media.av1_payloads import av1_payloads
from server.media.codec_setup import BUFFER_BITS, context, picture_of
from server.media.codecs import VideoCodec
from server.media.packets import EncodedVideo
from server.media.payloads import PICTURE_ID_MODULUS, vp8_payloads
from server.media.scheduling import own_scheduling
from server.media.vp9_payloads import vp9_payloads

_REOPEN_RATIO: Final = 1.25
_SVT_ERRORS_ONLY: Final = "1"
"""Of SVT_LOG: the library prints its settings whenever it is opened, and no option of FFmpeg's says otherwise."""


class ReopenedEncoder(ABC):
    """Opens its codec anew, at the price of a keyframe, when the wanted rate leaves a band of 25 % around its own."""

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
        self._codec: VideoCodecContext | None = None

    def encode(self, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """See `VideoEncoder.encode`."""
        codec = self._codec_for(min(bitrate_bps, self._ceiling_bps))
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

    def _codec_for(self, bitrate_bps: int) -> VideoCodecContext:
        low, high = self._bitrate_bps / _REOPEN_RATIO, self._bitrate_bps * _REOPEN_RATIO
        if self._codec is None or not low <= bitrate_bps <= high:
            self.close()
            self._codec = self._open(bitrate_bps)
            self._bitrate_bps = bitrate_bps
        return self._codec

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
