"""RTP payload formats: H.264 (RFC 6184, packetisation mode 1) and VP8 (RFC 7741)."""

from collections.abc import Iterator
from typing import Final

PAYLOAD_MAX_BYTES: Final = 1180
"""Room for RTP header, extensions, SRTP tag, UDP, IPv6 and a TURN channel header inside a 1280-byte MTU, RFC 8200
section 5."""

_START_CODE: Final = b"\x00\x00\x01"
_FU_A: Final = 28
_STAP_A: Final = 24
_NRI_MASK: Final = 0x60
_TYPE_MASK: Final = 0x1F
PICTURE_ID_MODULUS: Final = 1 << 15


def nal_units(stream: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex B byte stream, without start codes (H.264 Annex B.1)."""
    begin = stream.find(_START_CODE)
    while begin >= 0:
        begin += len(_START_CODE)
        following = stream.find(_START_CODE, begin)
        end = len(stream) if following < 0 else following
        # A four-byte start code and trailing_zero_8bits leave zeros that belong to no NAL unit.
        unit = stream[begin:end].rstrip(b"\x00")
        if unit:
            yield unit
        begin = following


def h264_payloads(stream: bytes, limit_bytes: int = PAYLOAD_MAX_BYTES) -> tuple[bytes, ...]:
    """One access unit in Annex B form as RTP payloads: small units share a STAP-A, large ones become FU-As."""
    payloads: list[bytes] = []
    small: list[bytes] = []
    small_bytes = 1

    def flush() -> None:
        nonlocal small_bytes
        if len(small) == 1:
            payloads.append(small[0])
        elif small:
            payloads.append(_stap_a(small))
        small.clear()
        small_bytes = 1

    for unit in nal_units(stream):
        if small_bytes + 2 + len(unit) > limit_bytes:
            flush()
        if len(unit) > limit_bytes:
            payloads.extend(_fu_a(unit, limit_bytes))
        else:
            small.append(unit)
            small_bytes += 2 + len(unit)
    flush()
    return tuple(payloads)


def _stap_a(units: list[bytes]) -> bytes:
    """RFC 6184 section 5.7.1: the NRI is the highest of the aggregated units."""
    header = _STAP_A | max(unit[0] & _NRI_MASK for unit in units)
    return bytes([header]) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def _fu_a(unit: bytes, limit_bytes: int) -> Iterator[bytes]:
    """RFC 6184 section 5.8: fragments of equal size, the last of what is left: equal ones can leave in one call."""
    body = memoryview(unit)[1:]
    room = limit_bytes - 2
    count = -(-len(body) // room)
    indicator = (unit[0] & _NRI_MASK) | _FU_A
    kind = unit[0] & _TYPE_MASK
    step = -(-len(body) // count)
    for index in range(count):
        begin, end = index * step, (index + 1) * step
        start_bit = 0x80 if index == 0 else 0
        end_bit = 0x40 if index == count - 1 else 0
        yield bytes([indicator, start_bit | end_bit | kind]) + body[begin:end]


def vp8_payloads(frame: bytes, picture_id: int, limit_bytes: int = PAYLOAD_MAX_BYTES) -> tuple[bytes, ...]:
    """One VP8 frame as RTP payloads with a 15-bit picture id, RFC 7741 section 4.2."""
    extension = bytes([0x80]) + (0x8000 | picture_id % PICTURE_ID_MODULUS).to_bytes(2, "big")
    room = limit_bytes - 1 - len(extension)
    first, following = bytes([0x90]) + extension, bytes([0x80]) + extension
    return tuple(
        (first if begin == 0 else following) + frame[begin : begin + room] for begin in range(0, len(frame), room)
    )
