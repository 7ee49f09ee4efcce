"""The values an output takes: one encoded picture, and one tick of sound as Opus or PCM."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from realtime.core.values import Pcm

_STAP_A: Final = 24
_FU_A: Final = 28
_SPS: Final = 7
_PPS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One H.264 access unit; `pts` counts 90 kHz ticks since the output's first picture."""

    pts: int
    keyframe: bool
    units: tuple[bytes, ...]
    """Its NAL units, without start codes."""

    @property
    def annex_b(self) -> bytes:
        """As a byte stream, H.264 Annex B."""
        return b"".join(b"\x00\x00\x00\x01" + unit for unit in self.units)

    @property
    def size_bytes(self) -> int:
        """What it weighs without start codes."""
        return sum(map(len, self.units))


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """20 ms of sound; `pts` counts samples at 48 kHz since the output's first picture, and may be a little negative."""

    pts: int
    opus: bytes = b""
    pcm: Pcm | None = None


Sample = Picture | Sound


def units_of(payloads: Sequence[bytes]) -> tuple[bytes, ...]:
    """The NAL units that RTP payloads of one picture carry, RFC 6184 section 5: what `h264_payloads` cut, put together
    again. Raises `ValueError` for a payload of another kind."""
    return tuple(_units(payloads))


def parameter_sets(units: Sequence[bytes]) -> tuple[bytes, bytes]:
    """SPS and PPS of a keyframe. Raises `ValueError` where there are none."""
    found = {unit[0] & 0x1F: unit for unit in units if unit[0] & 0x1F in (_SPS, _PPS)}
    if len(found) < 2:
        raise ValueError("the keyframe has no parameter sets")
    return found[_SPS], found[_PPS]


def _units(payloads: Sequence[bytes]) -> Iterator[bytes]:
    fragments = bytearray()
    for payload in payloads:
        kind = payload[0] & 0x1F
        if 0 < kind < _STAP_A:
            yield payload
        elif kind == _STAP_A:
            at = 1
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                yield payload[at + 2 : at + 2 + size]
                at += 2 + size
        elif kind == _FU_A:
            if payload[1] & 0x80:
                fragments = bytearray([(payload[0] & 0xE0) | (payload[1] & 0x1F)])
            fragments += payload[2:]
            if payload[1] & 0x40:
                yield bytes(fragments)
        else:
            raise ValueError(f"an RTP payload of type {kind}")
