"""RTP packets written in place: a template per stream in which only what changes from packet to packet is written."""

import struct
from dataclasses import dataclass
from typing import Final

_HEADER: Final = struct.Struct("!BBHLL")
_CHANGING: Final = struct.Struct("!BHL")
_EXTENSION: Final = struct.Struct("!HH")
_WORD: Final = struct.Struct("!H")
_NTP: Final = struct.Struct("!Q")
_ONE_BYTE_PROFILE: Final = 0xBEDE
_PLAYOUT_UNIT_S: Final = 0.010

MID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
SEND_TIME_URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
PLAYOUT_DELAY_URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
CAPTURE_TIME_URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
TRANSPORT_SEQUENCE_URI: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

PACKET_MAX_BYTES: Final = 1500
"""Room for a packet and the SRTP tag behind it."""


@dataclass(frozen=True, slots=True)
class RtpFormat:
    """What was negotiated for one stream. Extension ids are None where the viewer did not offer the extension."""

    payload_type: int
    clock_rate_hz: int
    ssrc: int
    mid: str
    cname: str
    rtx_payload_type: int | None = None
    rtx_ssrc: int | None = None
    mid_id: int | None = None
    send_time_id: int | None = None
    playout_delay_id: int | None = None
    transport_sequence_id: int | None = None
    capture_time_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlayoutDelay:
    """How long a receiver may hold a picture back, seconds (the playout-delay header extension)."""

    least_s: float
    most_s: float

    def pack(self) -> bytes:
        """Two 12-bit fields in units of 10 ms."""
        least, most = round(self.least_s / _PLAYOUT_UNIT_S), round(self.most_s / _PLAYOUT_UNIT_S)
        return (least << 12 | most).to_bytes(3, "big")


PROMPT: Final = PlayoutDelay(0.0, 0.0)
"""Show each picture when it is there."""
SMOOTH: Final = PlayoutDelay(0.0, 0.4)
"""Let the receiver's own jitter buffer decide, up to 400 ms."""


class PacketWriter:
    """Writes the packets of one SSRC and payload type into one piece of memory, each over the one before.

    The memory never moves: SRTP encrypts it in place, and the header is readable again for the next packet, for SRTP
    leaves headers as they are (RFC 3711 section 3.1)."""

    def __init__(self, form: RtpFormat, payload_type: int, ssrc: int, *, captured: bool = False) -> None:
        self.memory = bytearray(PACKET_MAX_BYTES)
        self._payload_type = payload_type
        self._send_time_at = self._sequence_at = self._playout_at = self._capture_at = 0
        elements = bytearray()
        begin = _HEADER.size + _EXTENSION.size

        def element(id_: int | None, value: bytes) -> int:
            """RFC 8285 section 4.2; where the value lies in the packet, 0 if it does not."""
            if id_ is None:
                return 0
            elements.append(id_ << 4 | len(value) - 1)
            elements.extend(value)
            return begin + len(elements) - len(value)

        self._send_time_at = element(form.send_time_id, bytes(3))
        self._sequence_at = element(form.transport_sequence_id, bytes(2))
        self._playout_at = element(form.playout_delay_id, PROMPT.pack())
        element(form.mid_id, form.mid.encode())
        if captured:
            self._capture_at = element(form.capture_time_id, bytes(8))
        elements.extend(bytes(-len(elements) % 4))
        header = _HEADER.pack(0x90 if elements else 0x80, 0, 0, 0, ssrc)
        if elements:
            header += _EXTENSION.pack(_ONE_BYTE_PROFILE, len(elements) // 4) + elements
        self.memory[: len(header)] = header
        self._payload_at = len(header)

    def playout(self, wish: PlayoutDelay) -> None:
        """Ask the receiver for another playout delay from now on."""
        if self._playout_at:
            self.memory[self._playout_at : self._playout_at + 3] = wish.pack()

    def write(
        self, marker: bool, sequence: int, timestamp: int, payload: bytes, ntp: int, transport_sequence: int
    ) -> int:
        """Write one packet; its size. `ntp` is the 64-bit NTP time at which it leaves."""
        memory = self.memory
        _CHANGING.pack_into(memory, 1, marker << 7 | self._payload_type, sequence, timestamp)
        if at := self._send_time_at:
            memory[at : at + 3] = (ntp >> 14 & 0xFFFFFF).to_bytes(3, "big")
        if at := self._sequence_at:
            _WORD.pack_into(memory, at, transport_sequence)
        begin = self._payload_at
        end = begin + len(payload)
        memory[begin:end] = payload
        return end

    def captured(self, ntp: int) -> None:
        """When the coming packet's content was captured, 64-bit NTP time (the abs-capture-time header extension)."""
        if self._capture_at:
            _NTP.pack_into(self.memory, self._capture_at, ntp)
