"""One viewer's outgoing RTP stream: headers around shared payloads, retransmission and sender reports. No I/O."""

import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

_HEADER: Final = struct.Struct("!BBHLL")
_EXTENSION: Final = struct.Struct("!HH")
_ONE_BYTE_PROFILE: Final = 0xBEDE
_SEQUENCE_MASK: Final = 0xFFFF
_WORD_MASK: Final = 0xFFFFFFFF
_HISTORY_PACKETS: Final = 256

PLAYOUT_DELAY_ZERO: Final = b"\x00\x00\x00"
"""Minimum and maximum playout delay of 0 ms, two 12-bit fields in units of 10 ms."""


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


@dataclass(frozen=True, slots=True)
class _Sent:
    sequence: int
    marker: int
    timestamp: int
    payload: bytes


class RtpStream:
    """Builds the packets of one stream. RTP time is `origin + pts`, so streams of one media clock stay comparable.

    Times: `now_s` is monotonic, `ntp` is a 64-bit NTP time stamp of the same instant."""

    def __init__(self, form: RtpFormat, *, sequence: int, origin: int) -> None:
        self.form = form
        self.packets = 0
        self.payload_bytes = 0
        self.retransmitted = 0
        self._sequence = sequence & _SEQUENCE_MASK
        self._rtx_sequence = (sequence * 7 + 1) & _SEQUENCE_MASK
        self._origin = origin
        self._history: OrderedDict[int, _Sent] = OrderedDict()
        self._budget = RetransmitBudget()
        self._reports_s: dict[int, float] = {}

    @property
    def origin(self) -> int:
        """RTP time of media time zero."""
        return self._origin

    def packetise(self, payloads: Sequence[bytes], pts: int, now_s: float, ntp: Callable[[], int]) -> Iterator[bytes]:
        """The packets of one picture or sound packet; the marker bit is on the last. `ntp` is asked for each, as the
        receiver measures the path by when each says it left."""
        timestamp = (self._origin + pts) & _WORD_MASK
        self._budget.sent(sum(map(len, payloads)), now_s)
        for index, payload in enumerate(payloads):
            sent = _Sent(self._sequence, int(index == len(payloads) - 1), timestamp, payload)
            self._sequence = (self._sequence + 1) & _SEQUENCE_MASK
            self._remember(sent)
            self.packets += 1
            self.payload_bytes += len(payload)
            form = self.form
            yield _packet(form.payload_type, sent.sequence, form.ssrc, sent, self._extensions(ntp()), payload)

    def retransmit(self, sequence: int, now_s: float, ntp: int) -> bytes | None:
        """A packet the viewer reports lost, in RTX form (RFC 4588 section 4), or None if it is too old, was sent again
        a moment ago, or the budget for repeats is used up."""
        sent = self._history.get(sequence)
        form = self.form
        if sent is None or form.rtx_payload_type is None or form.rtx_ssrc is None:
            return None
        if not self._budget.allows(sequence, len(sent.payload), now_s):
            return None
        payload = sequence.to_bytes(2, "big") + sent.payload
        rtx_sequence, self._rtx_sequence = self._rtx_sequence, (self._rtx_sequence + 1) & _SEQUENCE_MASK
        self.retransmitted += 1
        return _packet(form.rtx_payload_type, rtx_sequence, form.rtx_ssrc, sent, self._extensions(ntp), payload)

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

    def _remember(self, sent: _Sent) -> None:
        self._history[sent.sequence] = sent
        if len(self._history) > _HISTORY_PACKETS:
            self._history.popitem(last=False)

    def _extensions(self, ntp: int) -> bytes:
        """The header extension block, RFC 8285 section 4.2, or nothing."""
        form = self.form
        elements = b""
        if form.mid_id is not None:
            elements += bytes([form.mid_id << 4 | len(form.mid) - 1]) + form.mid.encode()
        if form.send_time_id is not None:
            elements += bytes([form.send_time_id << 4 | 2]) + (ntp >> 14 & 0xFFFFFF).to_bytes(3, "big")
        if form.playout_delay_id is not None:
            elements += bytes([form.playout_delay_id << 4 | 2]) + PLAYOUT_DELAY_ZERO
        if not elements:
            return b""
        elements += bytes(-len(elements) % 4)
        return _EXTENSION.pack(_ONE_BYTE_PROFILE, len(elements) // 4) + elements


@dataclass(slots=True)
class PathView:
    """What receiver reports say about one viewer's path."""

    _LOSS_STRAINED: ClassVar[float] = 0.02
    _QUEUE_STRAINED_S: ClassVar[float] = 0.03
    _QUEUE_LONG_S: ClassVar[float] = 0.1

    round_trip_s: float | None = None
    fraction_lost: float = 0.0
    _shortest_s: float = float("inf")

    def reported(self, fraction_lost: float, round_trip_s: float | None) -> None:
        """A receiver report came."""
        self.fraction_lost = fraction_lost
        if round_trip_s is not None:
            self.round_trip_s = round_trip_s
            self._shortest_s = min(self._shortest_s, round_trip_s)

    @property
    def strained(self) -> bool:
        """Whether packets are lost or wait in a queue; a path nothing is known of counts as strained."""
        if self.round_trip_s is None or self.fraction_lost > self._LOSS_STRAINED:
            return True
        return self.round_trip_s > 1.5 * self._shortest_s + self._QUEUE_STRAINED_S

    @property
    def queueing(self) -> bool:
        """Whether packets wait long in a queue."""
        return self.round_trip_s is not None and self.round_trip_s > 1.5 * self._shortest_s + self._QUEUE_LONG_S


class RetransmitBudget:
    """Lets repeats use a fifth of what is sent, and each packet be repeated once per 100 ms: without a bound, repeats
    fill a link that is already full."""

    _SHARE: Final = 0.2
    _BURST_BYTES: Final = 30_000
    _AGAIN_S: Final = 0.1

    def __init__(self) -> None:
        self._credit_bytes = float(self._BURST_BYTES)
        self._repeated_s: dict[int, float] = {}

    def sent(self, size_bytes: int, now_s: float) -> None:
        """New data left: credit for repeats grows with it."""
        self._credit_bytes = min(self._credit_bytes + self._SHARE * size_bytes, self._BURST_BYTES)
        if len(self._repeated_s) > _HISTORY_PACKETS:
            self._repeated_s = {key: at for key, at in self._repeated_s.items() if now_s - at < self._AGAIN_S}

    def allows(self, sequence: int, size_bytes: int, now_s: float) -> bool:
        """Whether this packet may be repeated now; if so, it is charged."""
        recently = now_s - self._repeated_s.get(sequence, float("-inf")) < self._AGAIN_S
        if recently or self._credit_bytes < size_bytes:
            return False
        self._credit_bytes -= size_bytes
        self._repeated_s[sequence] = now_s
        return True


def _packet(payload_type: int, sequence: int, ssrc: int, sent: _Sent, extension: bytes, payload: bytes) -> bytes:
    first = 0x90 if extension else 0x80
    header = _HEADER.pack(first, sent.marker << 7 | payload_type, sequence, sent.timestamp, ssrc)
    return header + extension + payload
