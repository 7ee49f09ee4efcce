"""A synthetic session for transport tests: colour patches, a tone, an egress, and viewers without HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from numpy.typing import NDArray

from client.viewer.depayloading import av1_unit, vp9_depayload
from client.viewer.signalling import Answer
from realtime.core.errors import RequestError
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES, FRAME_RATE_HZ, video_pts
from realtime.core.values import I420, Frame, FrameTrace, Pcm
from realtime.mailbox import Mailbox
from server.media.codecs import VideoCodec
from server.media.egress import MediaEgress
from server.media.packets import EncodedVideo
from server.rtc.peer import Peer, PeerOptions

WIDTH = HEIGHT = 256
TONE_HZ = 440
# (y, u, v) of the four quadrants: top left, top right, bottom left, bottom right
QUADRANTS = ((60, 90, 200), (120, 160, 70), (180, 110, 110), (220, 128, 140))


def patches(width: int = WIDTH, height: int = HEIGHT) -> I420:
    """An I420 picture of four flat quadrants."""
    picture = np.empty((height * 3 // 2, width), np.uint8)
    luma = picture[:height]
    chroma_u = picture[height : height * 5 // 4].reshape(height // 2, width // 2)
    chroma_v = picture[height * 5 // 4 :].reshape(height // 2, width // 2)
    for index, values in enumerate(QUADRANTS):
        row, column = divmod(index, 2)
        for plane, value in zip((luma, chroma_u, chroma_v), values, strict=True):
            rows, columns = plane.shape
            half_rows, half_columns = rows // 2, columns // 2
            plane[row * half_rows :, column * half_columns :][:half_rows, :half_columns] = value
    return picture


def texture(width: int = WIDTH, height: int = HEIGHT, index: int = 0) -> I420:
    """A moving picture with detail, different at every index, for rate tests."""
    rng = np.random.default_rng(7)
    noise = rng.integers(16, 235, (height // 4, width // 4 + 8), dtype=np.uint8)
    luma = np.repeat(np.repeat(np.roll(noise, index, axis=1), 4, axis=0), 4, axis=1)[:height, :width]
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    picture[:height] = luma
    return picture


def frame_of(pixels: I420, index: int = 0, media_s: float | None = None) -> Frame:
    """A finished frame of these pixels."""
    at_s = index / FRAME_RATE_HZ if media_s is None else media_s
    return Frame(index=index, pts=video_pts(at_s), media_s=at_s, epoch=0, pixels=pixels, trace=FrameTrace())


def tone(tick: int) -> Pcm:
    """20 ms of a 440 Hz tone, continuous over ticks."""
    at = np.arange(tick * AUDIO_TICK_SAMPLES, (tick + 1) * AUDIO_TICK_SAMPLES)
    return np.asarray(8000 * np.sin(2 * np.pi * TONE_HZ * at / AUDIO_RATE_HZ), np.int16)


@dataclass
class Rig:
    """A running synthetic session."""

    egress: MediaEgress
    frames: Mailbox[Frame]
    options: PeerOptions
    peers: list[Peer] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    refused: list[RequestError] = field(default_factory=list)
    published: list[Frame] = field(default_factory=list)
    moving: bool = False
    on_message: Callable[[str], object] | None = None

    def peer(self) -> Peer:
        """A new viewer's server side."""
        peer = Peer(
            self.egress,
            self._message,
            self.closed.append,
            on_refused=self.refused.append,
            options=self.options,
        )
        self.peers.append(peer)
        return peer

    def _message(self, text: str) -> None:
        (self.on_message or self.messages.append)(text)

    async def offer(self, sdp: str) -> Answer:
        """`Signaller.offer` without HTTP."""
        return Answer(await self.peer().answer(sdp, "offer"), str(len(self.peers)))

    async def aclose(self) -> None:
        """`Signaller.aclose`: the rig outlives its viewers."""

    async def produce(self) -> None:
        """Publish frames at 25 fps of media time."""
        still = patches()
        while True:
            now_s = self.egress.clock()
            index = int(now_s * FRAME_RATE_HZ) + 1
            await asyncio.sleep(max(0.0, index / FRAME_RATE_HZ - now_s))
            frame = frame_of(texture(index=index) if self.moving else still, index)
            self.published.append(frame)
            self.frames.put(frame)


@asynccontextmanager
async def session(
    options: PeerOptions | None = None, *, moving: bool = False, kind: type[Rig] = Rig
) -> AsyncIterator[Rig]:
    """Run a synthetic session."""
    began_s = time.monotonic()
    frames: Mailbox[Frame] = Mailbox()
    egress = MediaEgress(frames, tone, lambda: time.monotonic() - began_s, width=WIDTH, height=HEIGHT)
    rig = kind(egress, frames, options or PeerOptions(), moving=moving)
    egress.start()
    producer = asyncio.create_task(rig.produce())
    try:
        yield rig
    finally:
        producer.cancel()
        await asyncio.gather(producer, return_exceptions=True)
        for peer in rig.peers:
            await peer.close("test over")
        await egress.aclose()


def depayloaded(unit: EncodedVideo) -> bytes:
    """The encoded picture put together again from its RTP payloads, by code that did not cut it up."""
    readers: dict[VideoCodec, Callable[[bytes], bytes]] = {
        "H264": h264_depayload, "VP8": vp8_depayload, "VP9": vp9_depayload,
    }  # fmt: skip
    if unit.codec == "AV1":
        return av1_unit(unit.payloads)
    return b"".join(readers[unit.codec](payload) for payload in unit.payloads)


def psnr_db(seen: NDArray[Any], sent: NDArray[Any]) -> float:
    """Peak signal-to-noise ratio of two 8-bit pictures."""
    error = np.mean((seen.astype(float) - sent.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def frequency_hz(sound: NDArray[Any]) -> float:
    """The strongest frequency in a piece of sound."""
    spectrum = np.abs(np.fft.rfft(sound.astype(float) * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * AUDIO_RATE_HZ / len(sound))


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait for something that other tasks bring about."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # plain values of the code under test have nothing to wait on
            await asyncio.sleep(0.005)
