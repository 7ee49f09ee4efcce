"""Pictures of the page for the documentation: `python -m tests.e2e.screenshots docs/images`."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.async_api import Page

from bench.browser import open_page, start_talking
from bench.server_process import ServerProcess

QUESTION = "Hello! Who are you?"


async def _speak(page: Page, text: str, wait_s: float) -> None:
    await page.fill("#text", text)
    await page.press("#text", "Enter")
    await page.wait_for_selector("body[data-activity=speaking]")
    await asyncio.sleep(wait_s)


async def _shoot(
    url: str,
    path: Path,
    size: tuple[int, int],
    scheme: Literal["light", "dark"],
    *,
    text: str = "",
    wait_s: float = 1.4,
    overlay: bool = False,
    mood: str = "",
) -> None:
    width, height = size
    async with open_page(url, width=width, height=height, scheme=scheme, touch=width < 500) as watched:
        page = watched.page
        if text or mood or overlay:
            await start_talking(page)
            await asyncio.sleep(1.0)
        if overlay:
            await page.evaluate("document.activeElement.blur()")
            await page.keyboard.press("d")
        if mood:
            await page.click(f"#faces [data-emotion={mood}]")
        if text:
            await _speak(page, text, wait_s)
        else:
            await asyncio.sleep(1.2)
        await page.screenshot(path=path, type="jpeg", quality=86)


async def main(out: Path) -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as place, ServerProcess(log=Path(place) / "server.log") as server:
        wide, phone = (1280, 720), (390, 844)
        await _shoot(server.url, out / "desktop.jpg", wide, "light", text=QUESTION, wait_s=2.2)
        await _shoot(server.url, out / "dark_overlay.jpg", (1440, 900), "dark", text=QUESTION, overlay=True)
        await _shoot(server.url, out / "start.jpg", wide, "light")
        await _shoot(server.url, out / "phone.jpg", phone, "light", text=QUESTION)
        await _shoot(server.url, out / "surprise.jpg", wide, "dark", mood="surprise")


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(directory))
