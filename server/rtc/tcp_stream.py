"""TCP streams that look like a datagram socket to aioice: RFC 4571 frames, and little kept for whoever is slow."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Sequence
from typing import Any, Final, Protocol

from server.rtc.framing import Deframer, FrameTooLong, framed

_log = logging.getLogger(__name__)

Address = tuple[str, int]
STRANGER_TIMEOUT_S: Final = 5.0
FIRST_FRAME_MAX_BYTES: Final = 1024
"""A binding request has about 120 bytes."""
FRAME_MAX_BYTES: Final = 4096
"""Browsers keep every packet below a network's MTU, on streams too."""
CLOGGED_BYTES: Final = 8 * 1024
"""Pictures wait while more than this is unsent, so that sound never stands behind many of them."""
FULL_BYTES: Final = 128 * 1024
"""Beyond this nothing is taken: what does not leave within seconds is of no use any more."""
_UNSENT_IN_KERNEL_BYTES: Final = 16 * 1024
_LINGER_S: Final = 1.0


class Owner(Protocol):
    """Whose stream it is."""

    def adopt(self, stream: "Stream") -> None:
        """It is yours from now on."""
        ...

    def lost(self, stream: "Stream") -> None:
        """It is over."""
        ...

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """A packet came."""
        ...


class Door(Protocol):
    """Where streams come in."""

    refused: int

    def came(self, stream: "Stream") -> None:
        """A stranger came."""
        ...

    def known(self, stream: "Stream") -> None:
        """It is no stranger any more, or over."""
        ...

    def owner(self, frame: bytes) -> Owner | None:
        """Whose stream begins with this frame."""
        ...


class Streams(asyncio.DatagramTransport):
    """Looks like a datagram socket to aioice; behind each address there is a stream. Never holds more than
    `FULL_BYTES` for one of them: what does not fit is lost, as on UDP."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[Address, Stream] = {}
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


class Stream(asyncio.Protocol):
    """One accepted TCP connection."""

    def __init__(self, door: Door) -> None:
        self.address: Address = ("", 0)
        self._door = door
        self._owner: Owner | None = None
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
        self._door.came(self)

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
        self._door.known(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self) -> None:
        self._settled()
        self._transport = None
        if self._owner is not None:
            self._owner.lost(self)


def _tune(accepted: Any) -> None:
    """No waiting for full segments, and little kept in the kernel, where nothing can be dropped any more."""
    with contextlib.suppress(OSError, AttributeError):
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_IN_KERNEL_BYTES)
