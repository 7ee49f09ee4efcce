"""Many cheap viewers in one process: each a real ICE, DTLS and SRTP peer whose media is counted, not decoded.

aiortc makes the connection. Then the socket's reader is replaced by a loop that looks at RTP headers, which SRTP leaves
readable, and passes STUN and DTLS on. Sender reports are decrypted, for they say when each packet was due; receiver
reports and transport-wide feedback go back encrypted, as a browser sends them."""

import asyncio
import random
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import ClientSession
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import pack_remb_fci

_NTP_UNIX_OFFSET_S: Final = 2_208_988_800
_RTCP_TYPES: Final = range(192, 224)
_SENDER_REPORT: Final = 200
_REPORT_INTERVAL_S: Final = 1.0
LATE_S: Final = 0.04
"""A packet that completes a picture or sound this long after its media time is late: one frame interval."""
_ESTIMATE_BPS: Final = 2_500_000
"""What each viewer says its path carries: nothing here is meant to be narrow."""
_LATENESS_KEPT_EVERY: Final = 25
_HEADER: Final = struct.Struct("!BBHLL")
_TIMESPEC: Final = struct.Struct("@qq")
_SO_TIMESTAMPNS: Final = 35
"""Linux, socket(7): the kernel's own time of each packet, as a message beside it; Python does not name it."""
_WRAP: Final = 1 << 32


@dataclass(slots=True)
class Tally:
    """What all viewers together received since it was made."""

    packets: int = 0
    bytes: int = 0
    pictures: int = 0
    sounds: int = 0
    late_pictures: int = 0
    late_sounds: int = 0
    lost_packets: int = 0
    lateness_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Source:
    """One incoming stream of one viewer."""

    clock_rate_hz: int
    is_video: bool
    last_sequence: int | None = None
    due_wall_s: float | None = None
    """Wall-clock time of RTP time zero, as the last sender report has it."""
    last_report: int = 0
    reported_s: float = 0.0


