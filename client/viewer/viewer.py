"""The headless viewer: watches, listens and talks to a session; for tests, benches and programs that use the SDK."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Generic, Literal, Self, TypeVar

import numpy as np
from aiortc import MediaStreamTrack, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdatachannel import RTCDataChannel
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from client.viewer.decoding import STAND_IN, ExtraCodec, answered, offered
from client.viewer.receiving import PromptConnection, PromptReceiver, settled
from client.viewer.signalling import HttpSignaller, Signaller

_VIDEO_CLOCK_HZ: Final = 90_000
_SOUND_CLOCK_HZ: Final = 48_000

T = TypeVar("T")


class ViewerError(Exception):
    """The connection could not be made, or was lost."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """A decoded picture. `pixels` is I420, uint8 of shape (height * 3 // 2, width), or BGR of shape (height, width, 3).

    `arrived_s` and `decoded_s` are `time.monotonic()`; `captured_wall_s` is the sender's media clock as Unix time (None
    before its first report) and `decoded_wall_s` Unix time too: their difference is the latency of the whole way."""

    pixels: NDArray[np.uint8]
    rtp_time: int
    arrived_s: float
    decoded_s: float
    captured_wall_s: float | None
    decoded_wall_s: float


@dataclass(frozen=True, slots=True, eq=False)
class HeardSound:
    """A decoded sound packet: mono int16 at 48 kHz, times as in `SeenFrame`."""

    pcm: NDArray[np.int16]
    rtp_time: int
    arrived_s: float
    captured_wall_s: float | None


class _Stream(Generic[T]):
    """The newest items for one iterator; older ones are dropped when nobody takes them."""

    def __init__(self, limit: int) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._arrived = asyncio.Event()
        self._ended = False

    def put(self, item: T) -> None:
        self._items.append(item)
        self._arrived.set()

    def end(self) -> None:
        self._ended = True
        self._arrived.set()

    async def iterate(self) -> AsyncIterator[T]:
        while True:
            while self._items:
                yield self._items.popleft()
            if self._ended:
                return
            self._arrived.clear()
            await self._arrived.wait()


class HeadlessViewer:
    """Connects to an offer URL as a browser would.

    ```python
    async with HeadlessViewer("http://127.0.0.1:8080/api/offer", token) as viewer:
        async for frame in viewer.frames():
            ...
    ```
    Callbacks (`on_frame`, `on_sound`, `on_message`) get everything; the iterators keep the newest items only (64
    pictures, 250 sound packets, 1000 messages). `voice` is what the viewer says into its microphone.
    `video_codec` is the only one that is offered; without it H.264 and VP8 are."""

    def __init__(
        self,
        offer_url: str | None = None,
        token: str | None = None,
        *,
        signaller: Signaller | None = None,
        video: bool = True,
        sound: bool = True,
        voice: MediaStreamTrack | None = None,
        video_codec: Literal["H264", "VP8", "VP9", "AV1"] | None = None,
        pixel_format: Literal["i420", "bgr"] = "i420",
    ) -> None:
        if signaller is None:
            if offer_url is None:
                raise ValueError("either an offer URL or a signaller is needed")
            signaller = HttpSignaller(offer_url, token)
        self.on_frame: Callable[[SeenFrame], None] | None = None
        self.on_sound: Callable[[HeardSound], None] | None = None
        self.on_message: Callable[[str], None] | None = None
        self.pc_id = ""
        self._signaller = signaller
        self._format = "yuv420p" if pixel_format == "i420" else "bgr24"
        self._connection = PromptConnection()
        self._frames: _Stream[SeenFrame] = _Stream(64)
        self._sounds: _Stream[HeardSound] = _Stream(250)
        self._messages: _Stream[str] = _Stream(1000)
        self._tasks: list[asyncio.Task[None]] = []
        self._opened = asyncio.Event()
        self._channel = self._open_channel()
        self._extra: ExtraCodec | None = None
        if voice is not None:
            self._connection.addTransceiver(voice, "sendrecv")
        elif sound:
            self._connection.addTransceiver("audio", "recvonly")
        if video:
            transceiver = self._connection.addTransceiver("video", "recvonly")
            if video_codec is not None:
                known = get_capabilities("video").codecs
                if video_codec == "VP9" or video_codec == "AV1":
                    self._extra = video_codec
                    assert isinstance(transceiver.receiver, PromptReceiver)
                    transceiver.receiver.expect(video_codec)
                wanted = ("rtx", (STAND_IN if self._extra else video_codec).lower())
                transceiver.setCodecPreferences([c for c in known if c.name.lower() in wanted])

    async def connect(self, timeout_s: float = 15.0) -> None:
        """Connect and begin to receive. Raises `OfferRefused`, `ViewerError` or `aiohttp.ClientError`."""
        connection = self._connection
        connection.on("connectionstatechange", self._state_changed)
        await connection.setLocalDescription(await connection.createOffer())
        offer, extra = connection.localDescription.sdp, self._extra
        answer = await self._signaller.offer(offer if extra is None else offered(offer, extra))
        self.pc_id = answer.pc_id
        sdp = answer.sdp if extra is None else answered(answer.sdp, extra)
        await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        for receiver in connection.getReceivers():
            if isinstance(receiver, PromptReceiver) and receiver.track is not None:
                receive = self._receive_video if receiver.track.kind == "video" else self._receive_sound
                self._tasks.append(asyncio.create_task(receive(receiver), name=f"viewer-{receiver.track.kind}"))
        try:
            state = await settled(connection, timeout_s)
        except TimeoutError as error:
            raise ViewerError(f"not connected within {timeout_s:g} s") from error
        if state != "connected":
            raise ViewerError(f"the connection is {state}")

    async def close(self) -> None:
        """Leave; nothing of the viewer remains when this returns."""
        await self._connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._signaller.aclose()
        self._end_streams()

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def state(self) -> str:
        """The connection's state."""
        return self._connection.connectionState

    def frames(self) -> AsyncIterator[SeenFrame]:
        """Pictures as they are decoded; ends with the connection. One iterator at a time."""
        return self._frames.iterate()

    def sounds(self) -> AsyncIterator[HeardSound]:
        """Sound as it is decoded; ends with the connection. One iterator at a time."""
        return self._sounds.iterate()

    def messages(self) -> AsyncIterator[str]:
        """Texts from the data channel; ends with the connection. One iterator at a time."""
        return self._messages.iterate()

    async def send(self, text: str) -> None:
        """Send a text over the data channel, waiting for it to open."""
        await self._opened.wait()
        self._channel.send(text)

    # --- inside -------------------------------------------------------------------------------------------------

    def _open_channel(self) -> RTCDataChannel:
        channel = self._connection.createDataChannel("chat", ordered=True)
        channel.on("open", self._opened.set)
        channel.on("message", self._message_arrived)
        return channel

    def _message_arrived(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._messages.put(message)
            if self.on_message is not None:
                self.on_message(message)

    def _state_changed(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self._end_streams()

    def _end_streams(self) -> None:
        for stream in (self._frames, self._sounds, self._messages):
            stream.end()

    async def _receive_video(self, receiver: PromptReceiver) -> None:
        while True:
            try:
                picture = await receiver.track.recv()
            except MediaStreamError:
                return
            assert isinstance(picture, VideoFrame) and picture.pts is not None
            decoded_s, decoded_wall_s = time.monotonic(), time.time()
            seen = SeenFrame(
                pixels=picture.to_ndarray(format=self._format).astype(np.uint8, copy=False),
                rtp_time=picture.pts,
                arrived_s=receiver.complete_s(picture.pts),
                decoded_s=decoded_s,
                captured_wall_s=receiver.capture_wall_s(picture.pts, _VIDEO_CLOCK_HZ),
                decoded_wall_s=decoded_wall_s,
            )
            self._frames.put(seen)
            if self.on_frame is not None:
                self.on_frame(seen)

    async def _receive_sound(self, receiver: PromptReceiver) -> None:
        while True:
            try:
                sound = await receiver.track.recv()
            except MediaStreamError:
                return
            assert isinstance(sound, AudioFrame) and sound.pts is not None
            # aiortc decodes to interleaved stereo; our sound is mono, so both channels are the same.
            samples = sound.to_ndarray().reshape(-1, len(sound.layout.channels))[:, 0]
            heard = HeardSound(
                pcm=samples.astype(np.int16, copy=False),
                rtp_time=sound.pts,
                arrived_s=receiver.complete_s(sound.pts),
                captured_wall_s=receiver.capture_wall_s(sound.pts, _SOUND_CLOCK_HZ),
            )
            self._sounds.put(heard)
            if self.on_sound is not None:
                self.on_sound(heard)
