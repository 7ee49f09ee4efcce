"""One publisher: a camera or microphone that comes in over WebRTC, handed on as PCM and pictures."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdtlstransport import RTCDtlsTransport

from realtime.core.errors import Malformed
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import I420, Pcm
from server.rtc.adapter import GuardedDtlsTransport
from server.rtc.ice import IceOptions, substitute
from server.rtc.link import Link
from server.rtc.sdp_guard import PUBLISH, Offer, read_offer

_log = logging.getLogger(__name__)

SILENCE_TIMEOUT_S: Final = 15.0
_SIDE_MAX_PX: Final = 4096
_CREATE_TRANSPORT: Final = "_RTCPeerConnection__createDtlsTransport"
_CERTIFICATES: Final = "_RTCPeerConnection__certificates"
_TRANSPORTS: Final = "_RTCPeerConnection__dtlsTransports"
_UPDATE_STATE: Final = "_RTCPeerConnection__updateConnectionState"


class IngestSink(Protocol):
    """Takes what a publisher sends. Called on the event loop; must not block it."""

    def sound(self, pcm: Pcm, at_s: float) -> None:
        """Mono PCM at 48 kHz, any length; `at_s` is its time on the publisher's audio clock."""
        ...

    def picture(self, pixels: I420, at_s: float) -> None:
        """One I420 picture, shape (3/2 height, width), of the publisher's size; `at_s` on its video clock."""
        ...

    def ended(self) -> None:
        """Nothing more comes."""
        ...


@dataclass(slots=True)
class IngestFigures:
    """What came in so far."""

    sound_s: float = 0.0
    pictures: int = 0
    width: int = 0
    height: int = 0
    malformed: int = 0
    """Pictures or sounds that could not be used."""


class PublisherConnection(RTCPeerConnection):
    """A connection that shrugs off malformed packets and obeys `IceOptions`; see `server.rtc.adapter`."""

    def __init__(self, configuration: RTCConfiguration, ice: IceOptions) -> None:
        super().__init__(configuration)
        self._servers = configuration.iceServers or []
        self._ice_options = ice

    def _RTCPeerConnection__createDtlsTransport(self) -> RTCDtlsTransport:
        replaced: RTCDtlsTransport = getattr(super(), _CREATE_TRANSPORT)()
        ice = substitute(self, replaced.transport, self._servers, self._ice_options)
        guarded = GuardedDtlsTransport(ice, getattr(self, _CERTIFICATES))
        guarded.on("statechange", getattr(self, _UPDATE_STATE))
        replaced.remove_all_listeners()
        transports: set[RTCDtlsTransport] = getattr(self, _TRANSPORTS)
        transports.discard(replaced)
        transports.add(guarded)
        return guarded


class Publisher(Link):
    """Receives one audio and one video track. Without a sink everything is counted and let go."""

    def __init__(
        self,
        configuration: RTCConfiguration,
        ice: IceOptions,
        sink: Callable[[], IngestSink | None],
        on_closed: Callable[[str], None],
        *,
        join_timeout_s: float,
    ) -> None:
        connection = PublisherConnection(configuration, ice)
        super().__init__(
            connection, on_closed, join_timeout_s=join_timeout_s, silence_timeout_s=SILENCE_TIMEOUT_S
        )
        connection.on("track", self._track_arrived)
        self.figures = IngestFigures()
        self._sink = sink
        self._readers: list[asyncio.Task[None]] = []

    def _read(self, sdp: str, kind: str) -> Offer:
        return read_offer(sdp, kind, PUBLISH)

    async def _negotiate(self, offer: Offer) -> str:
        connection = self._connection
        try:
            await connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
            for transceiver in connection.getTransceivers():
                transceiver.direction = "recvonly"
            await connection.setLocalDescription(await connection.createAnswer())
        except Exception as error:  # aiortc raises whatever its parser and state meet; none of it is our failure
            _log.info("an offer was refused: %r", error)
            raise Malformed(f"the offer cannot be applied: {type(error).__name__}", field="sdp") from error
        return str(connection.localDescription.sdp)

    async def _release(self, told: str) -> None:
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        sink = self._sink()
        if sink is not None and self._readers:
            sink.ended()

    def _track_arrived(self, track: MediaStreamTrack) -> None:
        self._readers.append(asyncio.create_task(self._take(track), name=f"publisher-{track.kind}"))

    async def _take(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            self.heard()
            try:
                self._hand_on(frame)
            except Exception:  # the sink's fault or an odd frame; neither may end what else comes in
                self.figures.malformed += 1
                _log.exception("what a publisher sent could not be used")

    def _hand_on(self, frame: av.AudioFrame | av.VideoFrame) -> None:
        sink, figures = self._sink(), self.figures
        at_s = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base is not None else 0.0
        if isinstance(frame, av.AudioFrame):
            figures.sound_s += frame.samples / frame.sample_rate
            if sink is not None:
                sink.sound(mono(frame), at_s)
            return
        figures.pictures += 1
        figures.width, figures.height = frame.width, frame.height
        if max(frame.width, frame.height) > _SIDE_MAX_PX:
            raise ValueError(f"a picture of {frame.width} x {frame.height}")
        if sink is not None:
            sink.picture(np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8), at_s)


def mono(frame: av.AudioFrame) -> Pcm:
    """A decoded frame of interleaved 16-bit samples at 48 kHz as mono. Raises `ValueError` for another form."""
    if frame.sample_rate != AUDIO_RATE_HZ or frame.format.name != "s16":
        raise ValueError(f"sound of {frame.sample_rate} Hz, {frame.format.name}")
    channels = frame.layout.nb_channels
    samples = frame.to_ndarray().reshape(-1, channels)  # (samples, channels)
    return np.asarray(samples.mean(axis=1) if channels > 1 else samples[:, 0], np.int16)
