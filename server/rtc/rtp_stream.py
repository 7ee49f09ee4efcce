"""One viewer's outgoing RTP stream: numbers on shared payloads, retransmission and sender reports. No I/O, no clock."""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from server.rtc.rtp_header import PacketWriter, PlayoutDelay, RtpFormat

_SEQUENCE_MASK: Final = 0xFFFF
_WORD_MASK: Final = 0xFFFFFFFF
_HISTORY_UNITS: Final = 64
"""Pictures that can be repeated: 2.5 s of them, longer than any receiver waits."""
_CAPTURE_TIME_INTERVAL_S: Final = 1.0


class Unit(Protocol):
    """One encoded picture or sound packet, shared by all viewers."""

    @property
    def pts(self) -> int:
        """Media time in ticks of the stream's clock."""
        ...

    @property
    def keyframe(self) -> bool:
        """Whether nothing before it is needed."""
        ...

    @property
    def payloads(self) -> Sequence[bytes]:
        """RTP payloads in order."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A unit with the numbers this viewer knows it by. The unit is shared by all viewers."""

    unit: Unit
    first_sequence: int
    timestamp: int


class RtpStream:
    """Numbers and writes the packets of one stream. RTP time is `origin + pts`, so streams of one media clock stay
    comparable.

    `place` gives a unit its numbers, `write` puts one of its packets into the memory of the writer it returns. Times:
    `now_s` is monotonic media time, `ntp` the 64-bit NTP time of the same instant."""

    def __init__(self, form: RtpFormat, *, sequence: int, origin: int) -> None:
        self.form = form
        self.packets = 0
        self.payload_bytes = 0
        self.retransmitted = 0
        self._sequence = sequence & _SEQUENCE_MASK
        self._rtx_sequence = (sequence * 7 + 1) & _SEQUENCE_MASK
        self._origin = origin
        # two plain lists and no object per picture and viewer: the garbage collector looks at every one of those
        self._history: deque[Unit] = deque(maxlen=_HISTORY_UNITS)
        self._history_from: deque[int] = deque(maxlen=_HISTORY_UNITS)
        self._reports_s: dict[int, float] = {}
        self._plain = PacketWriter(form, form.payload_type, form.ssrc)
        self._captured = PacketWriter(form, form.payload_type, form.ssrc, captured=True)
        self._capture_due_s = float("-inf")
        self._repeats: PacketWriter | None = None
        if form.rtx_payload_type is not None and form.rtx_ssrc is not None:
            self._repeats = PacketWriter(form, form.rtx_payload_type, form.rtx_ssrc)

    @property
    def origin(self) -> int:
        """RTP time of media time zero."""
        return self._origin

    @property
    def writers(self) -> tuple[PacketWriter, ...]:
        """Everything that writes packets of this stream."""
        return tuple(filter(None, (self._plain, self._captured, self._repeats)))

    def playout(self, wish: PlayoutDelay) -> None:
        """Ask the receiver for another playout delay from now on."""
        for writer in self.writers:
            writer.playout(wish)

    def place(self, unit: Unit) -> Placed:
        """Give a unit's packets their numbers and remember it for repeats."""
        placed = Placed(unit, self._sequence, (self._origin + unit.pts) & _WORD_MASK)
        self._sequence = (self._sequence + len(unit.payloads)) & _SEQUENCE_MASK
        if unit.keyframe:
            # nothing before a keyframe is of use to anyone who gets it
            self._history.clear()
            self._history_from.clear()
        self._history.append(unit)
        self._history_from.append(placed.first_sequence)
        return placed

    def write(self, placed: Placed, index: int, now_s: float, ntp: int, number: int) -> tuple[PacketWriter, int]:
        """Write packet `index` of a unit; the marker bit is on the last. `number` is its transport-wide sequence
        number. Returns the writer that holds it and its size."""
        payloads = placed.unit.payloads
        payload = payloads[index]
        self.packets += 1
        self.payload_bytes += len(payload)
        writer = self._plain
        if index == 0 and self.form.capture_time_id is not None and now_s >= self._capture_due_s:
            self._capture_due_s = now_s + _CAPTURE_TIME_INTERVAL_S
            age_s = now_s - placed.unit.pts / self.form.clock_rate_hz
            writer = self._captured
            writer.captured(ntp - round(age_s * (1 << 32)))
        sequence = (placed.first_sequence + index) & _SEQUENCE_MASK
        marker = index == len(payloads) - 1
        return writer, writer.write(marker, sequence, placed.timestamp, payload, ntp, number)

    def find(self, sequence: int) -> tuple[Placed, int] | None:
        """The unit and packet index behind a sequence number, if it can still be repeated."""
        if self._repeats is None:
            return None
        for unit, first in zip(reversed(self._history), reversed(self._history_from), strict=True):
            index = (sequence - first) & _SEQUENCE_MASK
            if index < len(unit.payloads):
                return Placed(unit, first, (self._origin + unit.pts) & _WORD_MASK), index
        return None

    def write_repeat(self, placed: Placed, index: int, ntp: int, number: int) -> tuple[PacketWriter, int]:
        """Write a packet once more, in RTX form (RFC 4588 section 4); only what `find` found or with RTX negotiated."""
        writer = self._repeats
        assert writer is not None, "RTX was not negotiated"
        payloads = placed.unit.payloads
        sequence = (placed.first_sequence + index) & _SEQUENCE_MASK
        rtx_sequence, self._rtx_sequence = self._rtx_sequence, (self._rtx_sequence + 1) & _SEQUENCE_MASK
        self.retransmitted += 1
        payload = sequence.to_bytes(2, "big") + payloads[index]
        marker = index == len(payloads) - 1
        return writer, writer.write(marker, rtx_sequence, placed.timestamp, payload, ntp, number)

    @property
    def can_repeat(self) -> bool:
        """Whether RTX was negotiated."""
        return self._repeats is not None

    def sender_report(self, media_s: float, now_s: float, ntp: int) -> bytes:
        """Sender report and SDES (RFC 3550 sections 6.4.1 and 6.5). The pair of times is that of the media clock now,
        so neither rendering nor encoding time leaks into lip-sync."""
        timestamp = (self._origin + round(media_s * self.form.clock_rate_hz)) & _WORD_MASK
        ssrc = self.form.ssrc
        counts = (self.packets & _WORD_MASK, self.payload_bytes & _WORD_MASK)
        report = struct.pack("!BBHLQLLL", 0x80, 200, 6, ssrc, ntp, timestamp, *counts)
        self._reports_s = {key: at for key, at in self._reports_s.items() if now_s - at < 10.0}
        self._reports_s[ntp >> 16 & _WORD_MASK] = now_s
        return report + self._source_description()

    def round_trip_s(self, last_report: int, delay_units: int, now_s: float) -> float | None:
        """Round trip from a receiver report's LSR and DLSR fields (1/65536 s), if it names a report of ours."""
        sent_s = self._reports_s.get(last_report)
        return None if sent_s is None else max(0.0, now_s - sent_s - delay_units / 65536)

    def bye(self) -> bytes:
        """Goodbye, RFC 3550 section 6.6."""
        return struct.pack("!BBHL", 0x81, 203, 1, self.form.ssrc)

    def _source_description(self) -> bytes:
        name = self.form.cname.encode()[:255]
        chunk = struct.pack("!LBB", self.form.ssrc, 1, len(name)) + name
        chunk += bytes(4 - len(chunk) % 4)  # at least one zero ends the item list
        return struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk
