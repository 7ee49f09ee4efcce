"""How soon a viewer who joins sees the host: from sending the offer to the first picture.

A warm server and a new session for each viewer, on loopback.

- `offer_to_frame_ms`: from POST of the offer to the first decoded picture in a headless viewer (aiortc, which gathers
  its candidates before the offer is sent).
- `offer_to_display_ms`: from the page's POST of the offer to Chromium's `expectedDisplayTime` of its first picture.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.browser import NoChromium, open_page, start_recording, start_talking, stop_recording
from bench.harness import Goal, Result, command, percentiles
from bench.server_process import ServerProcess
from client.sdk import AnimaClient
from client.viewer.signalling import Answer, HttpSignaller
from client.viewer.viewer import HeadlessViewer, SeenFrame

GOALS: Final = (Goal("offer_to_frame_ms_p95", most=500.0),)
_TIMEOUT_S: Final = 15.0
_OFFERED: Final = """() => performance.getEntriesByType("resource")
  .filter(({name}) => name.includes("/api/offer")).map(({startTime}) => startTime)"""


class StampedSignaller(HttpSignaller):
    """Notes when the offer went out and when the answer came, `time.monotonic()`."""

    offered_s = 0.0
    answered_s = 0.0

    async def offer(self, sdp: str) -> Answer:
        """See `HttpSignaller.offer`."""
        self.offered_s = time.monotonic()
        answer = await super().offer(sdp)
        self.answered_s = time.monotonic()
        return answer


@dataclass(frozen=True, slots=True)
class Join:
    """What one viewer waited for, in milliseconds; `create` before the offer, the others after it."""

    create_ms: float
    answer_ms: float
    connected_ms: float
    frame_ms: float


async def join(client: AnimaClient) -> Join:
    """One viewer joins a session of its own and leaves when it has seen something."""
    begun_s = time.monotonic()
    async with await client.create_session() as session:
        created_s = time.monotonic()
        url = client.absolute(session.credentials.offer_url)
        signaller = StampedSignaller(url, session.credentials.token)
        viewer = HeadlessViewer(signaller=signaller)
        seen: asyncio.Future[SeenFrame] = asyncio.get_running_loop().create_future()
        viewer.on_frame = lambda frame: None if seen.done() else seen.set_result(frame)
        async with asyncio.timeout(_TIMEOUT_S), viewer:
            connected_s = time.monotonic()
            frame = await seen
        since_s = signaller.offered_s
        return Join(
            create_ms=1e3 * (created_s - begun_s),
            answer_ms=1e3 * (signaller.answered_s - since_s),
            connected_ms=1e3 * (connected_s - since_s),
            frame_ms=1e3 * (frame.decoded_s - since_s),
        )


async def joins(url: str, n: int) -> list[Join]:
    """`n` viewers one after another; one more before them warms the way."""
    async with AnimaClient(url) as client:
        await join(client)
        return [await join(client) for _ in range(n)]


async def displays(url: str, n: int) -> list[float]:
    """The same in Chromium: `n` loads of the page, and one before them."""
    found = []
    async with open_page(url) as watched:
        page = watched.page
        for _ in range(n + 1):
            await page.goto(url)
            await start_recording(page)
            await start_talking(page)
            recording = await stop_recording(page)
            offered_ms = (await page.evaluate(_OFFERED))[0]
            found.append(recording.frames[0].display_ms - offered_ms)
            await page.evaluate("anima.session.close()")
    return found[1:]


def measure(n: int) -> Result:
    """The published keys, for `n` viewers of each kind."""
    with tempfile.TemporaryDirectory() as scratch, ServerProcess(log=Path(scratch) / "server.log") as server:
        joined = asyncio.run(joins(server.url, n))
        try:
            displayed = asyncio.run(displays(server.url, n))
        except NoChromium as error:
            print(f"no display times: {error}", file=sys.stderr)
            displayed = []
    return {
        **percentiles([one.frame_ms for one in joined], "offer_to_frame_ms"),
        **percentiles(displayed, "offer_to_display_ms"),
        **percentiles([one.create_ms for one in joined], "create_session_ms"),
        **percentiles([one.answer_ms for one in joined], "offer_to_answer_ms"),
        **percentiles([one.connected_ms for one in joined], "offer_to_connected_ms"),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.first_frame`."""
    return command("first_frame", measure, GOALS, n=20, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
