"""RTP payload format of AV1 (AOM's RTP Payload Format For AV1, version 1.0): one temporal unit into OBU elements."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from server.media.payloads import PAYLOAD_MAX_BYTES

_TYPE_SHIFT: Final = 3
_TYPE_MASK: Final = 0x0F
_EXTENDED: Final = 0x04
_HAS_SIZE: Final = 0x02
_LEFT_OUT: Final = frozenset({2, 8, 15})
"""Temporal delimiters, tile lists and padding are not sent, section 5."""
_ELEMENTS_MAX: Final = 3
"""So many can be counted in the aggregation header; the last of them then goes without its length."""
_CONTINUES: Final = 0x80
_CONTINUED: Final = 0x40
_COUNT_SHIFT: Final = 4
_NEW_SEQUENCE: Final = 0x08


def obu_elements(unit: bytes) -> Iterator[bytes]:
    """The OBUs of a temporal unit in the low-overhead format (AV1 specification section 5.2) that are sent, without
    their size fields. Raises `ValueError` for a unit that is cut off."""
    at = 0
    while at < len(unit):
        header = unit[at]
        head_bytes = 2 if header & _EXTENDED else 1
        begin, size = at + head_bytes, len(unit) - at - head_bytes
        if header & _HAS_SIZE:
            size, begin = _read_leb128(unit, begin)
        if size < 0 or begin + size > len(unit):
            raise ValueError(f"an OBU of {size} bytes does not fit into the {len(unit) - begin} that are left")
        if header >> _TYPE_SHIFT & _TYPE_MASK not in _LEFT_OUT:
            yield bytes([header & ~_HAS_SIZE]) + unit[at + 1 : at + head_bytes] + unit[begin : begin + size]
        at = begin + size


def av1_payloads(unit: bytes, *, new_sequence: bool, limit_bytes: int = PAYLOAD_MAX_BYTES) -> tuple[bytes, ...]:
    """One temporal unit as RTP payloads, section 4. `new_sequence`: it begins a coded video sequence, as keyframes do.
    Raises `ValueError` as `obu_elements` does."""
    packets = [_Packet()]
    for element in obu_elements(unit):
        rest = element
        while rest:
            packet = packets[-1]
            room_bytes = packet.room_bytes(limit_bytes)
            if room_bytes <= 0:
                packets.append(_Packet())
                continue
            packet.parts.append(rest[:room_bytes])
            rest = rest[room_bytes:]
            if rest:
                packet.flags |= _CONTINUED
                packets.append(_Packet(_CONTINUES))
    if not packets[0].parts:
        return ()
    if new_sequence:
        packets[0].flags |= _NEW_SEQUENCE
    return tuple(packet.payload() for packet in packets)


@dataclass(slots=True)
class _Packet:
    """OBU elements of one packet, whole ones and parts."""

    flags: int = 0
    parts: list[bytes] = field(default_factory=list)

    def room_bytes(self, limit_bytes: int) -> int:
        """What another element may have, once the one before it is given its length."""
        if len(self.parts) == _ELEMENTS_MAX:
            return 0
        return limit_bytes - 1 - sum(len(_leb128(len(part))) + len(part) for part in self.parts)

    def payload(self) -> bytes:
        """Aggregation header and elements."""
        *before, last = self.parts
        header = self.flags | len(self.parts) << _COUNT_SHIFT
        return bytes([header]) + b"".join(_leb128(len(part)) + part for part in before) + last


def _leb128(value: int) -> bytes:
    """AV1 specification section 4.10.5, in as few bytes as can be."""
    coded = bytearray()
    while value > 0x7F:
        coded.append(value & 0x7F | 0x80)
        value >>= 7
    coded.append(value)
    return bytes(coded)


def _read_leb128(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = 0
    for index in range(8):
        if at + index >= len(data):
            break
        byte = data[at + index]
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value, at + index + 1
    raise ValueError("a length has no end")
