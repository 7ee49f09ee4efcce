"""An OpenAI-compatible endpoint on this machine that streams words at a steady rate and notes who stops listening."""

import asyncio
import itertools
import json
import time
from types import TracebackType
from typing import Final, Self

from aiohttp import web

_STORY: Final = (
    "The ceramic cup is made by hand in a small workshop near the sea, and each one is a little different. It holds a "
    "third of a litre. It is light, and it stays warm for an hour. It comes in blue, in green, or in a very deep red. "
).split()
"""Without feeling, for a smile parts the lips too."""
_FIRST_CLAUSE_WORDS: Final = next(at for at, word in enumerate(_STORY, start=1) if word.endswith(","))


class LlmStub:
    """Serves `POST {base_url}/chat/completions` while it is entered. Times are `time.monotonic()`."""

    def __init__(self, *, tokens_per_s: float = 30.0, tokens: int = 400) -> None:
        self.base_url = ""
        self.asked_s: list[float] = []
        self.clause_s: list[float] = []
        """When the last word of an answer's first clause was written."""
        self.dropped_s: list[float] = []
        """When a client closed an answer that was still being written."""
        self.dropped = asyncio.Event()
        self.finished = 0
        self._interval_s = 1.0 / tokens_per_s
        self._tokens = tokens
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        # a closed connection cancels the handler at once, which is how it is noticed to the millisecond
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.asked_s.append(time.monotonic())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            begun_s = time.monotonic()
            for index, word in enumerate(itertools.islice(itertools.cycle(_STORY), self._tokens), start=1):
                await response.write(_event({"content": word + " "}, None))
                if index == _FIRST_CLAUSE_WORDS:
                    self.clause_s.append(time.monotonic())
                await asyncio.sleep(begun_s + index * self._interval_s - time.monotonic())
            await response.write(_event({}, "stop") + b"data: [DONE]\n\n")
        except (asyncio.CancelledError, ConnectionError):
            self.dropped_s.append(time.monotonic())
            self.dropped.set()
            raise
        self.finished += 1
        return response


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    body = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"
