"""What a talking frame costs to encode, and how good it looks, with each encoder at equal bit rates and qualities.

Frames are those of the illustrated host in fluent speech, 512 x 512 at 25 a second; each encoder gets the same ones at
each of `RATES_BPS`, as constant bit rate with low delay and one keyframe at the beginning.

- `encode_ms`: CPU time of the whole process per frame, that of the encoder's own threads included, from packed I420 to
  RTP payloads or packets.
- `luma_db`: PSNR of the decoded luma, the mean over the frames after the first half second.
- `rate_bps`: what it really took.
- `keyframe_bytes`: what the first picture took.
- `late_frames`: pictures that gave nothing at once.

`equal_luma` has rate and cost of the server's own encoders at the qualities `EQUAL_DB`, between their measured points;
none where those do not reach. At top level stands what viewers get by default, at the best rung's ceiling. An encoder
this machine does not have is named under `missing`.
"""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from bench.frame_cost import spoken
from bench.harness import Goal, Result, command
from client.viewer.depayloading import av1_unit, vp9_depayload
from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.projection import PICTURE_PX
from models.avatar.spec import MEI
from realtime.core.units import FRAME_RATE_HZ, VIDEO_CLOCK_HZ, VIDEO_TIME_BASE
from realtime.core.values import I420, Frame, FrameTrace
from server.media.codecs import VideoCodec
from server.media.scheduling import own_scheduling
from server.media.video_encoder import open_encoder
from server.outputs.samples import units_of

