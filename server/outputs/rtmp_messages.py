"""RTMP's chunks and messages, without I/O (Adobe, Real Time Messaging Protocol 1.0, sections 5 and 6)."""

import struct
from dataclasses import dataclass
from typing import Final

SET_CHUNK_SIZE: Final = 1
ACKNOWLEDGEMENT: Final = 3
USER_CONTROL: Final = 4
WINDOW_SIZE: Final = 5
SOUND: Final = 8
PICTURE: Final = 9
DATA: Final = 18
COMMAND: Final = 20
PING: Final = 6
PONG: Final = 7
CHUNK_BYTES: Final = 60_000
"""What we cut messages into, once the other side was told."""
_FIRST_CHUNK_BYTES: Final = 128
_EXTENDED: Final = 0xFFFFFF
_MESSAGE_MAX_BYTES: Final = 1 << 20
_STREAMS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `at_ms` on the stream's clock."""

    kind: int
    payload: bytes
    stream: int = 0
    at_ms: int = 0


def written(message: Message, chunk_stream: int, chunk_bytes: int = CHUNK_BYTES) -> bytes:
    """A message as chunks with a full header each, section 5.3.1.2."""
    extended = message.at_ms >= _EXTENDED
    stamp = struct.pack(">I", message.at_ms & 0xFFFFFFFF) if extended else b""
    header = bytes([chunk_stream]) + min(message.at_ms, _EXTENDED).to_bytes(3, "big")
    header += len(message.payload).to_bytes(3, "big") + bytes([message.kind]) + struct.pack("<I", message.stream)
    parts = [header, stamp, message.payload[:chunk_bytes]]
    for at in range(chunk_bytes, len(message.payload), chunk_bytes):
        parts += [bytes([0xC0 | chunk_stream]), stamp, message.payload[at : at + chunk_bytes]]
    return b"".join(parts)


@dataclass(slots=True)
class _Incoming:
    """The last header of a chunk stream, and the message that is coming on it."""

    size: int = 0
    kind: int = 0
    stream: int = 0
    at_ms: int = 0
    step_ms: int = 0
    extended: bool = False
    body: bytearray | None = None


class Reader:
    """Takes bytes as they come and gives whole messages out."""

    def __init__(self) -> None:
        self.received_bytes = 0
        self._buffer = bytearray()
        self._chunk_bytes = _FIRST_CHUNK_BYTES
        self._streams: dict[int, _Incoming] = {}

    def feed(self, data: bytes) -> list[Message]:
        """Messages that are whole now. Raises `ValueError` for what no server sends."""
        self.received_bytes += len(data)
        self._buffer += data
        messages: list[Message] = []
        while (taken := self._chunk()) is not None:
            used, message = taken
            del self._buffer[:used]
            if message is not None:
                messages.append(message)
                if message.kind == SET_CHUNK_SIZE:
                    self._chunk_bytes = max(1, int.from_bytes(message.payload[:4], "big") & 0x7FFFFFFF)
        return messages

    def _chunk(self) -> tuple[int, Message | None] | None:
        """The first chunk's length, and the message that it completes; None while it is not whole."""
        buffer = self._buffer
        if not buffer:
            return None
        form, number, at = buffer[0] >> 6, buffer[0] & 0x3F, 1
        if number < 2:
            if len(buffer) < 2 + number:
                return None
            number, at = 64 + int.from_bytes(buffer[1 : 2 + number], "little"), 2 + number
        head = (11, 7, 3, 0)[form]
        if len(buffer) < at + head:
            return None
        known = self._streams.get(number, _Incoming())
        fields = bytes(buffer[at : at + head])
        at += head
        stamp = int.from_bytes(fields[:3], "big") if head else known.step_ms
        extended = stamp == _EXTENDED if head else known.extended
        if extended:
            if len(buffer) < at + 4:
                return None
            stamp, at = int.from_bytes(buffer[at : at + 4], "big"), at + 4
        size = int.from_bytes(fields[3:6], "big") if head >= 7 else known.size
        if size > _MESSAGE_MAX_BYTES or (number not in self._streams and len(self._streams) >= _STREAMS_MAX):
            raise ValueError("an RTMP message is too large")
        body = known.body if known.body is not None else bytearray()
        end = at + min(self._chunk_bytes, size - len(body))
        if len(buffer) < end:
            return None
        if known.body is None:
            known.at_ms = stamp if form == 0 else known.at_ms + stamp
            known.step_ms, known.extended, known.size = stamp, extended, size
            known.kind = fields[6] if head >= 7 else known.kind
            known.stream = struct.unpack("<I", fields[7:])[0] if head == 11 else known.stream
        self._streams[number] = known
        body += buffer[at:end]
        known.body = body if len(body) < size else None
        whole = Message(known.kind, bytes(body), known.stream, known.at_ms) if known.body is None else None
        return end, whole
