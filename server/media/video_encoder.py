"""Our own video encoders, tuned for one low-delay stream: H.264 for choice, VP8, VP9 and AV1 where asked for."""

import cv2
import numpy as np

from realtime.core.values import I420, Frame
from server.media.codec_setup import BUFFER_BITS, context, picture_of
from server.media.codec_setup import OpenEncoder as OpenEncoder
from server.media.codec_setup import VideoEncoder as VideoEncoder
from server.media.codecs import VideoCodec
from server.media.packets import EncodedVideo
from server.media.payloads import h264_payloads
from server.media.reopened_encoders import Av1Encoder as Av1Encoder
from server.media.reopened_encoders import Vp8Encoder as Vp8Encoder
from server.media.reopened_encoders import Vp9Encoder as Vp9Encoder


class H264Encoder:
    """libx264 superfast, zero latency, constrained baseline, one thread: 1.5 ms a frame at 512 x 512.

    x264 opened as CBR (bit rate == maximum) stays CBR, and then follows a changed bit rate from the next frame on
    without a keyframe, up to the rate it was opened with; so it is opened at the ceiling and lowered at once."""

    def __init__(
        self, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> None:
        self._shape = (height * 3 // 2, width)
        codec = context("libx264", width, height, fps, ceiling_bps)
        codec.profile = "Baseline"
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
        packets = self._codec.encode(picture_of(frame, self._shape, keyframe))
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


def open_encoder(
    codec: VideoCodec, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
) -> VideoEncoder:
    """The encoder for a codec on the processor, see `OpenEncoder`."""
    match codec:
        case "H264":
            return H264Encoder(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
        case "VP8":
            return Vp8Encoder(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
        case "VP9":
            return Vp9Encoder(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
        case "AV1":
            return Av1Encoder(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
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
