"""Sends a session's encoded packets as RTP to a host and port, such as a streaming mountpoint of Janus."""

import asyncio
import random
import struct
from collections.abc import Callable
from typing import Final

from pylibsrtp import Policy, Session

from realtime.core.units import AUDIO_RATE_HZ, VIDEO_CLOCK_HZ
from server.media.codecs import VideoCodec
from server.media.egress import MediaEgress
from server.media.packets import EncodedSound, EncodedVideo
from server.outputs.feed import STREAM_KEYFRAME_S, UNBOUNDED_BPS, Feed, FeedFigures
from server.outputs.rtp_options import rtp_options, srtp_key
from server.outputs.sink import SinkFailed
from server.outputs.targets import Target
from server.rtc.outlet import ntp_now
from server.rtc.rtp_header import RtpFormat
from server.rtc.rtp_stream import RtpStream, Unit

_REPORT_S: Final = 1.0
_CNAME: Final = "anima"
_KEYFRAME_PTS: Final = int(STREAM_KEYFRAME_S * VIDEO_CLOCK_HZ)
_PAYLOAD_FEEDBACK: Final = 206
_KEYFRAME_WISHES: Final = (1, 4)
"""PLI, RFC 4585 section 6.3.1, and FIR, RFC 5104 section 4.3.1."""


class RtpSink:
    """One attempt after the other. Nobody acknowledges RTP: an output is live once it was sent for a second and the
    other machine has refused none of it."""

    def __init__(self, target: Target, egress: MediaEgress) -> None:
        self._target = target
        self._options = rtp_options(target.url)
        self._key = srtp_key(target.secret)
        self._egress = egress
        self._sent_bytes = 0

    def figures(self) -> dict[str, object]:
        """What went out."""
        return {"sent_bytes": self._sent_bytes}

    async def run(self, feed: Feed, live: Callable[[], None]) -> None:
        """See `Sink.run`. Media does not pass through the feed: it goes the viewers' way."""
        address = await self._target.address()
        refused: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        lanes: list[_Lane] = []
        ending = asyncio.create_task(feed.take(), name="rtp-end")
        try:
            await self._open(address, lanes, feed.figures, refused)
            while not ending.done():
                for lane in lanes:
                    lane.report()
                await asyncio.wait((ending, refused), timeout=_REPORT_S, return_when=asyncio.FIRST_COMPLETED)
                if refused.done():
                    raise SinkFailed(f"nobody listens at UDP port {refused.result()}")
                live()
        except OSError as error:
            raise SinkFailed(f"the host cannot be reached: {type(error).__name__}") from error
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
            for lane in lanes:
                lane.close()
                self._sent_bytes += lane.sent_bytes

    async def _open(
        self, address: str, lanes: "list[_Lane]", figures: FeedFigures, refused: "asyncio.Future[int]"
    ) -> None:
        options = self._options
        picture = _PictureLane(self._egress, figures, options.picture_type, self._key)
        lanes.append(picture)
        await picture.open(address, options.picture_port, refused)
        if options.sound_port:
            sound = _Lane(self._egress, figures, options.sound_type, AUDIO_RATE_HZ, self._key)
            lanes.append(sound)
            await sound.open(address, options.sound_port, refused)
            sound.subscriptions.append(self._egress.listen(sound.sound).close)
        picture.begin(options.codec)


