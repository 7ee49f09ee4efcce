"""aiortc's receiving side without its wait: a picture is given out with its last packet, not with the next picture.

aiortc's jitter buffer completes a frame when a packet of the next one arrives, which costs a whole frame interval, and
its sound waits for four packets. Here the marker bit completes a picture and every sound packet stands for itself.
`RELIED_ON` lists what is used beyond aiortc's public API; a test holds it against the installed version."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.codecs import is_rtx
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack, RTCRtpReceiver
from aiortc.rtcrtptransceiver import RTCRtpTransceiver
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket, RtpPacket
from aiortc.utils import uint16_add
from av.video.frame import VideoFrame

from client.viewer.decoding import STAND_IN, DecodingQueue, ExtraCodec, whole_picture

_CREATE_TRANSCEIVER: Final = "_RTCPeerConnection__createTransceiver"
_RECEIVER: Final = "_RTCRtpTransceiver__receiver"
_JITTER_BUFFER: Final = "_RTCRtpReceiver__jitter_buffer"
_TIMESTAMPS: Final = "_RTCRtpReceiver__timestamp_mapper"
_DECODER_QUEUE: Final = "_RTCRtpReceiver__decoder_queue"
_CODECS: Final = "_RTCRtpReceiver__codecs"
_DECODER_ERROR: Final = "_RTCRtpReceiver__decoder_error"

RELIED_ON: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (RTCPeerConnection, (_CREATE_TRANSCEIVER,)),
    (RTCRtpTransceiver, (_RECEIVER,)),
    (RTCRtpReceiver, (_JITTER_BUFFER, _TIMESTAMPS, _DECODER_QUEUE, _DECODER_ERROR, _CODECS, "_handle_rtp_packet")),
    (RemoteStreamTrack, ("_queue",)),
    (JitterBuffer, ("add", "_remove_frame", "_origin", "_packets", "_capacity")),
)

_SOUND_GAP_PACKETS: Final = 3
_ARRIVALS_KEPT: Final = 512
_WRAP: Final = 1 << 32
_NTP_UNIX_OFFSET_S: Final = 2_208_988_800


class PromptJitterBuffer(JitterBuffer):
    """Gives out a frame as soon as all its packets are there."""

    def __init__(self, capacity: int, *, is_video: bool) -> None:
        super().__init__(capacity=capacity, is_video=is_video)
        self._video = is_video
        self.join: Callable[[list[bytes]], bytes] = b"".join

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        if not self._video:
            self._give_up_gap(sequence_number)
        return self.take()

    def take(self) -> JitterFrame | None:
        """The oldest frame, if it is complete: up to the marker bit, or to a packet of the next frame."""
        parts: list[bytes] = []
        timestamp: int | None = None
        for count in range(self._capacity):
            packet = self._packets[((self._origin or 0) + count) % self._capacity]
            if packet is None:
                return None
            if timestamp is not None and packet.timestamp != timestamp:
                return self._frame(parts, timestamp, count)
            timestamp = packet.timestamp
            parts.append(packet._data)  # type: ignore[attr-defined]  # set by the receiver before it adds the packet
            if packet.marker or not self._video:
                return self._frame(parts, timestamp, count + 1)
        return None

    def _frame(self, parts: list[bytes], timestamp: int, count: int) -> JitterFrame:
        self.remove(count)
        return JitterFrame(data=self.join(parts), timestamp=timestamp)

    def _give_up_gap(self, sequence_number: int) -> None:
        """Sound does not wait for a lost packet once three later ones are there."""
        assert self._origin is not None
        ahead = uint16_add(sequence_number, -self._origin)
        if _SOUND_GAP_PACKETS <= ahead < self._capacity:
            while self._packets[self._origin % self._capacity] is None:
                self.remove(1)


@dataclass(frozen=True, slots=True)
class SenderClock:
    """What a sender report said: this RTP time is this wall-clock time (Unix seconds)."""

    rtp_time: int
    wall_s: float


class UnwrappedTimestamps:
    """Extends 32-bit RTP time beyond its wrap, keeping the sender's origin (aiortc subtracts the first one)."""

    def __init__(self) -> None:
        self._last: int | None = None

    def map(self, timestamp: int) -> int:
        """The extended time stamp."""
        if self._last is None:
            self._last = timestamp
        else:
            step = (timestamp - self._last + _WRAP // 2) % _WRAP - _WRAP // 2
            self._last += step
        return self._last


class PromptReceiver(RTCRtpReceiver):
    """A receiver that does not wait, and remembers when each frame was complete and what the sender's clock said."""

    def __init__(self, kind: str, transport: RTCDtlsTransport) -> None:
        super().__init__(kind, transport)
        is_video = kind == "video"
        self.sender_clock: SenderClock | None = None
        self._buffer = PromptJitterBuffer(capacity=512 if is_video else 16, is_video=is_video)
        self._mapper = UnwrappedTimestamps()
        self._extra: ExtraCodec | None = None
        self._complete_s: OrderedDict[int, float] = OrderedDict()
        setattr(self, _JITTER_BUFFER, self._buffer)
        setattr(self, _TIMESTAMPS, self)

    def expect(self, codec: ExtraCodec) -> None:
        """Receive a codec that aiortc does not know; to be said before it connects."""
        self._extra = codec

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Begin; aiortc calls this once DTLS is connected."""
        codec = self._extra
        if codec is not None and not isinstance(getattr(self, _DECODER_QUEUE), DecodingQueue):
            track = self.track
            assert isinstance(track, RemoteStreamTrack)
            loop, pictures = asyncio.get_running_loop(), track._queue

            def deliver(picture: VideoFrame) -> None:
                loop.call_soon_threadsafe(pictures.put_nowait, picture)

            setattr(self, _DECODER_QUEUE, DecodingQueue(codec, deliver, getattr(self, _DECODER_ERROR).set))
            self._buffer.join = partial(whole_picture, codec=codec)
            # by its own name aiortc hands a payload on as it is
            renamed = [replace(c, mimeType=f"video/{codec}") if c.name == STAND_IN else c for c in parameters.codecs]
            parameters = replace(parameters, codecs=renamed)
        await super().receive(parameters)

    def map(self, timestamp: int) -> int:
        """Called by the base class for every complete frame, just before it is decoded."""
        extended = self._mapper.map(timestamp)
        self._complete_s[extended] = time.monotonic()
        if len(self._complete_s) > _ARRIVALS_KEPT:
            self._complete_s.popitem(last=False)
        return extended

    def complete_s(self, rtp_time: int) -> float:
        """Monotonic time at which the frame's last packet arrived; now, if that is not known any more."""
        return self._complete_s.pop(rtp_time, None) or time.monotonic()

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        await super()._handle_rtp_packet(packet, arrival_time_ms)
        # A packet that filled a gap may have completed more than the one frame the base class takes.
        codecs = getattr(self, _CODECS)
        codec = codecs.get(packet.payload_type)
        if codec is not None and is_rtx(codec):
            # a repeat is decoded as what it repeats
            codec = codecs.get(codec.parameters.get("apt"))
        while codec is not None and (frame := self._buffer.take()) is not None:
            frame.timestamp = self.map(frame.timestamp)
            getattr(self, _DECODER_QUEUE).put((codec, frame))

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        await super()._handle_rtcp_packet(packet)
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            wall_s = info.ntp_timestamp / 2**32 - _NTP_UNIX_OFFSET_S
            self.sender_clock = SenderClock(info.rtp_timestamp, wall_s)

    def capture_wall_s(self, rtp_time: int, clock_rate_hz: int) -> float | None:
        """Wall-clock time (Unix seconds) at which the sender's media clock stood at `rtp_time`."""
        if self.sender_clock is None:
            return None
        ticks = (rtp_time - self.sender_clock.rtp_time + _WRAP // 2) % _WRAP - _WRAP // 2
        return self.sender_clock.wall_s + ticks / clock_rate_hz


class PromptConnection(RTCPeerConnection):
    """A connection whose receivers are `PromptReceiver`s."""

    def __init__(self) -> None:
        super().__init__(RTCConfiguration(iceServers=[]))

    def _RTCPeerConnection__createTransceiver(
        self, direction: str, kind: str, sender_track: MediaStreamTrack | None = None
    ) -> RTCRtpTransceiver:
        create: Callable[..., Any] = getattr(super(), _CREATE_TRANSCEIVER)
        transceiver: RTCRtpTransceiver = create(direction, kind, sender_track)
        receiver = PromptReceiver(kind, transceiver.receiver.transport)
        receiver._set_rtcp_ssrc(transceiver.sender._ssrc)
        setattr(transceiver, _RECEIVER, receiver)
        return transceiver


async def settled(connection: RTCPeerConnection, timeout_s: float) -> str:
    """Wait until a connection is connected, failed or closed and return which. Raises `TimeoutError`."""
    done = asyncio.Event()
    final = ("connected", "failed", "closed")

    def changed() -> None:
        if connection.connectionState in final:
            done.set()

    connection.on("connectionstatechange", changed)
    try:
        changed()
        async with asyncio.timeout(timeout_s):
            await done.wait()
    finally:
        connection.remove_listener("connectionstatechange", changed)
    return connection.connectionState
