"""Several datagrams in one call where the system can cut them itself (UDP segmentation offload, Linux 4.18).

Most of what sending costs is paid per call, not per byte: three packets of a picture in one call cost about half of
three calls. Where it does not work, each datagram goes by itself."""

import errno
import logging
import socket
import struct
from collections.abc import Sequence
from typing import Any, Final

from server.rtc.tcp_stream import Streams

_log = logging.getLogger(__name__)

_UDP_SEGMENT: Final = 103
_SEGMENTS_MAX: Final = 32
_BATCH_MAX_BYTES: Final = 60_000
_UNSUPPORTED: Final = frozenset(
    (errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EPERM)
)


class DatagramSender:
    """Sends through an asyncio datagram transport, in runs of equal size where its socket allows that."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.batches = 0
        self._streams = transport if isinstance(transport, Streams) else None
        found = getattr(transport, "_sock", None)
        usable = isinstance(found, socket.socket) and hasattr(found, "sendmsg")
        self._socket: socket.socket | None = found if usable else None

    def send(self, packets: Sequence[bytes], address: tuple[str, int]) -> None:
        """Send in order."""
        if self._streams is not None:
            self._streams.send_all(packets, address)
            return
        begin, count = 0, len(packets)
        while begin < count:
            end = begin + 1
            if self._socket is not None:
                end = run_end(packets, begin)
            if end - begin == 1 or not self._send_run(packets[begin:end], address):
                for packet in packets[begin:end]:
                    self.transport.sendto(packet, address)
            begin = end

    def clogged(self, address: tuple[str, int]) -> bool:
        """Whether pictures had better wait: only a TCP stream says so."""
        return self._streams is not None and self._streams.clogged(address)

    def _send_run(self, packets: Sequence[bytes], address: tuple[str, int]) -> bool:
        if self._socket is None or self.transport.get_write_buffer_size() or self.transport.is_closing():
            return False
        segment = struct.pack("H", len(packets[0]))
        try:
            self._socket.sendmsg([b"".join(packets)], [(socket.IPPROTO_UDP, _UDP_SEGMENT, segment)], 0, address)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                _log.debug("no segmentation offload on this socket: %s", error)
                self._socket = None
            return False
        self.batches += 1
        return True


def run_end(packets: Sequence[bytes], begin: int) -> int:
    """Where the run of packets ends that may go in one call: all of one size, only the last may be smaller."""
    size = len(packets[begin])
    total = size
    end = begin + 1
    while end < len(packets) and end - begin < _SEGMENTS_MAX:
        following = len(packets[end])
        if following > size or total + following > _BATCH_MAX_BYTES:
            break
        total += following
        end += 1
        if following < size:
            break
    return end
