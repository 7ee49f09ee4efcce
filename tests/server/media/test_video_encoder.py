"""Encoders: picture quality, keyframes only on demand, bit rate changes."""

from collections.abc import Iterable

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from realtime.core.units import VIDEO_TIME_BASE
from realtime.core.values import I420
from server.media.codecs import VIDEO_CODECS, VideoCodec
from server.media.packets import EncodedVideo
from server.media.video_encoder import Av1Encoder, VideoEncoder, open_encoder
from tests.server.rtc.rig import HEIGHT, WIDTH, depayloaded, frame_of, patches, psnr_db, texture

DECODERS: dict[VideoCodec, str] = {"H264": "h264", "VP8": "libvpx", "VP9": "libvpx-vp9", "AV1": "libdav1d"}
REOPENED: tuple[VideoCodec, ...] = ("VP8", "VP9", "AV1")


def _open(codec: VideoCodec) -> VideoEncoder:
    return open_encoder(codec, WIDTH, HEIGHT, 25, ceiling_bps=1_500_000)


def _run(
    encoder: VideoEncoder, pictures: Iterable[I420], *, bitrate_bps: int = 500_000, first: int = 0
) -> list[EncodedVideo]:
    return [
        encoder.encode(frame_of(pixels, first + index), keyframe=first + index == 0, bitrate_bps=bitrate_bps)
        for index, pixels in enumerate(pictures)
    ]