RATES_BPS: Final = (200_000, 400_000, 750_000, 1_500_000)
EQUAL_DB: Final = (41.0, 43.5, 46.0)
SETTLED_FRAMES: Final = FRAME_RATE_HZ // 2
GOALS: Final = (Goal("encode_ms", most=1.5), Goal("luma_db", least=43.5))
DEFAULT: Final = "h264"
Encode = Callable[[Frame, bool], bytes]
_OWN: Final[dict[str, VideoCodec]] = {"h264": "H264", "vp8": "VP8", "vp9": "VP9", "av1": "AV1"}
_SVT: Final = "rtc=1:rc=2:pred-struct=1:lookahead=0:lp=1:scm=0"
_X264: Final = {"tune": "zerolatency", "forced-idr": "1", "sc_threshold": "0"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An encoder by its FFmpeg name, and its settings at one bit rate; None for the server's own."""

    name: str
    codec: str
    options: dict[str, str] | None = None


CANDIDATES: Final = (
    Candidate("h264", "libx264"),
    Candidate("vp8", "libvpx"),
    Candidate("vp9", "libvpx-vp9"),
    Candidate("av1", "libsvtav1"),
    Candidate("x264 ultrafast", "libx264", {**_X264, "preset": "ultrafast"}),
    Candidate("x264 superfast main", "libx264", {**_X264, "preset": "superfast", "profile": "main"}),
    Candidate("x264 veryfast", "libx264", {**_X264, "preset": "veryfast"}),
    Candidate("av1 svt 12", "libsvtav1", {"preset": "12", "svtav1-params": _SVT}),
    Candidate("av1 svt 9", "libsvtav1", {"preset": "9", "svtav1-params": _SVT}),
    Candidate("h264 nvenc", "h264_nvenc", {"preset": "p3", "tune": "ull", "rc": "cbr", "zerolatency": "1"}),
)


def talking(frames: int) -> list[Frame]:
    """Frames of fluent speech."""
    host = IllustratedHost(MEI, paint_layers(MEI))
    made = []
    for index in range(frames):
        pose = spoken(index)
        pixels: I420 = np.array(host.render_full(host.base_key(pose), pose))
        pts = index * VIDEO_CLOCK_HZ // FRAME_RATE_HZ
        made.append(Frame(index, pts, index / FRAME_RATE_HZ, 0, pixels, FrameTrace()))
    return made


def own_encoder(codec: VideoCodec, rate_bps: int) -> Encode:
    """The server's encoder, its RTP payloads put together again for a decoder."""
    encoder = open_encoder(codec, PICTURE_PX, PICTURE_PX, FRAME_RATE_HZ, ceiling_bps=rate_bps)

    def encode(frame: Frame, keyframe: bool) -> bytes:
        unit = encoder.encode(frame, keyframe=keyframe, bitrate_bps=rate_bps)
        match codec:
            case "VP8":
                # one byte of descriptor and three of picture id, RFC 7741 section 4.2
                return b"".join(payload[4:] for payload in unit.payloads)
            case "VP9":
                return b"".join(map(vp9_depayload, unit.payloads))
            case "AV1":
                return av1_unit(unit.payloads)
            case "H264":
                return b"".join(b"\x00\x00\x00\x01" + one for one in units_of(unit.payloads))

    return encode


def own_decoder(codec: VideoCodec) -> VideoCodecContext:
    """Takes what `own_encoder` gives, one picture at a time."""
    decoder = av.CodecContext.create("libdav1d" if codec == "AV1" else codec.lower(), "r")
    assert isinstance(decoder, VideoCodecContext)
    return decoder


def _opened(candidate: Candidate, rate_bps: int) -> tuple[Encode, Callable[[], bytes]]:
    if candidate.options is None:
        # none of the server's holds a picture back
        return own_encoder(_OWN[candidate.name], rate_bps), lambda: b""
    return _other(candidate, rate_bps)


def _other(candidate: Candidate, rate_bps: int) -> tuple[Encode, Callable[[], bytes]]:
    codec = av.CodecContext.create(candidate.codec, "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width = codec.height = PICTURE_PX
    codec.pix_fmt, codec.framerate, codec.time_base = "yuv420p", Fraction(FRAME_RATE_HZ), VIDEO_TIME_BASE
    codec.bit_rate, codec.gop_size, codec.thread_count = rate_bps, 10_000, 1
    bounds = {"maxrate": str(rate_bps), "bufsize": str(min(rate_bps // 2, 200_000))}
    if candidate.codec.startswith("libvpx"):
        bounds["minrate"] = str(rate_bps)
        codec.qmin, codec.qmax = 2, 56
    if candidate.codec == "libsvtav1":
        bounds = {}
    codec.options = {**(candidate.options or {}), **bounds}
    with own_scheduling():
        codec.open()

    def encode(frame: Frame, keyframe: bool) -> bytes:
        picture = av.VideoFrame.from_numpy_buffer(frame.pixels, format="yuv420p")
        picture.pts, picture.time_base = frame.pts, VIDEO_TIME_BASE
        if keyframe:
            picture.pict_type = av.video.frame.PictureType.I
        return b"".join(bytes(packet) for packet in codec.encode(picture))

    return encode, lambda: b"".join(bytes(packet) for packet in codec.encode(None))


def judge(candidate: Candidate, frames: Sequence[Frame], rate_bps: int) -> dict[str, float]:
    """One encoder at one rate. Raises `av.FFmpegError` or `ValueError` where it is not there."""
    encode, flush = _opened(candidate, rate_bps)
    for frame in frames[:3]:
        encode(frame, frame.index == 0)
    encode, flush = _opened(candidate, rate_bps)
    times_ms, packets = [], []
    for frame in frames:
        begun_s = time.process_time()
        packets.append(encode(frame, frame.index == 0))
        times_ms.append(1e3 * (time.process_time() - begun_s))
    packets.append(flush())
    decoder = av.CodecContext.create(_decoder(candidate.codec), "r")
    assert isinstance(decoder, VideoCodecContext)
    shown = [picture for data in packets if data for picture in decoder.decode(av.Packet(data))]
    shown += decoder.decode(None)
    seconds = len(frames) / FRAME_RATE_HZ
    quality = [
        psnr(frame.pixels[:PICTURE_PX], np.asarray(picture.to_ndarray(), np.uint8)[:PICTURE_PX, :PICTURE_PX])
        for frame, picture in zip(frames, shown, strict=True)
        if isinstance(picture, av.VideoFrame)
    ]
    return {
        # an encoder with threads of its own works on after it was called: only the sum is its cost
        "encode_ms": round(float(np.mean(times_ms) if candidate.codec == "libsvtav1" else np.median(times_ms)), 3),
        "luma_db": round(float(np.mean(quality[SETTLED_FRAMES:])), 2),
        "rate_bps": round(8 * sum(map(len, packets)) / seconds),
        "keyframe_bytes": len(packets[0]),
        "late_frames": sum(not data for data in packets[:-1]),
    }


def at_quality(points: Iterable[dict[str, float]], luma_db: float) -> dict[str, float] | None:
    """Rate and cost at this quality, between the two points around it: PSNR is about linear in the rate's logarithm.
    None where the points do not reach."""
    ordered = sorted(points, key=lambda point: point["luma_db"])
    for low, high in pairwise(ordered):
        if low["luma_db"] <= luma_db <= high["luma_db"] and low["luma_db"] < high["luma_db"]:
            share = (luma_db - low["luma_db"]) / (high["luma_db"] - low["luma_db"])
            rate_bps = low["rate_bps"] * (high["rate_bps"] / low["rate_bps"]) ** share
            cost_ms = low["encode_ms"] + share * (high["encode_ms"] - low["encode_ms"])
            return {"rate_bps": round(rate_bps), "encode_ms": round(cost_ms, 3)}
    return None


def _decoder(codec: str) -> str:
    return {"libx264": "h264", "h264_nvenc": "h264", "libvpx": "vp8", "libvpx-vp9": "vp9"}.get(codec, "libdav1d")


def psnr(sent: I420, got: I420) -> float:
    """Peak signal-to-noise ratio in dB of 8-bit samples."""
    error = float(np.mean((sent.astype(np.float32) - got.astype(np.float32)) ** 2))
    return 10.0 * float(np.log10(255.0**2 / max(error, 1e-6)))


def measure(n: int) -> Result:
    """Every encoder at every rate over `n` frames."""
    frames = talking(n)
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for candidate in CANDIDATES:
        try:
            found[candidate.name] = {str(rate): judge(candidate, frames, rate) for rate in RATES_BPS}
        except (av.FFmpegError, ValueError, OSError) as error:
            missing[candidate.name] = type(error).__name__
    equal = {
        name: {str(luma_db): at_quality(found[name].values(), luma_db) for luma_db in EQUAL_DB}
        for name in _OWN
        if name in found
    }
    return {**found[DEFAULT][str(RATES_BPS[-1])], "equal_luma": equal, "encoders": found, "missing": missing}


if __name__ == "__main__":
    sys.exit(command("encoders", measure, GOALS, n=150))
