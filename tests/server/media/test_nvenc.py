"""The card's encoder: a probe that is honest without a card, and the processor where the card fails."""

import subprocess
import sys

import av
import pytest

from realtime.core.values import Frame
from server.media.codec_setup import BUFFER_BITS
from server.media.codecs import VideoCodec
from server.media.nvenc import CardOrProcessor, lack_of, nvenc_lack, opener
from server.media.packets import EgressStats, EncodedVideo
from server.media.room import VideoRoom
from server.media.video_encoder import H264Encoder, VideoEncoder, Vp8Encoder, open_encoder
from tests.server.rtc.rig import HEIGHT, WIDTH, frame_of, patches


class Card:
    """An encoder with x264 behind it, that works for so many pictures."""

    lasts = 3
    opened: list["Card"] = []  # noqa: RUF012  # a fixture empties it

    def __init__(
        self, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> None:
        self.left = self.lasts
        self.closed = False
        self._encoder = H264Encoder(width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)
        self.opened.append(self)

    def encode(self, frame: Frame, *, keyframe: bool, bitrate_bps: int) -> EncodedVideo:
        """See `VideoEncoder.encode`."""
        if self.left == 0:
            raise av.ExternalError(1, "out of sessions")
        self.left -= 1
        return self._encoder.encode(frame, keyframe=keyframe, bitrate_bps=bitrate_bps)

    def close(self) -> None:
        """See `VideoEncoder.close`."""
        self.closed = True


@pytest.fixture(autouse=True)
def _no_cards() -> None:
    Card.opened.clear()
    Card.lasts = 3


def test_a_card_that_encodes_lacks_nothing() -> None:
    assert lack_of(Card) == ""
    assert Card.opened[0].closed


def test_a_card_that_fails_says_why() -> None:
    Card.lasts = 0
    assert "out of sessions" in lack_of(Card)
    assert Card.opened[0].closed


def test_the_processor_takes_over_with_a_keyframe() -> None:
    encoder = CardOrProcessor(WIDTH, HEIGHT, 25, ceiling_bps=800_000, card=Card)
    units = [encoder.encode(frame_of(patches(), at), keyframe=at == 0, bitrate_bps=500_000) for at in range(6)]
    encoder.close()
    assert [unit.keyframe for unit in units] == [True, False, False, True, False, False]
    assert all(unit.payloads and unit.codec == "H264" for unit in units)
    assert [card.closed for card in Card.opened] == [True], "the card is let go, and not asked again"


def test_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> str:
        raise AssertionError("nobody asked for a card")

    assert opener("off", asked) is open_encoder
    assert isinstance(opener("auto", lambda: "no card")("H264", 64, 64, 25, ceiling_bps=100_000), H264Encoder)
    assert isinstance(opener("auto", lambda: "")("H264", 64, 64, 25, ceiling_bps=100_000), CardOrProcessor)
    # a card is not even looked for where another codec is wanted
    assert isinstance(opener("auto", asked)("VP8", 64, 64, 25, ceiling_bps=100_000), Vp8Encoder)


def test_a_room_opens_its_encoders_through_it() -> None:
    asked: list[tuple[VideoCodec, int]] = []

    def opened(
        codec: VideoCodec, width: int, height: int, fps: int, *, ceiling_bps: int, buffer_bits: int = BUFFER_BITS
    ) -> VideoEncoder:
        asked.append((codec, width))
        return open_encoder(codec, width, height, fps, ceiling_bps=ceiling_bps, buffer_bits=buffer_bits)

    room = VideoRoom((WIDTH, HEIGHT), EgressStats(), start_bps=500_000, max_bps=1_500_000, open_encoder=opened)
    room.join("VP9", lambda unit: True)
    (rung,) = room.wanted()
    assert room.encode(rung, frame_of(patches()), keyframe=True, bitrate_bps=500_000).codec == "VP9"
    assert asked == [("VP9", WIDTH)]


def test_the_probe_here_is_quiet_and_final() -> None:
    """In a process of its own: what libraries write past Python is seen too."""
    script = (
        "from server.media.nvenc import nvenc_lack, opener\n"
        "first = nvenc_lack()\n"
        "assert nvenc_lack() is first\n"
        "opener('auto')('H264', 64, 64, 25, ceiling_bps=100_000).close()\n"
        "print(first or 'a card')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and done.stderr == "" and done.stdout.strip()


def test_one_probe_serves_the_process() -> None:
    before = nvenc_lack.cache_info().misses
    nvenc_lack()
    nvenc_lack()
    assert nvenc_lack.cache_info().misses <= max(before, 1)
