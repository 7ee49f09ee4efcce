"""Transport-wide congestion control feedback, draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1. Pure."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

RTPFB: Final = 205
FORMAT: Final = 15
_HEADER: Final = struct.Struct("!LLHH")
_DELTA_S: Final = 250e-6
_REFERENCE_S: Final = 0.064
_REFERENCE_MODULUS: Final = 1 << 24
_NUMBER_MASK: Final = 0xFFFF
_MISSING, _SMALL, _LARGE = 0, 1, 2
PACKETS_MAX: Final = 4096
"""More packets than this in one feedback is nothing a receiver sends: at 1 Mb/s that is half a minute."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """Which packets of a transport arrived, and when on the receiver's clock."""

    first: int
    """Transport-wide sequence number of the first packet, 16 bits."""
    arrivals_s: tuple[float | None, ...]
    """For each packet from the first on, its arrival, or None if it did not arrive."""
    count: int
    """Number of this feedback, 8 bits."""


def parse_feedback(body: bytes) -> Feedback:
    """Read an RTCP feedback packet from behind its 4-byte header on. Raises `ValueError`."""
    if len(body) < 16:
        raise ValueError("a transport-wide feedback has at least 16 bytes")
    _, _, first, wanted = _HEADER.unpack_from(body)
    if wanted > PACKETS_MAX:
        raise ValueError(f"a feedback on {wanted} packets, the limit is {PACKETS_MAX}")
    reference, count = int.from_bytes(body[12:15], "big"), body[15]
    symbols: list[int] = []
    at = 16
    while len(symbols) < wanted:
        if at + 2 > len(body):
            raise ValueError("the feedback ends within its packet chunks")
        symbols += _symbols(body[at] << 8 | body[at + 1])
        at += 2
    time_s = reference * _REFERENCE_S
    arrivals: list[float | None] = []
    for symbol in islice(symbols, wanted):
        if symbol == _MISSING:
            arrivals.append(None)
            continue
        size = 1 if symbol == _SMALL else 2
        if at + size > len(body):
            raise ValueError("the feedback ends within its deltas")
        delta = body[at] if size == 1 else int.from_bytes(body[at : at + 2], "big", signed=True)
        at += size
        time_s += delta * _DELTA_S
        arrivals.append(time_s)
    return Feedback(first, tuple(arrivals), count)


def _symbols(chunk: int) -> list[int]:
    """The packet statuses of one chunk, sections 3.1.3 and 3.1.4. A reserved symbol counts as a large delta."""
    if not chunk & 0x8000:
        return [chunk >> 13 & 3] * min(chunk & 0x1FFF, PACKETS_MAX)
    if chunk & 0x4000:
        return [chunk >> shift & 3 for shift in range(12, -2, -2)]
    return [chunk >> shift & 1 for shift in range(13, -1, -1)]


def pack_feedback(sender_ssrc: int, media_ssrc: int, feedback: Feedback) -> bytes:
    """A whole RTCP packet, as a receiver sends it."""
    arrived = [at_s for at_s in feedback.arrivals_s if at_s is not None]
    reference = int(arrived[0] / _REFERENCE_S) if arrived else 0
    symbols, deltas = _deltas(feedback.arrivals_s, reference)
    chunks = b""
    for begin in range(0, len(symbols), 7):
        part = symbols[begin : begin + 7]
        chunk = 0xC000
        for index, symbol in enumerate(part):
            chunk |= symbol << (12 - 2 * index)
        chunks += chunk.to_bytes(2, "big")
    body = _HEADER.pack(sender_ssrc, media_ssrc, feedback.first & _NUMBER_MASK, len(symbols))
    body += (reference % _REFERENCE_MODULUS).to_bytes(3, "big") + bytes([feedback.count & 0xFF]) + chunks + deltas
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x80 | FORMAT, RTPFB, len(body) // 4) + body


def _deltas(arrivals_s: Sequence[float | None], reference: int) -> tuple[list[int], bytes]:
    symbols: list[int] = []
    deltas = b""
    ticks = round(reference * _REFERENCE_S / _DELTA_S)
    for at_s in arrivals_s:
        if at_s is None:
            symbols.append(_MISSING)
            continue
        delta = round(at_s / _DELTA_S) - ticks
        ticks += delta
        if 0 <= delta <= 0xFF:
            symbols.append(_SMALL)
            deltas += bytes([delta])
        else:
            symbols.append(_LARGE)
            deltas += max(-0x8000, min(delta, 0x7FFF)).to_bytes(2, "big", signed=True)
    return symbols, deltas
