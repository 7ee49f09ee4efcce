"""ICE over TCP (RFC 6544): one listening port per process, on which viewers whose network lets no UDP out come in.

We offer passive candidates only: the viewer opens the stream. Whom it belongs to is said by its first frame, a STUN
binding request whose user name and integrity must be those of a connection that expects somebody; until then a stream
costs one socket of a bounded number, for a bounded time, and is answered nothing."""

import asyncio
import contextlib
import socket
import struct
from typing import Final

from aioice import Candidate, stun
from aioice.candidate import candidate_foundation
from aioice.ice import Connection

from server.rtc.stun_guard import GuardedStunProtocol
from server.rtc.tcp_stream import Stream, Streams

STRANGERS_MAX: Final = 64
"""Streams that have not said whom they belong to; one more, and the oldest of them is cut."""
STREAMS_MAX: Final = 8
"""Streams of one connection: a viewer opens one per pair of addresses, and another when one broke."""
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
        self._strangers: dict[Stream, None] = {}
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
            self._servers.append(await loop.create_server(lambda: Stream(self), sock=one, backlog=_BACKLOG))

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

    def came(self, stream: Stream) -> None:
        """A stranger came."""
        if len(self._strangers) >= STRANGERS_MAX:
            # who means to connect speaks at once: the oldest is the least likely to
            next(iter(self._strangers)).cut()
        self._strangers[stream] = None

    def known(self, stream: Stream) -> None:
        """It is no stranger any more, or over."""
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

    def adopt(self, stream: Stream) -> None:
        """A stream has shown that it is ours."""
        found = self._streams.open
        if len(found) >= STREAMS_MAX:
            pair = self.receiver._nominated.get(self.local_candidate.component)
            used = pair.remote_addr if pair is not None and pair.protocol is self else None
            next(one for address, one in found.items() if address != used).cut()
        found[stream.address] = stream

    def lost(self, stream: Stream) -> None:
        """A stream is over. The viewer may open another one: what ends the connection is that nothing is heard."""
        if self._streams.open.get(stream.address) is stream:
            del self._streams.open[stream.address]


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
