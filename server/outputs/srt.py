"""Publishes by SRT: MPEG-TS with H.264 as the viewers get it and AAC of its own, sent from a thread."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import av

from server.outputs.feed import Feed
from server.outputs.libsrt import MESSAGE_BYTES, SrtError, SrtSocket
from server.outputs.muxer import Muxer
from server.outputs.samples import Sample
from server.outputs.sink import SinkFailed
from server.outputs.targets import Target

_TIMEOUT_S: Final = 8.0
_LATENCY_MS: Final = 200
_FINISH_S: Final = 2.0
"""How long the end waits for what was sent to be confirmed."""
_GOODBYE_S: Final = 0.25
_POLL_S: Final = 0.02
_UNIT_BYTES: Final = 188


class SrtSink:
    """One attempt after the other to publish one stream."""

    def __init__(self, target: Target, size: tuple[int, int], fps: int) -> None:
        self._target = target
        self._size = size
        self._fps = fps
        self._sent_bytes = 0

    def figures(self) -> dict[str, object]:
        """What went out."""
        return {"sent_bytes": self._sent_bytes}

    async def run(self, feed: Feed, live: Callable[[], None]) -> None:
        """See `Sink.run`."""
        address = await self._target.address()
        thread = ThreadPoolExecutor(1, "srt")
        loop = asyncio.get_running_loop()
        sender: _Sender | None = None
        try:
            sender = await loop.run_in_executor(thread, self._connect, address)
            live()
            feed.begin()
            while samples := await feed.take():
                await loop.run_in_executor(thread, sender.write, samples)
            await loop.run_in_executor(thread, sender.finish)
        except (SrtError, av.FFmpegError, ValueError) as error:
            # the library's reasons are fixed texts, FFmpeg's may name a file
            reason = str(error) if isinstance(error, SrtError) else type(error).__name__
            raise SinkFailed(f"the connection failed: {reason}") from error
        finally:
            feed.pause()
            if sender is not None:
                self._sent_bytes += sender.sent_bytes
                thread.submit(sender.close)
            thread.shutdown(wait=False)

    def _connect(self, address: str) -> "_Sender":
        options = {"latency": str(_LATENCY_MS)} | self._target.srt_options
        latency_s = int(options["latency"]) / 1000
        connection = SrtSocket(options, _TIMEOUT_S)
        try:
            connection.connect(address, self._target.port)
        except BaseException:
            connection.close()
            raise
        return _Sender(connection, self._size, self._fps, latency_s)


class _Collector:
    """Where the muxer writes to. No error passes through FFmpeg, so nothing is sent from here."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        """Keep what comes."""
        self.data += data
        return len(data)


class _Sender:
    """Muxes, and sends in messages of the right size."""

    def __init__(self, connection: SrtSocket, size: tuple[int, int], fps: int, latency_s: float) -> None:
        self.sent_bytes = 0
        self._latency_s = latency_s
        self._connection = connection
        self._muxed = _Collector()
        self._muxer = Muxer(self._muxed, "mpegts", {}, size, fps, aac=True)

    def write(self, samples: list[Sample]) -> None:
        """Mux and send."""
        self._muxer.write(samples)
        self._send(MESSAGE_BYTES)

    def finish(self) -> None:
        """Send what is left and wait until it was confirmed."""
        self._muxer.close()
        self._send(_UNIT_BYTES)
        until_s = time.monotonic() + _FINISH_S
        while self._connection.unacknowledged_bytes and time.monotonic() < until_s:
            time.sleep(_POLL_S)
        # a receiver gives nothing out before the latency has passed, and after a goodbye nothing at all
        time.sleep(self._latency_s + _GOODBYE_S)

    def close(self) -> None:
        """Leave."""
        self._connection.close()

    def _send(self, least_bytes: int) -> None:
        data = self._muxed.data
        while len(data) >= least_bytes:
            message = bytes(data[:MESSAGE_BYTES])
            del data[:MESSAGE_BYTES]
            self._connection.send(message)
            self.sent_bytes += len(message)