def _decode(units: list[EncodedVideo]) -> list[VideoFrame]:
    decoder = av.CodecContext.create(DECODERS[units[0].codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    pictures: list[VideoFrame] = []
    for unit in units:
        packet = av.Packet(depayloaded(unit))
        packet.pts, packet.time_base = unit.pts, VIDEO_TIME_BASE
        pictures += decoder.decode(packet)
    return pictures


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_picture_survives(codec: VideoCodec) -> None:
    encoder = _open(codec)
    units = _run(encoder, [patches()] * 10)
    encoder.close()
    pictures = _decode(units)
    assert [picture.pts for picture in pictures] == [unit.pts for unit in units] == [3600 * n for n in range(10)]
    assert psnr_db(pictures[-1].to_ndarray(), patches()) > 45
    assert [unit.keyframe for unit in units] == [True] + [False] * 9


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_moving_detail_survives(codec: VideoCodec) -> None:
    encoder = _open(codec)
    pictures = [texture(index=index) for index in range(15)]
    decoded = _decode(_run(encoder, pictures, bitrate_bps=1_000_000))
    encoder.close()
    assert min(psnr_db(seen.to_ndarray(), sent) for seen, sent in zip(decoded, pictures, strict=True)) > 22


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_keyframe_on_demand_only(codec: VideoCodec) -> None:
    encoder = _open(codec)
    still = patches()
    demanded = {0, 7}
    units = [
        encoder.encode(frame_of(still, index), keyframe=index in demanded, bitrate_bps=500_000) for index in range(20)
    ]
    # A scene cut is no reason either: nobody asked, and it would burst.
    cut = encoder.encode(frame_of(texture(), 20), keyframe=False, bitrate_bps=500_000)
    encoder.close()
    assert {index for index, unit in enumerate(units) if unit.keyframe} == demanded
    assert codec == "VP8" or not cut.keyframe


def test_h264_follows_the_bit_rate_without_a_keyframe() -> None:
    encoder = _open("H264")
    pictures = [texture(index=3 * index) for index in range(150)]
    sizes: dict[int, int] = {}
    keyframes = 0
    for part, bitrate_bps in enumerate((300_000, 900_000, 200_000)):
        units = _run(encoder, pictures[part * 50 : part * 50 + 50], bitrate_bps=bitrate_bps, first=part * 50)
        sizes[bitrate_bps] = sum(unit.size_bytes for unit in units[20:]) * 8 * 25 // 30
        keyframes += sum(unit.keyframe for unit in units)
    encoder.close()
    assert keyframes == 1
    assert sizes[200_000] < sizes[300_000] < sizes[900_000]
    assert sizes[200_000] < 300_000


@pytest.mark.parametrize("codec", REOPENED)
def test_the_others_reopen_only_for_a_large_change(codec: VideoCodec) -> None:
    encoder = _open(codec)
    units = _run(encoder, [patches()] * 3)
    units += _run(encoder, [patches()] * 3, bitrate_bps=550_000, first=3)
    assert sum(unit.keyframe for unit in units) == 1
    units += _run(encoder, [patches()] * 3, bitrate_bps=300_000, first=6)
    encoder.close()
    assert [index for index, unit in enumerate(units) if unit.keyframe] == [0, 6]


def _keyframes(codec: VideoCodec, rates_bps: list[int], demanded: tuple[int, ...] = ()) -> list[int]:
    """Where keyframes are made, one picture for each rate."""
    encoder = _open(codec)
    units = [
        encoder.encode(frame_of(patches(), index), keyframe=index in demanded, bitrate_bps=bitrate_bps)
        for index, bitrate_bps in enumerate(rates_bps)
    ]
    encoder.close()
    return [index for index, unit in enumerate(units) if unit.keyframe]


@pytest.mark.parametrize("codec", REOPENED)
def test_a_swaying_estimate_costs_the_others_few_keyframes(codec: VideoCodec) -> None:
    # 12 s, each second at one rate and the next at another
    sway_bps = [700_000 if second % 2 else 1_000_000 for second in range(12) for _ in range(25)]
    assert _keyframes(codec, sway_bps) == [0, 25], "down at once, and up only to what lasts"


@pytest.mark.parametrize("codec", REOPENED)
def test_a_keyframe_that_is_asked_for_takes_the_rate_up(codec: VideoCodec) -> None:
    steady_bps, risen_bps = [500_000] * 10, [1_000_000] * 110
    assert _keyframes(codec, steady_bps + risen_bps, demanded=(20,)) == [0, 20], "none for the rate alone"
    assert _keyframes(codec, steady_bps + risen_bps) == [0, 60], "two seconds after it rose"


@pytest.mark.parametrize("codec", REOPENED)
def test_the_others_keep_to_the_bit_rate(codec: VideoCodec) -> None:
    sizes = []
    for bitrate_bps in (200_000, 600_000):
        encoder = _open(codec)
        units = _run(encoder, [texture(index=3 * index) for index in range(75)], bitrate_bps=bitrate_bps)
        encoder.close()
        assert all(unit.payloads for unit in units), "one picture out for each in"
        sizes.append(sum(unit.size_bytes for unit in units[25:]) * 8 * 25 // 50)
    assert sizes[0] < 260_000 and sizes[0] < sizes[1] < 760_000


@pytest.mark.parametrize("codec", ["H264", "VP9", "AV1"])
def test_streams_say_their_colours(codec: VideoCodec) -> None:
    encoder = _open(codec)
    picture = _decode(_run(encoder, [patches()]))[0]
    encoder.close()
    # VP9 has one field for all three; BT.601 and SMPTE 170 have the same matrix
    assert picture.color_range == 1 and picture.colorspace in (5, 6)
    assert codec == "VP9" or (picture.color_primaries, picture.color_trc) == (6, 6)
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_frame_is_read_only_and_untouched(codec: VideoCodec) -> None:
    encoder = _open(codec)
    pixels = patches()
    pixels.setflags(write=False)
    before = pixels.copy()
    _run(encoder, [pixels] * 3)
    encoder.close()
    assert np.array_equal(pixels, before)


def test_wrong_size_is_refused() -> None:
    encoder = _open("H264")
    with pytest.raises(ValueError, match="shape"):
        encoder.encode(frame_of(patches(128, 128)), keyframe=True, bitrate_bps=500_000)
    encoder.close()


def test_an_av1_encoder_that_fails_at_its_end_is_gone_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Av1Encoder(WIDTH, HEIGHT, 25, ceiling_bps=1_500_000)

    class Broken:
        is_open = True

        def encode(self, frame: None) -> None:
            raise av.FFmpegError(22, "Invalid argument")

    monkeypatch.setattr(encoder, "_codec", Broken())
    encoder.close()
    assert encoder._codec is None