class Viewer:
    """One viewer: `join`, then it counts into the tally it was given until `leave`. With `by_kernel` packets count from
    when the kernel had them, whenever this process comes to read them; that costs more."""

    by_kernel = False

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._sources: dict[int, _Source] = {}
        self._buffer = bytearray(2048)
        self._sockets: list[socket.socket] = []
        self._dtls: Any = None
        self._report_timer: asyncio.TimerHandle | None = None
        self._ssrc = random.randrange(1, _WRAP)

    async def join(self, http: ClientSession, url: str) -> None:
        """Negotiate and connect. Raises `TimeoutError`, `ConnectionError`."""
        connection = self._connection
        for kind in ("audio", "video"):
            connection.addTransceiver(kind, "recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        connected = asyncio.Event()
        connection.on("connectionstatechange", connected.set)
        sdp = await self.exchange(http, url, connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        async with asyncio.timeout(30.0):
            while connection.connectionState != "connected":
                connected.clear()
                await connected.wait()
                if connection.connectionState in ("failed", "closed"):
                    raise ConnectionError("a viewer did not connect")
        await self._take_over(sdp)

    async def exchange(self, http: ClientSession, url: str, offer: str) -> str:
        """The answer to an offer, both as bare SDP. Raises `ConnectionError`."""
        async with http.post(url, data=offer) as reply:
            text = await reply.text()
            if reply.status != 200:
                raise ConnectionError(f"the offer was refused: {reply.status} {text[:200]}")
            return text

    async def leave(self) -> None:
        """Close the connection."""
        if self._report_timer is not None:
            self._report_timer.cancel()
        loop: Any = asyncio.get_running_loop()
        for taken in self._sockets:
            loop._remove_reader(taken)
        await self._connection.close()

    async def _take_over(self, sdp: str) -> None:
        """From here on aiortc only answers STUN: its own receivers would decode."""
        for receiver in self._connection.getReceivers():
            await receiver.stop()
        self._dtls = self._connection.getReceivers()[0].transport
        loop: Any = asyncio.get_running_loop()
        # all of them: which path the server sends on is its own choice
        for protocol in self._dtls.transport._connection._protocols:
            taken = protocol.transport._sock
            self._sockets.append(taken)
            loop._remove_reader(taken)
            read = self._drain
            if self.by_kernel and sys.platform.startswith("linux"):
                taken.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                read = self._drain_timed
            loop._add_reader(taken, read, taken, protocol)
        self._report_timer = loop.call_later(random.random() * _REPORT_INTERVAL_S, self._report)

    def _drain(self, taken: socket.socket, protocol: Any) -> None:
        buffer, tally = self._buffer, self.tally
        while True:
            try:
                size, sender = taken.recvfrom_into(buffer)
            except (BlockingIOError, ConnectionError):
                return
            if buffer[0] >= 128 and buffer[1] not in _RTCP_TYPES:
                tally.packets += 1
                tally.bytes += size
                self._count(None, *_HEADER.unpack_from(buffer))
            else:
                self._other(bytes(buffer[:size]), sender, protocol)

    def _drain_timed(self, taken: socket.socket, protocol: Any) -> None:
        buffer, tally = self._buffer, self.tally
        while True:
            try:
                size, beside, _, sender = taken.recvmsg_into([buffer], 64)
            except (BlockingIOError, ConnectionError):
                return
            if buffer[0] >= 128 and buffer[1] not in _RTCP_TYPES:
                tally.packets += 1
                tally.bytes += size
                times = (_TIMESPEC.unpack_from(data) for _, kind, data in beside if kind == _SO_TIMESTAMPNS)
                came_s, came_ns = next(times, (0, 0))
                self._count(came_s + 1e-9 * came_ns if came_s else None, *_HEADER.unpack_from(buffer))
            else:
                self._other(bytes(buffer[:size]), sender, protocol)

    def _other(self, data: bytes, sender: Any, protocol: Any) -> None:
        if data[0] < 128:
            protocol.datagram_received(data, sender)
        else:
            self._read_rtcp(data)

    def _count(
        self, came_s: float | None, first: int, second: int, sequence: int, timestamp: int, ssrc: int
    ) -> None:
        """A media packet, by its header, and when the kernel had it (Unix time) if that is known."""
        source = self._sources.get(ssrc)
        if source is None:
            return
        last, source.last_sequence = source.last_sequence, sequence
        tally = self.tally
        if last is not None:
            tally.lost_packets += (sequence - last - 1) & 0xFFFF if (sequence - last) & 0x8000 == 0 else 0
        if source.is_video and not second & 0x80:
            return
        late_s = 0.0
        if source.due_wall_s is not None:
            wall_s = time.time() if came_s is None else came_s
            late_s = wall_s - source.due_wall_s - timestamp / source.clock_rate_hz
            span_s = _WRAP / source.clock_rate_hz
            late_s = (late_s + span_s / 2) % span_s - span_s / 2
        late = late_s > LATE_S
        if source.is_video:
            tally.pictures += 1
            tally.late_pictures += late
        else:
            tally.sounds += 1
            tally.late_sounds += late
        if (tally.pictures + tally.sounds) % _LATENESS_KEPT_EVERY == 0:
            tally.lateness_s.append(late_s)
        if source.due_wall_s is not None:
            self.completed(source.is_video, wall_s - late_s, late_s)

    def completed(self, is_video: bool, due_wall_s: float, late_s: float) -> None:
        """A picture or a sound that was due at this Unix time is whole, so much later; for subclasses."""

    def _read_rtcp(self, data: bytes) -> None:
        plain = self._dtls._rx_srtp.unprotect_rtcp(data)
        if plain[1] != _SENDER_REPORT or len(plain) < 28:
            return
        ssrc, ntp, timestamp = struct.unpack_from("!LQL", plain, 4)
        source = self._sources.get(ssrc)
        if source is None:
            # The payload type is not in the report: our offer's order of m-lines is, in the order of SSRCs seen.
            is_video = self._is_video(ssrc)
            source = self._sources[ssrc] = _Source(90_000 if is_video else 48_000, is_video)
        wall_s = ntp / 2**32 - _NTP_UNIX_OFFSET_S
        source.due_wall_s = wall_s - timestamp / source.clock_rate_hz
        source.last_report, source.reported_s = ntp >> 16 & 0xFFFFFFFF, time.monotonic()

    def _is_video(self, ssrc: int) -> bool:
        sdp = self._connection.remoteDescription.sdp
        section = sdp[: sdp.find(f"a=ssrc:{ssrc} ")].rfind("m=")
        return sdp[section:].startswith("m=video")

    def _report(self) -> None:
        if self._connection.connectionState != "connected":
            return
        loop = asyncio.get_running_loop()
        self._report_timer = loop.call_later(_REPORT_INTERVAL_S, self._report)
        blocks = b""
        now_s = time.monotonic()
        for ssrc, source in self._sources.items():
            delay = int((now_s - source.reported_s) * 65536) & 0xFFFFFFFF
            blocks += struct.pack("!LLLLLL", ssrc, 0, source.last_sequence or 0, 0, source.last_report, delay)
        count = len(self._sources)
        report = struct.pack("!BBHL", 0x80 | count, 201, 1 + 6 * count, self._ssrc) + blocks
        pictured = [ssrc for ssrc, source in self._sources.items() if source.is_video]
        if pictured:
            report += struct.pack("!BBHLL", 0x8F, 206, 5, self._ssrc, 0) + pack_remb_fci(_ESTIMATE_BPS, pictured)
        self._send_rtcp(report)

    def _send_rtcp(self, packet: bytes) -> None:
        pair = self._dtls.transport._connection._nominated.get(1)
        if pair is not None:
            pair.protocol.transport.sendto(self._dtls._tx_srtp.protect_rtcp(packet), pair.remote_addr)
