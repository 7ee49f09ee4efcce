"""DTLS and SCTP transports that stand what peers send and networks lose: aiortc's, by subclassing.

What is relied on beyond aiortc's public API is listed in `RELIED_ON`, and a test holds it against the installed
version."""

import contextlib
import logging
import struct
from collections.abc import Callable
from typing import Final

from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import Chunk, DataChunk, RTCSctpTransport
from OpenSSL import SSL

from server.media.egress import MediaEgress
from server.media.feedback import PICTURE_SHARE, SOUND_ON_WIRE_BPS
from server.media.send_estimate import SendEstimator
from server.media.twcc import FORMAT as TRANSPORT_WIDE
from server.media.twcc import RTPFB, Feedback, parse_feedback
from server.rtc.outlet import Outlet

_log = logging.getLogger(__name__)

RTO_INITIAL_S: Final = 0.5
RTO_MIN_S: Final = 0.15
"""aiortc waits a second at least before it sends a lost message again. A receiver that is asked to acknowledge at once
lets us measure the round trip itself, so much less will do."""
_RTO_MARGIN_S: Final = 0.05
_ACKNOWLEDGE_AT_ONCE: Final = 0x08
"""The I bit of a DATA chunk, RFC 7053."""

RELIED_ON: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (RTCDtlsTransport, ("_handle_rtcp_data", "_handle_rtp_data", "_send_rtp", "_state", "_tx_srtp")),
    (RTCSctpTransport, ("_rto", "_srtt", "_rttvar", "_update_rto", "_send_chunk")),
    (DataChunk, ("flags",)),
)
"""Classes of aiortc and the members beyond its documentation that this module uses."""


class PromptSctpTransport(RTCSctpTransport):
    """Sends a lost message again after a round trip and a little, not after a second."""

    def __init__(self, transport: RTCDtlsTransport, port: int = 5000) -> None:
        super().__init__(transport, port)
        self._rto = RTO_INITIAL_S

    def _update_rto(self, R: float) -> None:
        """RFC 9260 section 6.3.1 with another RTO.Min."""
        super()._update_rto(R)
        assert self._srtt is not None and self._rttvar is not None
        self._rto = max(RTO_MIN_S, self._srtt + max(_RTO_MARGIN_S, 4 * self._rttvar))

    async def _send_chunk(self, chunk: Chunk) -> None:
        if isinstance(chunk, DataChunk):
            chunk.flags |= _ACKNOWLEDGE_AT_ONCE
        # aiortc's own timers may still want to send when the viewer has just shut DTLS down
        with contextlib.suppress(ConnectionError, SSL.Error):
            await super()._send_chunk(chunk)


class GuardedDtlsTransport(RTCDtlsTransport):
    """Drops a packet that cannot be parsed instead of ending the connection, and reads transport-wide feedback.

    aiortc catches ValueError only; a header extension or report of a wrong length raises struct.error and others."""

    malformed_packets = 0
    on_feedback: Callable[[Feedback], None] | None = None
    _outlet: Outlet | None = None

    def outlet(self, egress: MediaEgress, *, feedback: bool) -> Outlet:
        """This transport's way out, made when the first stream begins; with `feedback` it estimates what the path
        carries."""
        if self._outlet is None:
            path_bps = egress.start_bitrate_bps / PICTURE_SHARE + SOUND_ON_WIRE_BPS
            estimator = SendEstimator(path_bps) if feedback else None
            self._outlet = Outlet(self, egress.clock, egress.wheel, path_bps, estimator)
        return self._outlet

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            rest = self._take_feedback(data)
            if rest:
                await super()._handle_rtcp_data(rest)
        except (ValueError, IndexError, KeyError, AssertionError, struct.error) as error:
            self._dropped("RTCP", error)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        try:
            await super()._handle_rtp_data(data, arrival_time_ms)
        except (ValueError, IndexError, KeyError, AssertionError, struct.error) as error:
            self._dropped("RTP", error)

    def _take_feedback(self, data: bytes) -> bytes:
        """Hand transport-wide feedback on and return what else the compound packet has: aiortc would read feedback as
        a list of lost packets."""
        rest = b""
        at = 0
        while at + 4 <= len(data):
            end = at + 4 * (1 + int.from_bytes(data[at + 2 : at + 4], "big"))
            if data[at + 1] == RTPFB and data[at] & 0x1F == TRANSPORT_WIDE:
                if self.on_feedback is not None:
                    self.on_feedback(parse_feedback(data[at + 4 : end]))
            else:
                rest += data[at:end]
            at = end
        return rest

    def _dropped(self, kind: str, error: Exception) -> None:
        self.malformed_packets += 1
        _log.debug("dropped a malformed %s packet: %r", kind, error)
