"""The page as it looks and works: directing her, widths, colour schemes, names for everything that can be pressed."""

import asyncio

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Page

from bench.browser import open_page, start_recording, start_talking, stop_recording
from bench.server_process import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURE_PX = (512, 512)
SIZES = {"desktop": (1440, 900), "laptop": (1280, 720), "phone": (390, 844), "small phone": (360, 640)}


async def pictures(page: Page, duration_s: float) -> NDArray[np.float64]:
    """Luma of the pictures shown in a while, (frames, 512, 512); a loaded machine may send them smaller."""
    await start_recording(page, pictures=True)
    await asyncio.sleep(duration_s)
    recording = await stop_recording(page)
    sized = (cv2.resize(frame.bgr, PICTURE_PX) for frame in recording.frames if frame.bgr is not None)
    return np.array([one.mean(axis=2) for one in sized])


def change(before: NDArray[np.float64], after: NDArray[np.float64], rows: slice, columns: slice) -> float:
    """How much a part of the picture differs from what it was, at most, as mean absolute luma difference."""
    still = before.mean(axis=0)[rows, columns]
    return float(np.abs(after[:, rows, columns] - still).mean(axis=(1, 2)).max())


async def seen(page: Page, button: str, rest: NDArray[np.float64], part: tuple[slice, slice], least: float) -> bool:
    """Press a button until a part of the picture changes by more than `least`. A loaded machine may take the host down
    the ladder, and then moods and hands wait until there is time to draw them."""
    for _ in range(8):
        await page.click(button)
        if change(rest, await pictures(page, 2.0), *part) > least:
            return True
    return False


async def test_moods_and_gestures_are_seen(server: ServerProcess) -> None:
    async with open_page(server.url) as watched:
        page = watched.page
        await start_talking(page)
        rest = await pictures(page, 2.0)
        side, face = (slice(200, 460), slice(0, 110)), (slice(150, 420), slice(150, 360))
        wave = "#gestures button:has-text('Wave')"
        assert await seen(page, wave, rest, side, 8 + change(rest, rest, *side)), "a hand beside the head"
        for mood in ("angry", "surprise"):
            button = f"#faces [data-emotion={mood}]"
            assert await seen(page, button, rest, face, change(rest, rest, *face)), f"{mood} is seen in the face"
        assert await page.get_attribute("#faces [data-emotion=surprise]", "aria-pressed") == "true"
        assert watched.complaints == []


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_every_width_and_scheme(server: ServerProcess, size: str, scheme: str) -> None:
    width, height = SIZES[size]
    async with open_page(
        server.url, width=width, height=height, scheme="dark" if scheme == "dark" else "light", touch=width < 500
    ) as watched:
        page = watched.page
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling"
        for control in ("#start", "#text", "#send"):
            assert await page.is_visible(control)
        box = await page.locator("#video").bounding_box()
        assert box is not None and box["width"] >= 0.55 * min(width, height), "the host is large"
        nameless = await page.evaluate(
            """[...document.querySelectorAll('button, input, textarea, select')]
               .filter(e => e.offsetParent && !(e.ariaLabel || e.labels?.length || e.textContent.trim() || e.title))
               .map(e => e.outerHTML.slice(0, 120))"""
        )
        assert nameless == []
        assert watched.complaints == []


async def test_the_keyboard_is_enough(server: ServerProcess) -> None:
    async with open_page(server.url) as watched:
        page = watched.page
        await page.focus("#start")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#video.live")
        await page.focus("#text")
        await page.keyboard.type("What can you do?")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("body[data-activity=speaking]")
        await page.keyboard.press("Escape")
        await page.wait_for_selector("body:not([data-activity=speaking])")
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("d")
        await page.wait_for_selector("#overlay:not([hidden])")
        assert "warp" in await page.inner_text("#overlay") or "cached" in await page.inner_text("#overlay")
        assert watched.complaints == []
