"""SRTP in place: libsrtp works on the memory a packet was written into, without the copies of the wrapper around it.

What is relied on beyond pylibsrtp's public API is listed in `RELIED_ON`, and a test holds it against the installed
version."""

from typing import Any, Final

import pylibsrtp
from pylibsrtp._binding import ffi, lib

from server.rtc.rtp_header import PACKET_MAX_BYTES, PacketWriter

RELIED_ON: Final = ((pylibsrtp.Session, ("_srtp",)),)
TRAILER_MAX_BYTES: Final = 144
"""libsrtp's SRTP_MAX_TRAILER_LEN: what protecting a packet may add."""


class SrtpWriter:
    """Encrypts what packet writers hold, with the keys of one session."""

    def __init__(self, session: pylibsrtp.Session) -> None:
        self._session = session
        self._context = session._srtp[0]
        self._size = ffi.new("int *")
        self._views: dict[PacketWriter, tuple[Any, memoryview]] = {}

    def protect(self, writer: PacketWriter, size: int) -> bytes:
        """The packet of this size as it goes onto the wire. Raises `pylibsrtp.Error`, `ValueError` if too long."""
        if size > PACKET_MAX_BYTES - TRAILER_MAX_BYTES:
            raise ValueError(f"a packet has {size} bytes, the limit is {PACKET_MAX_BYTES - TRAILER_MAX_BYTES}")
        views = self._views.get(writer)
        if views is None:
            views = self._views[writer] = (ffi.from_buffer(writer.memory), memoryview(writer.memory))
        length = self._size
        length[0] = size
        status = lib.srtp_protect(self._context, views[0], length)
        if status:
            raise pylibsrtp.Error(f"libsrtp refused a packet with status {status}")
        return bytes(views[1][: length[0]])