class _Lane:
    """One stream: its RTP to one port, its RTCP to the next one."""

    def __init__(
        self, egress: MediaEgress, figures: FeedFigures, payload_type: int, clock_hz: int, key: bytes | None
    ) -> None:
        self.sent_bytes = 0
        self.subscriptions: list[Callable[[], None]] = []
        self._egress = egress
        self._figures = figures
        form = RtpFormat(payload_type, clock_hz, random.randrange(1, 1 << 32), "", _CNAME)
        self._stream = RtpStream(form, sequence=random.randrange(1 << 15), origin=random.randrange(1 << 32))
        self._srtp = None if key is None else Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
        self._media: asyncio.DatagramTransport | None = None
        self._control: asyncio.DatagramTransport | None = None

    async def open(self, address: str, port: int, refused: "asyncio.Future[int]") -> None:
        """Open both sockets. Raises `OSError`."""
        loop = asyncio.get_running_loop()

        def nobody() -> None:
            if not refused.done():
                refused.set_result(port)

        self._media, _ = await loop.create_datagram_endpoint(lambda: _Wire(nobody), remote_addr=(address, port))
        # who does not want reports has nobody there
        self._control, _ = await loop.create_datagram_endpoint(
            lambda: _Wire(lambda: None, self.told), remote_addr=(address, port + 1)
        )

    def sound(self, unit: EncodedSound) -> bool:
        """Send 20 ms of sound."""
        self.send(unit)
        return True

    def send(self, unit: Unit) -> None:
        """Send all packets of a unit."""
        media, stream = self._media, self._stream
        assert media is not None
        placed = stream.place(unit)
        now_s, ntp = self._egress.clock(), ntp_now()
        for index in range(len(unit.payloads)):
            writer, size = stream.write(placed, index, now_s, ntp, 0)
            packet = bytes(memoryview(writer.memory)[:size])
            if self._srtp is not None:
                packet = self._srtp.protect(packet)
            self.sent_bytes += len(packet)
            media.sendto(packet)
        self._figures.payload_bytes += sum(map(len, unit.payloads))

    def report(self) -> None:
        """Tell which RTP time is now, so that the other side keeps sound and picture together."""
        now_s = self._egress.clock()
        self._send_control(self._stream.sender_report(now_s, now_s, ntp_now()))

    def told(self, data: bytes) -> None:
        """RTCP from the other side: nothing in it matters to sound."""

    def close(self) -> None:
        """Say goodbye and leave."""
        for leave in self.subscriptions:
            leave()
        if self._control is not None:
            self._send_control(self._stream.bye())
        for transport in (self._media, self._control):
            if transport is not None:
                transport.close()

    def _send_control(self, packet: bytes) -> None:
        assert self._control is not None
        self._control.sendto(packet if self._srtp is None else self._srtp.protect_rtcp(packet))


class _PictureLane(_Lane):
    """The picture: it begins with a keyframe, and has one every few seconds and when the other side asks."""

    def __init__(self, egress: MediaEgress, figures: FeedFigures, payload_type: int, key: bytes | None) -> None:
        super().__init__(egress, figures, payload_type, VIDEO_CLOCK_HZ, key)
        self._keyframe_pts = 0

    def begin(self, codec: VideoCodec) -> None:
        """Take part from now on."""
        self._video = self._egress.watch(codec, self.show)
        self._video.budget.measured(UNBOUNDED_BPS)
        self.subscriptions.append(self._video.close)

    def show(self, unit: EncodedVideo) -> bool:
        """Send a picture."""
        if unit.keyframe:
            self._keyframe_pts = unit.pts
            self._figures.keyframes += 1
        elif unit.pts - self._keyframe_pts >= _KEYFRAME_PTS:
            self._keyframe_pts = unit.pts
            self._video.request_keyframe()
        self._figures.pictures += 1
        self.send(unit)
        return True

    def told(self, data: bytes) -> None:
        """RTCP from the other side. A wish for a keyframe is heard also in the clear: more than the room's own limit
        allows does not come of it."""
        if wants_keyframe(data):
            self._video.request_keyframe()


class _Wire(asyncio.DatagramProtocol):
    """A connected socket: only the other side's datagrams and refusals arrive."""

    def __init__(self, refused: Callable[[], None], told: Callable[[bytes], None] = lambda data: None) -> None:
        self._refused = refused
        self._told = told

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._told(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, ConnectionRefusedError):
            self._refused()


def wants_keyframe(data: bytes) -> bool:
    """Whether a compound RTCP packet asks for a keyframe; what is malformed asks for nothing."""
    at = 0
    while at + 4 <= len(data):
        first, kind, words = struct.unpack_from("!BBH", data, at)
        if first >> 6 != 2:
            return False
        if kind == _PAYLOAD_FEEDBACK and first & 0x1F in _KEYFRAME_WISHES:
            return True
        at += 4 * (words + 1)
    return False
