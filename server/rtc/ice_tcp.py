"""ICE over TCP (RFC 6544): one listening port per process, on which viewers whose network lets no UDP out come in.

We offer passive candidates only: the viewer opens the stream. Whom it belongs to is said by its first frame, a STUN
binding request whose user name and integrity must be those of a connection that expects somebody; until then a stream
costs one socket of a bounded number, for a bounded time, and is answered nothing."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Sequence
from typing import Any, Final

from aioice import Candidate, stun
from aioice.candidate import candidate_foundation
from aioice.ice import Connection

from server.rtc.framing import Deframer, FrameTooLong, framed
from server.rtc.stun_guard import GuardedStunProtocol

_log = logging.getLogger(__name__)

Address = tuple[str, int]
STRANGERS_MAX: Final = 64
"""Streams that have not said whom they belong to; one more, and the oldest of them is cut."""
STRANGER_TIMEOUT_S: Final = 5.0
FIRST_FRAME_MAX_BYTES: Final = 1024
"""A binding request has about 120 bytes."""
FRAME_MAX_BYTES: Final = 4096
"""Browsers keep every packet below a network's MTU, on streams too."""
STREAMS_MAX: Final = 8
"""Streams of one connection: a viewer opens one per pair of addresses, and another when one broke."""
CLOGGED_BYTES: Final = 8 * 1024
"""Pictures wait while more than this is unsent, so that sound never stands behind many of them."""
FULL_BYTES: Final = 128 * 1024
"""Beyond this nothing is taken: what does not leave within seconds is of no use any more."""
_UNSENT_IN_KERNEL_BYTES: Final = 16 * 1024
_LINGER_S: Final = 1.0
_BACKLOG: Final = 128
_TYPE_PREFERENCE: Final = 90
"""Below that of UDP host candidates (126), as RFC 6544 section 4.2 wishes."""
_PASSIVE_PREFERENCE: Final = 4
"""Direction preference of passive host candidates, RFC 6544 section 4.2."""
_UNREADABLE: Final = (ValueError, IndexError, KeyError, AssertionError, struct.error)

RELIED_ON: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (Connection, ("_nominated", "local_username", "local_password")),
    (stun.Message, ("check_message_integrity",)),
)
"""Classes of aioice and the members beyond its documentation that this module uses."""


def passive_priority(component: int) -> int:
    """Priority of a passive host candidate, RFC 6544 section 4.2 with RFC 8445 section 5.1.2.1."""
    local_preference = (_PASSIVE_PREFERENCE << 13) + (1 << 13) - 1
    return (_TYPE_PREFERENCE << 24) + (local_preference << 8) + 256 - component


def passive_candidate(component: int, host: str, port: int) -> Candidate:
    """A candidate that viewers may open a stream to."""
    return Candidate(
        foundation=candidate_foundation("host", "tcp", host),
        component=component,
        transport="tcp",
        priority=passive_priority(component),
        host=host,
        port=port,
        type="host",
        tcptype="passive",
    )


class TcpDoor:
    """The listening port. Bound when made, which raises `OSError` where that cannot be; `open` it on the event loop
    before anybody is told of it, and again as often as you like."""

    def __init__(self, port: int, host: str = "") -> None:
        self._bound = _listening(port, host)
        self._servers: list[asyncio.Server] = []
        self._expected: dict[str, list[PassiveProtocol]] = {}
        self._strangers: dict[_Stream, None] = {}
        self.port = int(self._bound[0].getsockname()[1])
        self.ipv6 = any(one.family == socket.AF_INET6 for one in self._bound)
        self.ipv4 = any(one.family == socket.AF_INET for one in self._bound)
        self.refused = 0

    @property
    def strangers(self) -> int:
        """Streams that have not said whom they belong to."""
        return len(self._strangers)

    @property
    def expected(self) -> int:
        """User fragments somebody may come in with."""
        return len(self._expected)

    async def open(self) -> None:
        """Let streams in."""
        bound, self._bound = self._bound, []
        loop = asyncio.get_running_loop()
        for one in bound:
            self._servers.append(await loop.create_server(lambda: _Stream(self), sock=one, backlog=_BACKLOG))

    def close(self) -> None:
        """Let nobody in any more. Streams of connections end with these."""
        for bound in self._bound:
            bound.close()
        for server in self._servers:
            server.close()
        for stream in list(self._strangers):
            stream.cut()
        self._bound, self._servers = [], []

    def serves(self, address: str) -> bool:
        """Whether streams to this address of the machine arrive here."""
        return self.ipv6 if ":" in address else self.ipv4

    def expect(self, protocol: "PassiveProtocol") -> None:
        """Pass this connection's streams to it from now on."""
        self._expected.setdefault(protocol.receiver.local_username, []).append(protocol)

    def forget(self, protocol: "PassiveProtocol") -> None:
        """Expect nobody for this connection; safe to call twice."""
        name = protocol.receiver.local_username
        left = [one for one in self._expected.get(name, ()) if one is not protocol]
        if left:
            self._expected[name] = left
        else:
            self._expected.pop(name, None)

    def owner(self, frame: bytes) -> "PassiveProtocol | None":
        """Whose stream begins with this frame; None for a stranger's."""
        try:
            message = stun.parse_message(frame)
        except _UNREADABLE:
            return None
        if message.message_class != stun.Class.REQUEST or message.message_method != stun.Method.BINDING:
            return None
        name = str(message.attributes.get("USERNAME", "")).partition(":")[0]
        for protocol in self._expected.get(name, ()):
            if message.check_message_integrity(protocol.receiver.local_password.encode()):
                return protocol
        return None

    def _came(self, stream: "_Stream") -> None:
        if len(self._strangers) >= STRANGERS_MAX:
            # who means to connect speaks at once: the oldest is the least likely to
            next(iter(self._strangers)).cut()
        self._strangers[stream] = None

    def _known(self, stream: "_Stream") -> None:
        self._strangers.pop(stream, None)


