"""A viewer that comes back finds its session again: after a reload, an outage of the network, a server's restart."""

import asyncio
import re
import urllib.request
from pathlib import Path

import pytest
from playwright.async_api import Page

from bench.browser import open_page, start_talking
from bench.server_process import ServerProcess
from server.housekeeping import GOODBYE_GRACE_S
from tests.e2e.test_talk import ask, until
from tests.e2e.udp_relay import UdpRelay

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OUTAGE_S = 10.0
WORDS = "The teapot is blue."


async def session_id(page: Page) -> str:
    return str(await page.evaluate("anima.session.id"))


async def is_live(page: Page) -> bool:
    """Whether pictures come: decoded ones grow in number."""
    count = "document.querySelector('#video').getVideoPlaybackQuality().totalVideoFrames"
    before = await page.evaluate(count)
    await asyncio.sleep(0.4)
    connected = await page.evaluate("document.body.dataset.state === 'connected'")
    return bool(connected) and bool(await page.evaluate(count) > before)


async def said(page: Page, words: str) -> None:
    async def stands() -> bool:
        return words in await page.inner_text("#log")

    await until(stands, f"the log says {words!r}")


async def live(page: Page, patience_s: float = 30.0) -> None:
    await until(lambda: is_live(page), "the picture moves", patience_s)


async def test_a_reload_keeps_session_and_transcript(patient: ServerProcess) -> None:
    """On that server, for the other one gives up a session after seconds that a page may need on a loaded machine."""
    async with open_page(patient.url) as watched:
        page = watched.page
        await start_talking(page)
        await ask(page, WORDS, exactly=True)
        await said(page, WORDS)
        before, label = await session_id(page), await page.evaluate("anima.turns.length")
        await page.reload()
        await page.wait_for_selector("body[data-state=connected]")
        await live(page)
        assert await session_id(page) == before
        await said(page, WORDS)
        assert await page.evaluate("anima.turns.length") == label
        await page.click("#leave")
        await page.reload()
        await page.wait_for_selector("#start")
        assert await page.evaluate("anima.session.state") == "idle", "who has left is not taken back"
        assert watched.complaints == []


async def test_a_closed_tab_frees_its_place_and_a_reload_does_not(patient: ServerProcess) -> None:
    """That server would wait a minute for whoever just vanishes."""
    async with open_page(patient.url) as watched:
        page = watched.page
        await start_talking(page)
        before, open_now = await session_id(page), sessions(patient)
        for _ in range(2):
            await page.reload()
            await page.wait_for_selector("body[data-state=connected]")
            await live(page)
            assert await session_id(page) == before
        await asyncio.sleep(GOODBYE_GRACE_S + 2.0)
        assert sessions(patient) == open_now, "the goodbye of a reload is taken back"
        await page.goto("about:blank")

        async def freed() -> bool:
            return sessions(patient) == open_now - 1

        await until(freed, "the session ends long before its minute is over", 40.0)


def sessions(server: ServerProcess) -> int:
    """How many run; asked without touching any of them."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return int(float(re.findall(r"^anima_sessions (\S+)", text, re.MULTILINE)[0]))


async def test_an_outage_of_ten_seconds_resumes_the_same_session(patient: ServerProcess) -> None:
    async with UdpRelay() as relay, open_page(patient.url) as watched:
        page = watched.page
        await relay.stand_between(page)
        await start_talking(page)
        await live(page)
        assert relay.passed > 100, "media goes through the relay"
        await ask(page, WORDS, exactly=True)
        await said(page, WORDS)
        before, turns = await session_id(page), await page.evaluate("anima.turns.length")
        relay.open = False
        await asyncio.sleep(OUTAGE_S)
        assert not await is_live(page) and relay.dropped
        relay.open = True
        await live(page)
        assert await session_id(page) == before
        assert await page.evaluate("anima.turns.length") == turns
        made = await page.evaluate(
            "performance.getEntriesByType('resource').filter(({name}) => name.endsWith('/v1/sessions')).length"
        )
        assert made == 1, "no second session"


async def test_no_network_at_all_for_a_while(patient: ServerProcess) -> None:
    """HTTP fails too, as when a phone changes between networks."""
    async with UdpRelay() as relay, open_page(patient.url) as watched:
        page = watched.page
        await relay.stand_between(page)
        await start_talking(page)
        await live(page)
        before = await session_id(page)
        relay.open = False
        await page.context.set_offline(True)
        await page.wait_for_selector("body[data-state=reconnecting]")
        await asyncio.sleep(OUTAGE_S)
        relay.open = True
        await page.context.set_offline(False)
        await live(page)
        assert await session_id(page) == before


async def test_another_path_is_found_under_the_same_connection(patient: ServerProcess) -> None:
    async with UdpRelay() as relay, open_page(patient.url) as watched:
        page = watched.page
        await relay.stand_between(page)
        await start_talking(page)
        await live(page)
        await page.evaluate("window.firstPeer = anima.session.peer")
        relay.open = False
        # Chromium calls a path broken after some seconds of silence; an ICE restart begins at once, and finds the relay
        async def broken() -> bool:
            return bool(await page.evaluate("firstPeer.connectionState !== 'connected'"))

        await until(broken, "the path is called broken")
        relay.open = True
        await live(page)
        assert await page.evaluate("anima.session.peer === firstPeer"), "the same connection"


async def test_a_restarted_server_is_waited_for(tmp_path: Path) -> None:
    first = ServerProcess(log=tmp_path / "first.log", packs_dir=tmp_path / "packs").start()
    try:
        async with open_page(first.url) as watched:
            page = watched.page
            await start_talking(page)
            await ask(page, WORDS, exactly=True)
            await said(page, WORDS)
            before = await session_id(page)
            await asyncio.to_thread(first.stop)
            await page.wait_for_selector("#notice:has-text('restarting')")
            port = first.url.rpartition(":")[2]
            again = ServerProcess(
                log=tmp_path / "second.log", packs_dir=tmp_path / "packs", settings={"port": port}
            )
            try:
                await asyncio.to_thread(again.start)
                await live(page, 60.0)
                assert await session_id(page) != before
                await said(page, WORDS)
            finally:
                again.stop()
    finally:
        first.stop()
