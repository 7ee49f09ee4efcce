"""Packets on a byte stream (RFC 4571): two bytes of length before each. No I/O."""

import struct
from collections.abc import Iterable
from typing import Final

_LENGTH: Final = struct.Struct("!H")
FRAME_MAX_BYTES: Final = 0xFFFF


class FrameTooLong(ValueError):
    """A frame announces more than may come."""


def framed(packets: Iterable[bytes]) -> bytes:
    """The packets as they go onto the stream. Raises `FrameTooLong` for one of more than 65535 bytes."""
    parts = []
    for packet in packets:
        if len(packet) > FRAME_MAX_BYTES:
            raise FrameTooLong(f"a packet has {len(packet)} bytes, the limit is {FRAME_MAX_BYTES}")
        parts += [_LENGTH.pack(len(packet)), packet]
    return b"".join(parts)


class Deframer:
    """Cuts a stream into its packets: `add` what arrived, then `take` until there is none.

    `limit_bytes` may be raised between two frames."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._held = bytearray()

    @property
    def held_bytes(self) -> int:
        """What has arrived and was not taken."""
        return len(self._held)

    def add(self, data: bytes) -> None:
        """Bytes in the order of their arrival, cut anywhere."""
        self._held += data

    def take(self) -> bytes | None:
        """The next whole packet; None while it is incomplete. Empty frames mean nothing and are passed over.
        Raises `FrameTooLong` as soon as a frame announces more than `limit_bytes`."""
        held = self._held
        while len(held) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(held)
            if size > self.limit_bytes:
                raise FrameTooLong(f"a frame of {size} bytes, the limit is {self.limit_bytes}")
            end = _LENGTH.size + size
            if len(held) < end:
                return None
            packet = bytes(held[_LENGTH.size : end])
            del held[:end]
            if packet:
                return packet
        return None
