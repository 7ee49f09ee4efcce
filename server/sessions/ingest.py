"""What comes into a session by WHIP: one publisher at a time, and whoever consumes its sound and pictures."""

from typing import Any

from aiortc import RTCConfiguration

from realtime.core.errors import Conflict
from server.rtc.peer import PeerOptions
from server.rtc.publisher import IngestFigures, IngestSink, Publisher
from server.rtc.resources import Resources
from server.rtc.sdp_guard import PUBLISH
from server.rtc.signalling import OfferBook


class Ingest:
    """A session's incoming side. Without a `sink`, what comes in is counted and discarded, and `state` says so."""

    def __init__(self, options: PeerOptions, sink: IngestSink | None = None) -> None:
        self.sink = sink
        self._options = options
        self._publisher: Publisher | None = None
        self._last = IngestFigures()
        # one more than may be: what is answered to another one is a Conflict, and an earlier one may still be closing
        self.resources = Resources(OfferBook(self._accept, max_viewers=2), PUBLISH)

    def state(self) -> dict[str, Any]:
        """What an operator sees."""
        figures = self._publisher.figures if self._publisher is not None else self._last
        return {
            "connected": self._publisher is not None and self._publisher.state == "connected",
            "consumed": self.sink is not None,
            "sound_s": round(figures.sound_s, 2),
            "pictures": figures.pictures,
            "width": figures.width,
            "height": figures.height,
            "malformed": figures.malformed,
        }

    async def aclose(self, reason: str) -> None:
        """End the publisher's connection."""
        if self._publisher is not None:
            await self._publisher.close(reason)

    def _accept(self) -> Publisher:
        if self._publisher is not None:
            raise Conflict("somebody publishes to this session already", field="session", limit="one publisher")
        options = self._options

        def left(reason: str) -> None:
            if self._publisher is publisher:
                self._last, self._publisher = publisher.figures, None

        publisher = self._publisher = Publisher(
            RTCConfiguration(iceServers=[*options.ice_servers, *options.relays()]),
            options.ice,
            lambda: self.sink,
            left,
            join_timeout_s=options.join_timeout_s,
        )
        return publisher
