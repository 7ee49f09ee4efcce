"""A real browser as the viewer: colours, tone, channel, playout delay, loss feedback, leaving."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from client.viewer import HeadlessViewer
from server.media.codecs import VIDEO_CODECS, VideoCodec
from server.rtc.peer import SILENCE_TIMEOUT_S, PeerOptions
from server.rtc.signalling import OfferBook
from tests.server.rtc.rig import HEIGHT, QUADRANTS, TONE_HZ, WIDTH, Rig, session, until

CHROMIUM = shutil.which("chromium")
PAGE = Path(__file__).parent / "viewer.html"

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")]


@dataclass
class Browser:
    """A page that has joined, and the session behind it."""

    rig: Rig
    page: Any

    async def ask(self, expression: str) -> Any:
        """Evaluate JavaScript in the page."""
        return await self.page.evaluate(expression)


@asynccontextmanager
async def joined(
    codec: VideoCodec = "H264", silence_timeout_s: float = SILENCE_TIMEOUT_S, *, offers: str = "", moving: bool = False
) -> AsyncIterator[Browser]:
    """Chromium with the test page, joined to a synthetic session; `offers` is the only codec that it offers."""
    from playwright.async_api import async_playwright

    options = PeerOptions(video_codecs=(codec,), silence_timeout_s=silence_timeout_s)
    async with session(options, moving=moving) as rig, async_playwright() as driver:
        book = OfferBook(rig.peer)

        async def offer(request: web.Request) -> web.Response:
            return web.json_response(await book.offer(await request.json()))

        async def trickle(request: web.Request) -> web.Response:
            await book.trickle(await request.json())
            return web.json_response({"status": "success"})

        async def page_of(request: web.Request) -> web.FileResponse:
            return web.FileResponse(PAGE)

        app = web.Application()
        app.add_routes([web.get("/", page_of), web.post("/api/offer", offer), web.patch("/api/offer", trickle)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        try:
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            await page.evaluate(f"join({offers!r})")
            await page.wait_for_function("seen.frames >= 10", timeout=30_000)
            yield Browser(rig, page)
        finally:
            await browser.close()
            await runner.cleanup()


def _rgb(y: int, u: int, v: int) -> list[float]:
    """Limited-range BT.601, ITU-T T.871 section 7 with the ranges of BT.601 section 2.5.3."""
    luma, blue, red = 255 / 219 * (y - 16), 255 / 224 * (u - 128), 255 / 224 * (v - 128)
    values = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
    return [min(255.0, max(0.0, value)) for value in values]


@pytest.mark.parametrize("codec", VIDEO_CODECS)
async def test_browser_sees_the_colours_and_hears_the_tone(codec: VideoCodec) -> None:
    async with joined(codec) as browser:
        video = await browser.ask("inbound('video')")
        assert video["framesDecoded"] >= 10 and video["keyFramesDecoded"] >= 1
        shown = await browser.ask("colours()")
        for seen, sent in zip(shown, QUADRANTS, strict=True):
            assert max(abs(a - b) for a, b in zip(seen, _rgb(*sent), strict=True)) < 8
        await browser.page.wait_for_function("heard().rms > 0.1", timeout=20_000)
        heard = await browser.ask("heard()")
        assert abs(heard["peakHz"] - TONE_HZ) < 10
        assert 0.12 < heard["rms"] < 0.25


@pytest.mark.parametrize("codec", VIDEO_CODECS)
async def test_a_browser_that_offers_one_codec_gets_it(codec: VideoCodec) -> None:
    async with joined(offers=codec, moving=True) as browser:
        assert browser.rig.peers[0].video_codec == codec
        before = await browser.ask("decoded()")
        assert before["mimeType"] == f"video/{codec}"
        # a viewer that comes later gets a keyframe of its own, which the browser takes as well
        async with HeadlessViewer(signaller=browser.rig, video_codec=codec) as late:
            seen = await anext(late.frames())
            assert seen.pixels.shape == (HEIGHT * 3 // 2, WIDTH)
        await browser.page.wait_for_function(
            f"decoded().then(({{ keyFramesDecoded }}) => keyFramesDecoded > {before['keyFramesDecoded']})"
        )
        shown = await browser.ask("inbound('video')")
        assert shown["pliCount"] == 0 and shown["nackCount"] == 0 and shown["framesDropped"] <= 5
        assert {name.split()[0] for name in browser.rig.egress.census()} == {codec}


async def test_playout_delay_is_taken_up() -> None:
    async with joined() as browser:
        await browser.page.wait_for_function("seen.frames >= 60", timeout=30_000)
        video = await browser.ask("inbound('video')")
        # Without the extension each frame waits 7 ms here even on an idle machine, with it about 0.2 ms.
        assert video["jitterBufferDelay"] / video["jitterBufferEmittedCount"] < 0.004


async def test_channel_carries_messages_both_ways() -> None:
    async with joined() as browser:
        await browser.page.wait_for_function("channel.readyState === 'open'")
        await browser.ask("channel.send('from the browser')")
        await until(lambda: browser.rig.messages == ["from the browser"])
        assert browser.rig.peers[0].send("from the server")
        await browser.page.wait_for_function("seen.messages.includes('from the server')")


async def test_browser_that_vanishes_is_noticed() -> None:
    async with joined(silence_timeout_s=2.5) as browser:
        await browser.page.context.browser.close()
        await until(lambda: len(browser.rig.closed) == 1)
        assert browser.rig.egress.stats.video_viewers == 0


async def test_browser_that_leaves_is_gone_at_once() -> None:
    async with joined() as browser:
        await browser.ask("connection.close()")
        await until(lambda: browser.rig.closed == ["the viewer left"])
        assert browser.rig.egress.stats.video_viewers == 0
