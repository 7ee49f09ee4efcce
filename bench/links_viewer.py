"""The watching side of `bench.links`: Chromium at a page, and what it showed, as JSON on standard output."""

import asyncio
import json
import sys
import urllib.request
from typing import Any, Final

from bench.browser import open_page

SEEN: Final = "seen"
"""The line that says that the first picture is on the screen; the last line is what was seen."""


async def watch(url: str, seconds: float) -> dict[str, Any]:
    """Join, watch for so long, and bring back every picture's time together with the server's figures."""
    async with open_page(url, width=640, height=640) as watched:
        page = watched.page
        begin_ms = await page.evaluate("performance.timeOrigin + performance.now()")
        await page.evaluate("join()")
        await page.wait_for_function("shown.length > 0", timeout=20_000)
        print(SEEN, flush=True)
        await asyncio.sleep(seconds)
        shown = await page.evaluate("shown")
        playouts = await page.evaluate("playouts")
        inbound = await page.evaluate("inbound()")
        raw = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{url}figures", timeout=20).read())
    return {
        "begin_ms": begin_ms, "shown": shown, "inbound": inbound, "playouts": playouts, "server": json.loads(raw)
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(asyncio.run(watch(sys.argv[1], float(sys.argv[2])))))
