"""A camera and a microphone that come in: what the sink gets, what is counted without one, what is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from realtime.core.errors import Conflict, InvalidField, RequestError
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES
from realtime.core.values import I420, Pcm
from server.rtc.peer import PeerOptions
from server.rtc.publisher import mono
from server.sessions.ingest import Ingest
from tests.server.rtc.rig import frequency_hz, patches, psnr_db, tone, until


class Camera(MediaStreamTrack):
    """Still pictures of four patches, 25 a second."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._index = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.04)
        frame = av.VideoFrame.from_ndarray(patches(), format="yuv420p")
        frame.pts, frame.time_base = self._index * 3600, Fraction(1, 90_000)
        self._index += 1
        return frame


class Microphone(MediaStreamTrack):
    """A 440 Hz tone in stereo."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._tick = 0

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(0.02)
        samples = np.repeat(tone(self._tick), 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.time_base = AUDIO_RATE_HZ, Fraction(1, AUDIO_RATE_HZ)
        frame.pts = self._tick * AUDIO_TICK_SAMPLES
        self._tick += 1
        return frame


class Sink:
    """Keeps what comes."""

    def __init__(self) -> None:
        self.sounds: list[Pcm] = []
        self.pictures: list[I420] = []
        self.over = False

    def sound(self, pcm: Pcm, at_s: float) -> None:
        self.sounds.append(pcm)

    def picture(self, pixels: I420, at_s: float) -> None:
        self.pictures.append(pixels)

    def ended(self) -> None:
        self.over = True


@asynccontextmanager
async def publishing(ingest: Ingest) -> AsyncIterator[str]:
    """A client that sends both; yields its resource's id."""
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        client.addTransceiver(Camera(), "sendonly")
        client.addTransceiver(Microphone(), "sendonly")
        await client.setLocalDescription(await client.createOffer())
        opened = await ingest.resources.open(client.localDescription.sdp)
        await client.setRemoteDescription(RTCSessionDescription(opened.sdp, "answer"))
        yield opened.id
    finally:
        await client.close()
        await ingest.aclose("test over")


async def test_sound_and_pictures_reach_the_sink() -> None:
    sink = Sink()
    ingest = Ingest(PeerOptions(), sink)
    async with publishing(ingest):
        await until(lambda: len(sink.pictures) >= 10 and len(sink.sounds) >= 50)
        assert ingest.state()["connected"] and ingest.state()["consumed"]
    heard = np.concatenate(sink.sounds[20:50])
    assert abs(frequency_hz(heard) - 440) < 5
    assert sink.pictures[-1].shape == (384, 256) and psnr_db(sink.pictures[-1], patches()) > 30
    assert sink.over


async def test_without_a_sink_it_is_counted_and_let_go() -> None:
    ingest = Ingest(PeerOptions())
    async with publishing(ingest) as resource_id:
        await until(lambda: ingest.state()["pictures"] >= 3 and ingest.state()["sound_s"] > 0.1)
        state = ingest.state()
        assert (state["width"], state["height"], state["consumed"], state["malformed"]) == (256, 256, False, 0)
        await ingest.resources.hang_up(resource_id)
    after = ingest.state()
    assert not after["connected"] and after["pictures"] >= state["pictures"], "its figures stay"


async def test_one_publisher_at_a_time() -> None:
    ingest = Ingest(PeerOptions())
    async with publishing(ingest):
        with pytest.raises(Conflict):
            async with publishing(ingest):
                pass


async def test_a_failing_sink_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Bad(Sink):
        def picture(self, pixels: I420, at_s: float) -> None:
            raise RuntimeError("no picture wanted")

    sink = Bad()
    ingest = Ingest(PeerOptions(), sink)
    async with publishing(ingest):
        await until(lambda: ingest.state()["malformed"] >= 2 and len(sink.sounds) > 5)
        assert ingest.state()["connected"]
    assert "no picture wanted" in caplog.text


@pytest.mark.parametrize("direction", ["recvonly", "inactive"])
async def test_who_does_not_send_is_refused(direction: str) -> None:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTransceiver("video", direction)
    await client.setLocalDescription(await client.createOffer())
    with pytest.raises(InvalidField):
        await Ingest(PeerOptions()).resources.open(client.localDescription.sdp)
    await client.close()


@pytest.mark.parametrize("sdp", ["", "garbage", "v=0\r\n", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"])
async def test_broken_offers_leave_room(sdp: str) -> None:
    ingest = Ingest(PeerOptions())
    with pytest.raises(RequestError):
        await ingest.resources.open(sdp)
    async with publishing(ingest):
        await until(lambda: ingest.state()["connected"])


def test_mono() -> None:
    stereo = av.AudioFrame.from_ndarray(np.array([[100, 300, -100, 100]], np.int16), format="s16", layout="stereo")
    stereo.sample_rate = AUDIO_RATE_HZ
    assert mono(stereo).tolist() == [200, 0]
    stereo.sample_rate = 8000
    with pytest.raises(ValueError, match="8000"):
        mono(stereo)
