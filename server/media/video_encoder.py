"""Our own video encoders: H.264 for choice, VP8 as the second rung; both tuned for one low-delay stream."""

import random
from fractions import Fraction
from typing import Final, Protocol

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from realtime.core.units import VIDEO_TIME_BASE
from realtime.core.values import I420, Frame
from server.media.packets import EncodedVideo, VideoCodec
from server.media.payloads import PICTURE_ID_MODULUS, h264_payloads, vp8_payloads

_GOP_FRAMES: Final = 1_000_000
"""Practically never: keyframes come on demand only."""
BUFFER_BITS: Final = 200_000
"""Rate buffer: bounds a keyframe to 25 kB, about 0.4 s of the starting bitrate."""
_BT601: Final = 6
_LIMITED_RANGE: Final = 1
_VP8_REOPEN_RATIO: Final = 1.25


class VideoEncoder(Protocol):
    """One stream's encoder. Not thread-safe: all calls come from the egress's encode thread."""

    def encode(self, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """Encode one I420 picture. Raises `av.FFmpegError` if the codec fails, `ValueError` on a wrong shape."""
        ...

    def close(self) -> None:
        """Release the codec."""
        ...


class H264Encoder:
    """libx264 superfast, zero latency, constrained baseline, one thread: 1.5 ms a frame at 512 x 512.

    x264 opened as CBR (bit rate == maximum) stays CBR, and then follows a changed bit rate from the next frame on
    without a keyframe, up to the rate it was opened with; so it is opened at the ceiling and lowered at once."""

    def __init__(
        self, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> None:
        self._shape = (height * 3 // 2, width)
        codec = _context("libx264", width, height, fps, ceiling_bps)
        codec.profile = "Baseline"
        # Untagged streams are guessed by height: say what Frame.pixels are.
        codec.colorspace = codec.color_primaries = codec.color_trc = _BT601
        codec.color_range = _LIMITED_RANGE
        codec.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "maxrate": str(ceiling_bps),
            "bufsize": str(buffer_bits),
            "forced-idr": "1",
            "sc_threshold": "0",
        }
        codec.open()
        self._codec = codec
        self._ceiling_bps = ceiling_bps

    def encode(self, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """See `VideoEncoder.encode`."""
        bitrate_bps = min(bitrate_bps, self._ceiling_bps)
        if bitrate_bps != self._codec.bit_rate:
            self._codec.bit_rate = bitrate_bps
        packets = self._codec.encode(_picture(frame, self._shape, keyframe))
        data = b"".join(bytes(packet) for packet in packets)
        return EncodedVideo(
            codec="H264",
            pts=frame.pts,
            keyframe=any(packet.is_keyframe for packet in packets),
            payloads=h264_payloads(data),
            size_bytes=len(data),
            trace=frame.trace,
        )

    def close(self) -> None:
        """See `VideoEncoder.close`."""
        del self._codec


class Vp8Encoder:
    """libvpx in real-time mode, fastest setting, without its denoiser: 2 ms a frame at 512 x 512.

    libvpx cannot change its bit rate through FFmpeg, so the encoder is reopened (which costs a keyframe) when the
    wanted rate leaves a band of 25 % around the current one."""

    def __init__(
        self, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> None:
        self._buffer_bits = buffer_bits
        self._size = (width, height, fps)
        self._shape = (height * 3 // 2, width)
        self._ceiling_bps = ceiling_bps
        self._picture_id = random.randrange(PICTURE_ID_MODULUS)
        self._bitrate_bps = 0
        self._codec: VideoCodecContext | None = None

    def encode(self, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """See `VideoEncoder.encode`."""
        codec = self._codec_for(min(bitrate_bps, self._ceiling_bps))
        packets = codec.encode(_picture(frame, self._shape, keyframe))
        data = b"".join(bytes(packet) for packet in packets)
        self._picture_id = (self._picture_id + 1) % PICTURE_ID_MODULUS
        return EncodedVideo(
            codec="VP8",
            pts=frame.pts,
            keyframe=any(packet.is_keyframe for packet in packets),
            payloads=vp8_payloads(data, self._picture_id),
            size_bytes=len(data),
            trace=frame.trace,
        )

    def close(self) -> None:
        """See `VideoEncoder.close`."""
        self._codec = None

    def _codec_for(self, bitrate_bps: int) -> VideoCodecContext:
        low, high = self._bitrate_bps / _VP8_REOPEN_RATIO, self._bitrate_bps * _VP8_REOPEN_RATIO
        if self._codec is None or not low <= bitrate_bps <= high:
            self._codec = _open_vp8(*self._size, bitrate_bps, self._buffer_bits)
            self._bitrate_bps = bitrate_bps
        return self._codec


def open_encoder(
    codec: VideoCodec, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
) -> VideoEncoder:
    """The encoder for a codec; `ceiling_bps` is the highest bit rate it will ever be asked for, `buffer_bits` bounds
    what a keyframe takes. Raises `ValueError` for a codec that is not encoded."""
    match codec:
        case "H264":
            return H264Encoder(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
        case "VP8":
            return Vp8Encoder(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
        case _:
            raise ValueError(f"there is no encoder for {codec!r}")


def halved(pixels: I420, width: int, height: int) -> I420:
    """An I420 picture at `width` x `height`, each pixel the mean of those it covers: 0.1 ms from 512 to 256 pixels."""
    rows, columns = pixels.shape
    luma_rows, chroma_rows = rows * 2 // 3, rows // 6
    halves = pixels[luma_rows:].reshape(2, -1)[:, : chroma_rows * columns]
    planes = [cv2.resize(pixels[:luma_rows], (width, height), interpolation=cv2.INTER_AREA)]
    for half in halves:
        plane = half.reshape(luma_rows // 2, columns // 2)
        planes.append(cv2.resize(plane, (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    together = np.concatenate([np.asarray(plane, np.uint8).ravel() for plane in planes])
    picture: I420 = together.reshape(height * 3 // 2, width)
    return picture


def _open_vp8(width: int, height: int, fps: int, bitrate_bps: int, buffer_bits: int) -> VideoCodecContext:
    codec = _context("libvpx", width, height, fps, bitrate_bps)
    codec.qmin, codec.qmax = 2, 56
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "-8",
        "lag-in-frames": "0",
        "noise-sensitivity": "0",
        "minrate": str(bitrate_bps),
        "maxrate": str(bitrate_bps),
        "bufsize": str(min(bitrate_bps // 2, buffer_bits)),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "static-thresh": "1",
    }
    return codec


def _context(name: str, width: int, height: int, fps: int, bitrate_bps: int) -> VideoCodecContext:
    codec = av.CodecContext.create(name, "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height = width, height
    codec.pix_fmt = "yuv420p"
    codec.framerate = Fraction(fps)
    codec.time_base = VIDEO_TIME_BASE
    codec.bit_rate = bitrate_bps
    codec.gop_size = _GOP_FRAMES
    codec.thread_count = 1
    return codec


def _picture(frame: Frame, shape: tuple[int, int], keyframe: bool) -> VideoFrame:
    """A new PyAV frame over the same memory: a frame object keeps its picture type, so none is ever reused."""
    if frame.pixels.shape != shape:
        raise ValueError(f"frame {frame.index} has shape {frame.pixels.shape}, the stream {shape}")
    picture = VideoFrame.from_numpy_buffer(np.ascontiguousarray(frame.pixels), format="yuv420p")
    picture.pts = frame.pts
    picture.time_base = VIDEO_TIME_BASE
    picture.pict_type = PictureType.I if keyframe else PictureType.NONE
    return picture
