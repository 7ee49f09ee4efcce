"""One output of a session: attempts one after the other, and how it is doing."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Literal

from server.outputs.backoff import Backoff
from server.outputs.feed import Feed
from server.outputs.sink import Sink, SinkFailed

_log = logging.getLogger(__name__)

State = Literal["starting", "live", "waiting", "ended", "failed"]
RUNNING: Final = ("starting", "live", "waiting")
"""States of an output that takes or will take media."""
FINISH_TIMEOUT_S: Final = 20.0
"""How long an output may take to send or write what it has, at its end."""


class Output:
    """Runs a sink until `aclose`, tries again after failures, and tells its state."""

    def __init__(
        self,
        output_id: str,
        kind: str,
        target: str,
        sink: Sink,
        feed: Feed,
        on_over: Callable[["Output"], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self.id = output_id
        self.kind = kind
        self.target = target
        self.state: State = "starting"
        self.error: str | None = None
        self.attempts = 0
        self._sink = sink
        self._feed = feed
        self._on_over = on_over
        self._on_failed = on_failed
        self._backoff = Backoff()
        self._live_since_s: float | None = None
        self._final = False
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"output-{kind}")

    @property
    def running(self) -> bool:
        """Whether it takes or will take media."""
        return self.state in RUNNING

    def as_json(self) -> dict[str, Any]:
        """What is told of it; no secret."""
        figures = self._feed.figures
        return {
            "id": self.id,
            "kind": self.kind,
            "target": self.target,
            "state": self.state,
            "error": self.error,
            "attempts": self.attempts,
            "pictures": figures.pictures,
            "dropped_pictures": figures.dropped_pictures,
            "keyframes": figures.keyframes,
            "payload_bytes": figures.payload_bytes,
        } | self._sink.figures()

    async def aclose(self) -> None:
        """End it: what was taken is sent or written first, within `FINISH_TIMEOUT_S`."""
        self._stop.set()
        self._feed.end()
        _, late = await asyncio.wait((self._task,), timeout=FINISH_TIMEOUT_S)
        if late:
            _log.warning("an output of kind %s did not finish in time", self.kind)
            self.error = "it did not finish in time"
            self._task.cancel()
            await asyncio.wait((self._task,))

    # --- inside

    async def _run(self) -> None:
        final: State = "ended"
        try:
            while not self._stop.is_set():
                if await self._attempt():
                    break
                if self.error is not None and self._final:
                    final = "failed"
                    break
                await self._pause()
        finally:
            self.state = final
            self._feed.end()
            self._feed.pause()
            self._on_over(self)

    async def _attempt(self) -> bool:
        """One attempt; whether it came to its end."""
        self.attempts += 1
        self._live_since_s = None
        self._final = False
        try:
            await self._sink.run(self._feed, self._live)
            return True
        except SinkFailed as failure:
            self._fail(str(failure), final=failure.final)
        except Exception as error:
            _log.exception("an output of kind %s failed", self.kind)
            self._fail(f"an error of our own: {type(error).__name__}", final=False)
        return False

    def _live(self) -> None:
        if self._live_since_s is None:
            self._live_since_s = asyncio.get_running_loop().time()
            self.state, self.error = "live", None
            _log.info("output of kind %s is live: %s", self.kind, self.target)

    def _fail(self, text: str, *, final: bool) -> None:
        self.error, self._final = text, final
        _log.warning("output of kind %s to %s: %s", self.kind, self.target, text)
        self._on_failed(self.kind)

    async def _pause(self) -> None:
        """Wait before the next attempt, or until the end."""
        since_s = self._live_since_s
        lived_s = asyncio.get_running_loop().time() - since_s if since_s is not None else 0.0
        self.state = "waiting"
        try:
            async with asyncio.timeout(self._backoff.after(lived_s)):
                await self._stop.wait()
        except TimeoutError:
            self.state = "starting"
