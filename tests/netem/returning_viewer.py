"""The far side of a test of long outages: Chromium in a session, asked by lines on standard input, answering in JSON.

`python -m tests.netem.returning_viewer URL KEY` opens a session with the server's key and its page with the session's
token. `look` answers with what the page knows and whether pictures come, `ask TEXT` has the host say a text, `path`
tells of the path in use, `restart` has the page look for another one as if its own had gone silent (an ICE restart
under running media), `state` reads the session's state with its token."""

import asyncio
import json
import sys
import urllib.request
from typing import Any

from playwright.async_api import Page

from bench.browser import open_page

_SHOWN = "document.querySelector('#video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0"

_PATH = """(async () => {
  const connection = anima.session.peer;
  window.firstConnection ??= connection;
  const reports = await connection.getStats();
  const transport = [...reports.values()].find(({ type }) => type === "transport");
  const pair = reports.get(transport.selectedCandidatePairId);
  const remote = reports.get(pair.remoteCandidateId);
  return { protocol: remote.protocol, remote_ufrag: remote.usernameFragment,
           local_ufrag: transport.iceLocalUsernameFragment, same_connection: connection === firstConnection,
           settled: connection.signalingState === "stable", state: connection.connectionState };
})()"""
_SILENT = """(() => {
  const connection = anima.session.peer;
  Object.defineProperty(connection, "connectionState", { configurable: true, get: () => "disconnected" });
  connection.dispatchEvent(new Event("connectionstatechange"));
  delete connection.connectionState;
})()"""


def called(url: str, bearer: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request; its JSON."""
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read() or b"{}")
        return found


async def look(page: Page) -> dict[str, Any]:
    """What the viewer sees now."""
    before = await page.evaluate(_SHOWN)
    await asyncio.sleep(0.4)
    seen: dict[str, Any] = await page.evaluate(
        "({session: anima.session.id, state: document.body.dataset.state, turns: anima.turns.length,"
        " log: document.querySelector('#log').innerText})"
    )
    return seen | {"moving": await page.evaluate(_SHOWN) > before}


async def main(url: str, key: str) -> None:
    """Open a session and answer until standard input ends."""
    made = await asyncio.to_thread(called, f"{url}/v1/sessions", key, {})
    one = f"{url}/v1/sessions/{made['id']}"
    async with open_page(f"{url}/?autostart#session={made['id']}&token={made['token']}") as watched:
        await watched.page.wait_for_selector("body[data-state=connected]", timeout=60_000)
        print(json.dumps({"session": made["id"]}), flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            match line.partition(" "):
                case "look", *_:
                    answer = await look(watched.page)
                case "path", *_:
                    answer = await watched.page.evaluate(_PATH)
                case "restart", *_:
                    await watched.page.evaluate(_SILENT)
                    answer = await watched.page.evaluate(_PATH)
                case "ask", _, text:
                    answer = await asyncio.to_thread(called, f"{one}/say", made["token"], {"text": text})
                case _:
                    answer = await asyncio.to_thread(called, one, made["token"])
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
