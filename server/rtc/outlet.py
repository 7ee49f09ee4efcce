"""One viewer's way onto the wire: packets are written, encrypted and sent without a task or an await between them."""

import logging
import time
from collections import deque
from typing import Final

import pylibsrtp
from aioice.ice import CandidatePair
from aiortc.rtcdtlstransport import RTCDtlsTransport, State

from realtime.ports import Clock
from server.media.pacer import Pacer
from server.media.send_estimate import SendEstimator
from server.media.wheel import Wheel
from server.rtc.datagrams import DatagramSender
from server.rtc.rtp_stream import Placed, RtpStream
from server.rtc.srtp import SrtpWriter

_log = logging.getLogger(__name__)

_NTP_UNIX_OFFSET_S: Final = 2_208_988_800
_UDP_IP_BYTES: Final = 28
"""UDP and IPv4 headers: they fill a link as much as the payload does."""
_Queued = tuple[RtpStream, Placed, int, bool]
"""Stream, unit, packet index and whether it is a repeat."""
BACKLOG_MAX_S: Final = 0.3
"""A viewer whose packets would wait longer loses pictures instead."""


def ntp_now() -> int:
    """The wall clock as a 64-bit NTP time stamp (RFC 5905 section 6)."""
    return int((time.time() + _NTP_UNIX_OFFSET_S) * (1 << 32))


class Outlet:
    """Sends for all streams of one DTLS transport. `post` paces, `post_now` does not.

    UDP does not wait for anyone: what the operating system does not take is buffered by asyncio or lost, so one viewer
    never holds up another. On a TCP stream that is full pictures stay in our queue, where they can still be given up,
    and sound goes before them."""

    def __init__(
        self, dtls: RTCDtlsTransport, clock: Clock, wheel: Wheel, path_bps: float, estimator: SendEstimator | None
    ) -> None:
        self.estimator = estimator
        self.sent_bytes = 0
        self._dtls = dtls
        self._clock = clock
        self._wheel = wheel
        self._pacer = Pacer(path_bps)
        self._srtp = SrtpWriter(dtls._tx_srtp)
        self._ice = dtls.transport
        self._pair: CandidatePair | None = None
        self._sender: DatagramSender | None = None
        self._address: tuple[str, int] | None = None
        self._queue: deque[_Queued] = deque()
        self._queued_bytes = 0
        self._clogged_s: float | None = None
        self._number = 0

    @property
    def open(self) -> bool:
        """Whether anything can be sent."""
        return self._dtls._state == State.CONNECTED

    @property
    def backlog_s(self) -> float:
        """How long what is queued takes to leave, or has waited for a stream that takes nothing."""
        if not self._queued_bytes:
            return 0.0
        waited_s = self._clock() - self._clogged_s if self._clogged_s is not None else 0.0
        return max(waited_s, self._pacer.wait_s(self._queued_bytes))

    def path(self, path_bps: float) -> None:
        """Pace for a path that carries this much."""
        self._pacer.path(path_bps)

    def post(self, stream: RtpStream, placed: Placed) -> None:
        """Send a picture's packets in order, as fast as pacing lets them."""
        for index, payload in enumerate(placed.unit.payloads):
            self._queue.append((stream, placed, index, False))
            self._queued_bytes += len(payload)
        self._leave()

    def post_repeat(self, stream: RtpStream, placed: Placed, index: int) -> None:
        """Send a packet once more, before everything that waits: the receiver can show nothing without it."""
        self._queue.appendleft((stream, placed, index, True))
        self._queued_bytes += len(placed.unit.payloads[index])
        self._leave()

    def post_copy(self, stream: RtpStream, placed: Placed) -> None:
        """Send all of a picture's packets once more, behind everything that waits."""
        for index, payload in enumerate(placed.unit.payloads):
            self._queue.append((stream, placed, index, True))
            self._queued_bytes += len(payload)
        self._leave()

    def post_now(self, stream: RtpStream, placed: Placed) -> None:
        """Send at once: sound is small and never waits."""
        address = self._route()
        if address is None or self._sender is None:
            return
        now_s = self._clock()
        for index in range(len(placed.unit.payloads)):
            packet = self._packet((stream, placed, index, False), now_s)
            if packet:
                size = len(packet) + _UDP_IP_BYTES
                self._pacer.sent(size)
                self.sent_bytes += size
                self._sender.transport.sendto(packet, address)

    def post_control(self, packet: bytes) -> None:
        """Send an RTCP packet."""
        address = self._route()
        if address is not None and self._sender is not None:
            self._sender.transport.sendto(self._dtls._tx_srtp.protect_rtcp(packet), address)

    def drop(self, stream: RtpStream) -> None:
        """Forget what a stream has queued."""
        self._queue = deque(item for item in self._queue if item[0] is not stream)
        self._queued_bytes = sum(len(placed.unit.payloads[index]) for _, placed, index, _ in self._queue)
        self._clogged_s = None

    def _leave(self) -> bool:
        """Send what may leave now; whether something is left."""
        address = self._route()
        sender = self._sender
        if address is None or sender is None:
            self._queue.clear()
            self._queued_bytes = 0
            return False
        now_s = self._clock()
        queue = self._queue
        room_bytes = 0.0
        if not sender.clogged(address):
            self._clogged_s = None
            room_bytes = self._pacer.room_bytes(now_s)
        elif self._clogged_s is None:
            self._clogged_s = now_s
        packets = []
        while queue and room_bytes > 0:
            item = queue.popleft()
            self._queued_bytes -= len(item[1].unit.payloads[item[2]])
            packet = self._packet(item, now_s)
            room_bytes -= len(packet)
            if packet:
                packets.append(packet)
        self._depart(packets, address)
        if queue:
            self._wheel.add(self._leave)
        return bool(queue)

    def _depart(self, packets: list[bytes], address: tuple[str, int]) -> None:
        assert self._sender is not None
        size = sum(map(len, packets)) + _UDP_IP_BYTES * len(packets)
        self._pacer.sent(size)
        self.sent_bytes += size
        self._sender.send(packets, address)

    def _packet(self, item: _Queued, now_s: float) -> bytes:
        """The next packet as it goes onto the wire; empty if it cannot be made."""
        stream, placed, index, repeat = item
        number = self._number
        numbered = stream.form.transport_sequence_id is not None
        if numbered:
            # only numbers that are sent count: a gap is a loss to the receiver
            self._number = (number + 1) & 0xFFFF
        if repeat:
            writer, size = stream.write_repeat(placed, index, ntp_now(), number)
        else:
            writer, size = stream.write(placed, index, now_s, ntp_now(), number)
        try:
            data = self._srtp.protect(writer, size)
        except pylibsrtp.Error as error:
            _log.debug("a packet was not sent: %s", error)
            return b""
        if numbered and self.estimator is not None:
            self.estimator.sent(number, len(data) + _UDP_IP_BYTES, now_s)
        return data

    def _route(self) -> tuple[str, int] | None:
        """Whom to send to, or None while the path is gone. The path may change: ICE restarts, TURN takes over."""
        if self._dtls._state != State.CONNECTED:
            return None
        pair = self._ice._connection._nominated.get(1)
        if pair is not self._pair:
            self._pair = pair
            self._sender = DatagramSender(pair.protocol.transport) if pair is not None else None
            self._address = pair.remote_addr if pair is not None else None
        return self._address
