"""RTP payload format of VP9 (RFC 9628): one spatial and one temporal layer, in non-flexible mode."""

from typing import Final

from server.media.payloads import PAYLOAD_MAX_BYTES, PICTURE_ID_MODULUS

_PICTURE_ID: Final = 0x80
_PREDICTED: Final = 0x40
_LAYERS: Final = 0x20
_BEGINS: Final = 0x08
_ENDS: Final = 0x04
_STRUCTURE: Final = 0x02
_NO_LAYER_ABOVE: Final = 0x01
_LONG_ID: Final = 0x8000
_ONLY_LAYER: Final = 0x00
"""Temporal and spatial layer 0, no switching point, not predicted from another layer."""
_SIZE_AND_GROUP: Final = 0x18
"""One spatial layer, whose size follows, and a group of pictures after that."""
_EACH_FROM_THE_ONE_BEFORE: Final = bytes([1, 0x04, 1])
"""A group of one picture, of temporal layer 0, with one reference: the picture before."""


def vp9_payloads(
    frame: bytes, picture_id: int, key_size: tuple[int, int] | None, limit_bytes: int = PAYLOAD_MAX_BYTES
) -> tuple[bytes, ...]:
    """One VP9 frame as RTP payloads with a 15-bit picture id, RFC 9628 section 4.2.

    `key_size` is the width and height of a keyframe, None for a frame that needs the one before it."""
    flags = _PICTURE_ID | _LAYERS | _NO_LAYER_ABOVE | (_PREDICTED if key_size is None else 0)
    picture_id %= PICTURE_ID_MODULUS
    # every picture is of the base layer, so TL0PICIDX counts what the picture id counts
    common = (_LONG_ID | picture_id).to_bytes(2, "big") + bytes([_ONLY_LAYER, picture_id & 0xFF])
    structure = b"" if key_size is None else _structure(*key_size)
    payloads: list[bytes] = []
    at = 0
    while at < len(frame):
        first = at == 0
        head = common + structure if first else common
        end = at + limit_bytes - 1 - len(head)
        bits = flags | (_BEGINS if first else 0) | (_ENDS if end >= len(frame) else 0)
        if first and structure:
            bits |= _STRUCTURE
        payloads.append(bytes([bits]) + head + frame[at:end])
        at = end
    return tuple(payloads)


def _structure(width: int, height: int) -> bytes:
    """The scalability structure, RFC 9628 section 4.2.1."""
    size = width.to_bytes(2, "big") + height.to_bytes(2, "big")
    return bytes([_SIZE_AND_GROUP]) + size + _EACH_FROM_THE_ONE_BEFORE