class PassiveProtocol(GuardedStunProtocol):
    """The TCP side of one ICE connection: all its streams, told apart by where they come from."""

    def __init__(self, receiver: Connection, door: TcpDoor, candidate: Candidate) -> None:
        super().__init__(receiver)
        self.local_candidate = candidate
        self._streams = Streams()
        self.transport = self._streams
        self._door = door
        door.expect(self)

    @property
    def streams(self) -> int:
        """How many are open."""
        return len(self._streams.open)

    async def close(self) -> None:
        """End all streams and expect no more."""
        self._door.forget(self)
        self._streams.close()

    def adopt(self, stream: "_Stream") -> None:
        """A stream has shown that it is ours."""
        found = self._streams.open
        if len(found) >= STREAMS_MAX:
            pair = self.receiver._nominated.get(self.local_candidate.component)
            used = pair.remote_addr if pair is not None and pair.protocol is self else None
            next(one for address, one in found.items() if address != used).cut()
        found[stream.address] = stream

    def lost(self, stream: "_Stream") -> None:
        """A stream is over. The viewer may open another one: what ends the connection is that nothing is heard."""
        if self._streams.open.get(stream.address) is stream:
            del self._streams.open[stream.address]


class Streams(asyncio.DatagramTransport):
    """Looks like a datagram socket to aioice; behind each address there is a stream. Never holds more than
    `FULL_BYTES` for one of them: what does not fit is lost, as on UDP."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[Address, _Stream] = {}
        self.dropped_packets = 0
        self._closing = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send one packet to an `Address`; without a stream to it, it is lost."""
        self.send_all((bytes(data),), (addr[0], addr[1]))

    def send_all(self, packets: Sequence[bytes], address: Address) -> None:
        """Send packets in order, in one write."""
        stream = self.open.get(address)
        if stream is None or stream.unsent_bytes > FULL_BYTES:
            self.dropped_packets += len(packets)
        elif packets:
            stream.write(framed(packets))

    def clogged(self, address: Address) -> bool:
        """Whether pictures had better wait."""
        stream = self.open.get(address)
        return stream is not None and stream.unsent_bytes > CLOGGED_BYTES

    def get_write_buffer_size(self) -> int:
        """Bytes that no socket has taken yet."""
        return sum(stream.unsent_bytes for stream in self.open.values())

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Nothing is known of all streams together."""
        return default

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._closing

    def close(self) -> None:
        """End every stream, the last words sent where they still can be."""
        self._closing = True
        for stream in list(self.open.values()):
            stream.finish()
        self.open.clear()

    def abort(self) -> None:
        """End every stream at once."""
        self._closing = True
        for stream in list(self.open.values()):
            stream.cut()
        self.open.clear()


class _Stream(asyncio.Protocol):
    """One accepted TCP connection."""

    def __init__(self, door: TcpDoor) -> None:
        self.address: Address = ("", 0)
        self._door = door
        self._owner: PassiveProtocol | None = None
        self._frames = Deframer(FIRST_FRAME_MAX_BYTES)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def unsent_bytes(self) -> int:
        """What the system has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A stranger came."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.address = (peer[0], peer[1]) if peer else ("", 0)
        _tune(transport.get_extra_info("socket"))
        self._timer = asyncio.get_running_loop().call_later(STRANGER_TIMEOUT_S, self._refuse, "it said nothing")
        self._door._came(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._frames.add(data)
        try:
            while self._transport is not None and (frame := self._frames.take()) is not None:
                self._arrived(frame)
        except FrameTooLong as error:
            self._refuse(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._over()

    def write(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        if self._transport is not None:
            self._transport.write(data)

    def finish(self) -> None:
        """End after what is unsent, if that leaves soon."""
        transport = self._transport
        self._over()
        if transport is not None:
            transport.close()
            asyncio.get_running_loop().call_later(_LINGER_S, transport.abort)

    def cut(self) -> None:
        """End at once."""
        transport = self._transport
        self._over()
        if transport is not None:
            transport.abort()

    def _arrived(self, frame: bytes) -> None:
        if self._owner is None:
            owner = self._door.owner(frame)
            if owner is None:
                return self._refuse("nobody expects it")
            self._settled()
            self._owner = owner
            self._frames.limit_bytes = FRAME_MAX_BYTES
            owner.adopt(self)
        self._owner.datagram_received(frame, self.address)

    def _refuse(self, why: str) -> None:
        _log.debug("a TCP stream is cut: %s", why)
        self._door.refused += 1
        self.cut()

    def _settled(self) -> None:
        self._door._known(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self) -> None:
        self._settled()
        self._transport = None
        if self._owner is not None:
            self._owner.lost(self)


def _listening(port: int, host: str) -> list[socket.socket]:
    """Sockets for IPv4 and, where the machine has it, IPv6. Raises `OSError`."""
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return [_bound(family, (host, port))]
    found = [_bound(socket.AF_INET, ("0.0.0.0", port))]
    with contextlib.suppress(OSError):
        found.append(_bound(socket.AF_INET6, ("::", found[0].getsockname()[1])))
    return found


def _bound(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _tune(accepted: Any) -> None:
    """No waiting for full segments, and little kept in the kernel, where nothing can be dropped any more."""
    with contextlib.suppress(OSError, AttributeError):
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_IN_KERNEL_BYTES)
