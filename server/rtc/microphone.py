"""A viewer's microphone: Opus packets of the audio m-line in, without aiortc's decoding thread and jitter buffer.

aiortc decodes each receiver's sound on a thread of its own and holds it back for four packets; both cost every viewer
that might speak. Speech detection needs no even playout: packets are handed on as they come, the missing ones marked,
and decoded on the one hearing thread. A viewer that sends nothing costs nothing but this object."""

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

import av
import numpy as np
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import AnyRtcpPacket, RtpPacket

from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm
from server.limits import Rate, TokenBucket

_log = logging.getLogger(__name__)

PACKETS_PER_S: Final = 100.0
"""Opus packets carry 20 ms in browsers, 10 ms at the least that is sensible."""
_BURST: Final = 50.0
PAYLOAD_MAX_BYTES: Final = 1500
_FILLED_MAX: Final = 10
"""Lost packets that are filled in with silence; after a longer gap time simply has passed."""
_SEQUENCE: Final = 1 << 16

RELIED_ON: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (RTCRtpReceiver, ("_handle_rtp_packet", "_handle_rtcp_packet", "_handle_disconnect", "receive", "stop")),
    (RTCDtlsTransport, ("_register_rtp_receiver", "_unregister_rtp_receiver")),
)
"""Classes of aiortc and the members beyond its documentation that this module uses."""


class SoundTaker(Protocol):
    """Takes a microphone's packets, in order; `realtime.listener.Listener` is one."""

    def packet(self, payload: bytes) -> None:
        """One Opus packet; empty for one that was lost."""
        ...


class MicrophoneReceiver(RTCRtpReceiver):
    """An audio receiver that hands packets on. `open_taker` is called when the first one comes, and may refuse."""

    def __init__(
        self,
        transport: RTCDtlsTransport,
        open_taker: Callable[[], SoundTaker | None],
        heard: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        super().__init__("audio", transport)
        self.packets = 0
        self.lost = 0
        self.refused = 0
        """Packets over a limit, out of order, of another kind, or with nobody to take them."""
        self._open_taker = open_taker
        self._heard = heard
        self._clock = clock
        self._bucket = TokenBucket(Rate(PACKETS_PER_S, _BURST), clock())
        self._taker: SoundTaker | None = None
        self._opened = False
        self._registered = False
        self._payload_types: frozenset[int] = frozenset()
        self._next: int | None = None

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Begin; aiortc calls this once DTLS is connected."""
        if self._registered:
            return
        self._registered = True
        opus = (codec.payloadType for codec in parameters.codecs if codec.name.lower() == "opus")
        self._payload_types = frozenset(kind for kind in opus if kind is not None)
        self.transport._register_rtp_receiver(self, parameters)

    async def stop(self) -> None:
        """End for good."""
        if self._registered:
            self.transport._unregister_rtp_receiver(self)
        self._taker = None

    def _handle_disconnect(self) -> None:
        self._taker = None

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        self._heard()

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        self._heard()
        payload = packet.payload
        usable = packet.payload_type in self._payload_types and 0 < len(payload) <= PAYLOAD_MAX_BYTES
        if not usable or self._bucket.take(self._clock()):
            self.refused += 1
            return
        if not self._opened:
            self._opened = True
            self._taker = self._open_taker()
        if self._taker is None or not self._in_order(packet.sequence_number):
            self.refused += 1
            return
        self.packets += 1
        self._taker.packet(payload)

    def _in_order(self, sequence: int) -> bool:
        """Whether this packet comes after the last one; marks those between them as lost."""
        ahead = 0 if self._next is None else (sequence - self._next) % _SEQUENCE
        if ahead >= _SEQUENCE // 2:
            return False
        self._next = (sequence + 1) % _SEQUENCE
        self.lost += ahead
        if self._taker is not None:
            for _ in range(ahead if ahead <= _FILLED_MAX else 0):
                self._taker.packet(b"")
        return True


class OpusDecoder:
    """Opus packets to mono PCM at 48 kHz; made and used on the hearing thread."""

    def __init__(self) -> None:
        self._codec: Any = av.CodecContext.create("libopus", "r")
        self._codec.format = "s16"
        self._codec.layout = "mono"
        self._codec.sample_rate = AUDIO_RATE_HZ

    def __call__(self, payload: bytes) -> Pcm:
        """A packet's sound; silence for one that was lost or cannot be decoded."""
        if not payload:
            return np.zeros(AUDIO_TICK_SAMPLES, np.int16)
        try:
            frames = self._codec.decode(av.Packet(payload))
        except av.FFmpegError as error:
            _log.debug("an Opus packet cannot be decoded: %s", error)
            frames = []
        pieces = [np.asarray(frame.to_ndarray(), np.int16).reshape(-1) for frame in frames]
        return np.concatenate(pieces) if pieces else np.zeros(AUDIO_TICK_SAMPLES, np.int16)
