"""Puts pictures together again that aiortc cannot: VP9 (RFC 9628) and AV1 (AOM's RTP Payload Format For AV1, 1.0)."""

from collections.abc import Iterator, Sequence
from typing import Final

_TEMPORAL_DELIMITER: Final = bytes([0x12, 0x00])
_HAS_SIZE: Final = 0x02
_EXTENDED: Final = 0x04
_BEGINS: Final = 0x08
_ENDS: Final = 0x04


def vp9_depayload(payload: bytes) -> bytes:
    """What a payload holds behind its descriptor, RFC 9628 section 4.2. Raises `ValueError` where it is cut off."""
    try:
        return payload[_vp9_descriptor_bytes(payload) :]
    except IndexError:
        raise ValueError("a VP9 descriptor is cut off") from None


def vp9_frame(payloads: Sequence[bytes]) -> bytes:
    """The frame whose packets these are, all and in order. Raises `ValueError` where its begin or end is missing."""
    if not payloads or not payloads[0] or not payloads[-1]:
        raise ValueError("a VP9 payload is empty")
    if not payloads[0][0] & _BEGINS or not payloads[-1][0] & _ENDS:
        raise ValueError("a part of a VP9 frame is missing")
    return b"".join(map(vp9_depayload, payloads))


def av1_unit(payloads: Sequence[bytes]) -> bytes:
    """The temporal unit whose packets these are, all and in order, in the low-overhead format that decoders take.
    Raises `ValueError` for payloads that do not fit together."""
    unit = bytearray(_TEMPORAL_DELIMITER)
    begun = bytearray()
    for payload in payloads:
        if not payload:
            raise ValueError("an AV1 payload is empty")
        continues, continued = payload[0] & 0x80, payload[0] & 0x40
        if bool(continues) != bool(begun):
            raise ValueError("a part of an AV1 OBU is missing")
        elements = list(_av1_elements(payload))
        for index, element in enumerate(elements):
            begun += element
            if index < len(elements) - 1 or not continued:
                unit += _with_size(bytes(begun))
                begun.clear()
    if begun:
        raise ValueError("the last AV1 OBU is cut off")
    return bytes(unit)


def _vp9_descriptor_bytes(payload: bytes) -> int:
    flags = payload[0]
    flexible = flags & 0x10
    at = 1
    if flags & 0x80:
        at += 2 if payload[at] & 0x80 else 1
    if flags & 0x20:
        at += 1 if flexible else 2
    if flags & 0x40 and flexible:
        # up to three references, each saying whether another follows
        while payload[at] & 0x01:
            at += 1
        at += 1
    if flags & 0x02:
        at = _vp9_structure_end(payload, at)
    if at > len(payload):
        raise IndexError
    return at


def _vp9_structure_end(payload: bytes, at: int) -> int:
    """Where the scalability structure ends, RFC 9628 section 4.2.1."""
    layers = payload[at]
    sized, grouped = layers & 0x10, layers & 0x08
    at += 1
    if sized:
        at += 4 * ((layers >> 5) + 1)
    if grouped:
        pictures = payload[at]
        at += 1
        for _ in range(pictures):
            at += 1 + (payload[at] >> 2 & 0x03)
    return at


def _av1_elements(payload: bytes) -> Iterator[bytes]:
    """The OBU elements of one packet: all have their length in front, except the last one where they are counted."""
    count = payload[0] >> 4 & 0x03
    at, index = 1, 0
    while at < len(payload):
        index += 1
        size = len(payload) - at
        if count == 0 or index < count:
            size, at = _leb128(payload, at)
        if at + size > len(payload):
            raise ValueError("an AV1 OBU element is cut off")
        yield payload[at : at + size]
        at += size
    if count and index != count:
        raise ValueError("an AV1 packet has fewer elements than it says")


def _with_size(obu: bytes) -> bytes:
    """An OBU with its size field, AV1 specification section 5.3."""
    if not obu:
        raise ValueError("an AV1 OBU is empty")
    if obu[0] & _HAS_SIZE:
        return obu
    head_bytes = 2 if obu[0] & _EXTENDED else 1
    size = len(obu) - head_bytes
    coded = bytearray()
    while size > 0x7F:
        coded.append(size & 0x7F | 0x80)
        size >>= 7
    coded.append(size)
    return bytes([obu[0] | _HAS_SIZE]) + obu[1:head_bytes] + bytes(coded) + obu[head_bytes:]


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = 0
    for index, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value, at + index + 1
    raise ValueError("an AV1 length has no end")
