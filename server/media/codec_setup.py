"""What all video encoders share: their port, how a codec is opened through FFmpeg, and how a frame is given to it."""

from fractions import Fraction
from typing import Final, Protocol

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from realtime.core.units import VIDEO_TIME_BASE
from realtime.core.values import Frame
from server.media.codecs import VideoCodec
from server.media.packets import EncodedVideo

_GOP_FRAMES: Final = 1_000_000
"""Practically never: keyframes come on demand only."""
BUFFER_BITS: Final = 200_000
"""Rate buffer: bounds a keyframe to 25 kB, about 0.4 s of the starting bitrate."""
_BT601: Final = 6
_LIMITED_RANGE: Final = 1


class VideoEncoder(Protocol):
    """One stream's encoder. Not thread-safe: all calls come from the egress's encode thread."""

    def encode(self, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """Encode one I420 picture. Raises `av.FFmpegError` if the codec fails, `ValueError` on a wrong shape."""
        ...

    def close(self) -> None:
        """Release the codec."""
        ...


class OpenEncoder(Protocol):
    """Opens the encoder of a codec."""

    def __call__(
        self, codec: VideoCodec, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> VideoEncoder:
        """`ceiling_bps` is the highest bit rate it will ever be asked for, `buffer_bits` bounds what a keyframe takes.
        Raises `ValueError` for a codec that is not encoded."""
        ...


def context(name: str, width: int, height: int, fps: int, bitrate_bps: int) -> VideoCodecContext:
    """A codec on one thread, not opened yet. Raises `av.FFmpegError` for one that FFmpeg does not have."""
    codec = av.CodecContext.create(name, "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height = width, height
    codec.pix_fmt = "yuv420p"
    codec.framerate = Fraction(fps)
    codec.time_base = VIDEO_TIME_BASE
    codec.bit_rate = bitrate_bps
    codec.gop_size = _GOP_FRAMES
    codec.thread_count = 1
    # untagged streams are guessed by height or taken for BT.709: say what Frame.pixels are
    codec.colorspace = codec.color_primaries = codec.color_trc = _BT601
    codec.color_range = _LIMITED_RANGE
    return codec


def picture_of(frame: Frame, shape: tuple[int, int], keyframe: bool) -> VideoFrame:
    """A new PyAV frame over the same memory: a frame object keeps its picture type, so none is ever reused."""
    if frame.pixels.shape != shape:
        raise ValueError(f"frame {frame.index} has shape {frame.pixels.shape}, the stream {shape}")
    picture = VideoFrame.from_numpy_buffer(np.ascontiguousarray(frame.pixels), format="yuv420p")
    picture.pts = frame.pts
    picture.time_base = VIDEO_TIME_BASE
    picture.pict_type = PictureType.I if keyframe else PictureType.NONE
    return picture
