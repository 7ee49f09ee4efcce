"""How well the invisible mark survives: the share of one-second windows in which it is read, and what it costs.

Frames are those of the illustrated host in fluent speech, marked, encoded by the server's own encoders at 500 kb/s, and
read as they arrive; then decoded, scaled to 384 x 384, encoded by x264 at 500 kb/s again, and read after scaling back
(`rescaled`). The first seconds, in which the encoder still pays off its keyframe, count like all others; `settled_*`
leaves them out. `--codec` names what to encode as, H264 and VP8 without it.
`psnr_cost_db` is the luma PSNR that the mark takes from the encoded picture against the unmarked source; `mark_ms_*` is
the time on one core per picture. `false_windows` counts marks read where there are none.
"""

import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext

from bench.encoders import own_decoder, own_encoder, psnr, talking
from bench.harness import Goal, Option, Result, command, percentiles
from models.avatar.projection import PICTURE_PX
from realtime.core.mark import MarkReader
from realtime.core.units import FRAME_RATE_HZ
from realtime.core.values import I420, Frame
from server.media.codecs import VIDEO_CODECS, VideoCodec, video_codec
from server.media.marking import Marking

RATE_BPS: Final = 500_000
RESCALED_PX: Final = 384
SETTLED_S: Final = 2
"""Seconds in which an encoder still pays off its keyframe."""
USUAL: Final[tuple[VideoCodec, ...]] = ("H264", "VP8")
IDENTITY: Final = 0x5EED_0000_A41A_0001
GOALS: Final = (
    Goal("read_ratio", least=0.99), Goal("rescaled_read_ratio", least=0.99), Goal("psnr_cost_db", most=0.3),
    Goal("mark_ms_p50", most=0.5),
)  # fmt: skip
OPTIONS: Final = (Option("codec", "", f"what to encode as, of {', '.join(VIDEO_CODECS)}, several with commas"),)


def sent(frames: Iterable[Frame], codec: VideoCodec) -> list[I420]:
    """The pictures as a viewer decodes them."""
    encode, decoder = own_encoder(codec, RATE_BPS), own_decoder(codec)
    shown: list[I420] = []
    for frame in frames:
        if data := encode(frame, frame.index == 0):
            shown += [np.asarray(picture.to_ndarray(), np.uint8) for picture in decoder.decode(av.Packet(data))]
    return [*shown, *(np.asarray(picture.to_ndarray(), np.uint8) for picture in decoder.decode(None))]


def rescaled(pictures: Iterable[I420]) -> list[I420]:
    """Scaled down, encoded once more, decoded and scaled back: only the luma of it, shape (PICTURE_PX, PICTURE_PX)."""
    encoder = av.CodecContext.create("libx264", "w")
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(encoder, VideoCodecContext) and isinstance(decoder, VideoCodecContext)
    encoder.width = encoder.height = RESCALED_PX
    encoder.pix_fmt, encoder.bit_rate, encoder.framerate = "yuv420p", RATE_BPS, Fraction(FRAME_RATE_HZ)
    encoder.time_base = Fraction(1, FRAME_RATE_HZ)
    encoder.options = {"preset": "superfast", "tune": "zerolatency"}
    found: list[I420] = []
    for number, picture in enumerate(pictures):
        small = av.VideoFrame.from_ndarray(picture, format="yuv420p").reformat(RESCALED_PX, RESCALED_PX)
        small.pts, small.time_base = number, encoder.time_base
        for packet in encoder.encode(small):
            found += [np.asarray(one.to_ndarray(), np.uint8) for one in decoder.decode(packet)]
    for packet in encoder.encode(None):
        found += [np.asarray(one.to_ndarray(), np.uint8) for one in decoder.decode(packet)]
    size = (PICTURE_PX, PICTURE_PX)
    return [np.asarray(cv2.resize(one[:RESCALED_PX], size, interpolation=cv2.INTER_CUBIC), np.uint8) for one in found]


def windows_read(pictures: list[I420]) -> list[bool]:
    """Whether the mark is read in each one-second window."""
    found = []
    for begin in range(0, len(pictures) - FRAME_RATE_HZ + 1, FRAME_RATE_HZ):
        reader = MarkReader()
        for picture in pictures[begin : begin + FRAME_RATE_HZ]:
            reader.feed(picture[:PICTURE_PX])
        found.append(reader.identity == IDENTITY)
    return found


def chosen(names: str) -> tuple[VideoCodec, ...]:
    """The codecs of a list with commas, both of `USUAL` if it is empty. Raises `ValueError` for any other."""
    return tuple(video_codec(name.strip()) for name in names.split(",")) if names else USUAL


def measure(n: int, codec: str = "") -> Result:
    """`n` seconds of speech."""
    codecs = chosen(codec)
    plain = talking(n * FRAME_RATE_HZ)
    marking = Marking(PICTURE_PX, PICTURE_PX, label=None, identity=IDENTITY)
    marked, times_ms = [], []
    for frame in plain:
        begun_s = time.thread_time()
        marked.append(replace(frame, pixels=marking(frame).pixels))
        times_ms.append(1e3 * (time.thread_time() - begun_s))
    result: Result = percentiles(times_ms, "mark_ms")
    read: dict[str, list[bool]] = {"read": [], "rescaled_read": []}
    settled: dict[str, list[bool]] = {"read": [], "rescaled_read": []}
    costs, false_windows = [], 0
    for name in codecs:
        shown, unmarked = sent(marked, name), sent(plain, name)
        windows = {"read": windows_read(shown), "rescaled_read": windows_read(rescaled(shown))}
        for key, found in windows.items():
            read[key] += found
            settled[key] += found[SETTLED_S:]
        false_windows += sum(windows_read(unmarked))
        costs.append(_quality(plain, unmarked) - _quality(plain, shown))
        result[name.lower()] = {
            **{key: f"{sum(found)} of {len(found)}" for key, found in windows.items()},
            "psnr_cost_db": round(costs[-1], 3), "luma_db": round(_quality(plain, shown), 2),
        }  # fmt: skip
    return {
        **{f"{key}_ratio": round(float(np.mean(found)), 4) for key, found in read.items()},
        **{f"settled_{key}_ratio": round(float(np.mean(found)), 4) for key, found in settled.items() if found},
        "psnr_cost_db": round(max(costs), 3), "false_windows": false_windows, **result,
    }  # fmt: skip


def _quality(source: list[Frame], shown: list[I420]) -> float:
    pairs = zip(source, shown, strict=True)
    return float(np.mean([psnr(frame.pixels[:PICTURE_PX], one[:PICTURE_PX]) for frame, one in pairs]))


if __name__ == "__main__":
    sys.exit(command("marks", measure, GOALS, n=40, options=OPTIONS))
