"""NVIDIA's encoder of H.264: whether this machine really has one, and pictures encoded by it while it works."""

import logging
from collections.abc import Callable
from functools import cache
from typing import ClassVar, Final, Literal, Protocol

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from realtime.core.values import Frame, FrameTrace
from server.media.codec_setup import BUFFER_BITS, VideoEncoder, context
from server.media.codecs import VideoCodec
from server.media.packets import EncodedVideo
from server.media.payloads import h264_payloads
from server.media.reopened_encoders import ReopenedEncoder
from server.media.video_encoder import H264Encoder, OpenEncoder, open_encoder

_log = logging.getLogger(__name__)

NvencChoice = Literal["auto", "off"]
_PROBE_PX: Final = 256
_PROBE_BPS: Final = 500_000


class NvencEncoder(ReopenedEncoder):
    """h264_nvenc tuned for ultra-low latency, constrained to what x264's baseline viewers can decode.

    It can change its rate while it runs, but FFmpeg makes it begin anew with a keyframe for that at every step, however
    small; so it is treated as those that cannot."""

    codec: ClassVar = "H264"

    def _open(self, bitrate_bps: int) -> VideoCodecContext:
        codec = context("h264_nvenc", *self._size, self._fps, bitrate_bps)
        codec.options = {
            "preset": "p3",
            "tune": "ull",
            "profile": "baseline",
            "rc": "cbr",
            "maxrate": str(bitrate_bps),
            "bufsize": str(self._buffer_bits),
            "zerolatency": "1",
            "delay": "0",
            "bf": "0",
            "forced-idr": "1",
            "no-scenecut": "1",
        }
        codec.open()
        return codec

    def _payloads(self, data: bytes, keyframe: bool) -> tuple[bytes, ...]:
        return h264_payloads(data)


class MakeEncoder(Protocol):
    """Makes an encoder of one codec."""

    def __call__(
        self, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> VideoEncoder:
        """See `open_encoder`."""
        ...


class CardOrProcessor:
    """The card's encoder until it fails, then x264's: cards bound how many streams and how small pictures they take."""

    def __init__(
        self, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS,
        card: MakeEncoder = NvencEncoder,
    ) -> None:  # fmt: skip
        def on_processor() -> VideoEncoder:
            return H264Encoder(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)

        self._on_processor = on_processor
        self._on_card = True
        self._encoder: VideoEncoder = card(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)

    def encode(self, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """See `VideoEncoder.encode`."""
        try:
            return self._encoder.encode(frame, keyframe=keyframe, bitrate_bps=bitrate_bps)
        except av.FFmpegError as error:
            if not self._on_card:
                raise
            _log.warning("the card does not encode, the processor does from now on: %s", error)
        self._encoder.close()
        self._on_card, self._encoder = False, self._on_processor()
        return self._encoder.encode(frame, keyframe=True, bitrate_bps=bitrate_bps)

    def close(self) -> None:
        """See `VideoEncoder.close`."""
        self._encoder.close()


@cache
def nvenc_lack() -> str:
    """Why no picture can be encoded on a card here; empty if one can. FFmpeg names the encoder on machines without a
    card too, so it is opened and given a picture; blocks for a second where there is a card."""
    return lack_of(NvencEncoder)


def lack_of(make: MakeEncoder) -> str:
    """Why an encoder does not encode, in FFmpeg's words; empty if it does."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as said:
            why = _tried(make)
    finally:
        av.logging.set_level(level)
    return said[0][2].strip() if why and said else why


def _tried(make: MakeEncoder) -> str:
    pixels = np.full((_PROBE_PX * 3 // 2, _PROBE_PX), 128, np.uint8)
    encoder = make(_PROBE_PX, _PROBE_PX, 25, ceiling_bps=_PROBE_BPS)
    try:
        unit = encoder.encode(Frame(0, 0, 0.0, 0, pixels, FrameTrace()), keyframe=True, bitrate_bps=_PROBE_BPS)
    except (av.FFmpegError, ValueError, OSError) as error:
        return str(error) or type(error).__name__
    finally:
        encoder.close()
    return "" if unit.keyframe and unit.payloads else "it gives no keyframe for a first picture"


def opener(choice: NvencChoice, lack: Callable[[], str] = nvenc_lack) -> OpenEncoder:
    """What opens the encoders of a server: H.264 on a card if it may and there is one, all else as `open_encoder`."""
    if choice == "off":
        return open_encoder

    def opened(
        codec: VideoCodec, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> VideoEncoder:
        if codec == "H264" and not lack():
            return CardOrProcessor(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
        return open_encoder(codec, width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)

    return opened
