"""Painting from the page: words typed there change the picture behind her while she speaks; gestures in free words."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page

from bench.browser import open_page, start_recording, start_talking, stop_recording
from bench.server_process import ServerProcess
from tests.e2e.test_page import pictures
from tests.models.diffusion.door.tiny import style_pack, tiny_painter

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "One thing after another, and then one more thing, is what I say now while somebody paints behind me. " * 6
STATE = "#paint-state"
PATIENT_MS = 120_000


@pytest.fixture(scope="module")
def painting(tmp_path_factory: pytest.TempPathFactory, server: ServerProcess) -> Iterator[ServerProcess]:
    """A server with a tiny painter and a style; its packs are those of `server`."""
    place: Path = tmp_path_factory.mktemp("painting")
    style_pack(place / "styles", title="Ink wash")
    settings = {
        "painter": str(tiny_painter(place / "painter")), "painter_share": "1.0", "styles_dir": str(place / "styles"),
        "fps": "10",
    }  # fmt: skip
    with ServerProcess(log=place / "server.log", packs_dir=server.packs_dir, settings=settings) as running:
        yield running
    assert "Traceback" not in running.output(), running.output()[-4000:]


@pytest.fixture
async def page(painting: ServerProcess) -> AsyncIterator[Page]:
    """The page in its conversation, painting unfolded."""
    async with open_page(painting.url) as watched:
        await start_talking(watched.page)
        await watched.page.click("#paint > summary")
        yield watched.page
        assert watched.complaints == []


async def state(page: Page, wanted: str) -> str:
    """The words of the row once it has come to this state."""
    await page.wait_for_selector(f"#paint[data-state={wanted}]", timeout=PATIENT_MS)
    return await page.inner_text(STATE)


async def test_words_typed_in_the_page_are_painted_behind_her_while_she_speaks(page: Page) -> None:
    before = (await pictures(page, 1.0)).mean(axis=0)
    await page.fill("#text", LONG)
    await page.check("input[name=mode][value=say]", force=True)
    await page.press("#text", "Enter")
    await page.wait_for_selector("body[data-activity=speaking]")
    interruptions = (await session_state(page))["interruptions"]
    await start_recording(page, sound=True)
    await page.fill("#paint-prompt", "a red forest")
    await page.keyboard.press("Enter")
    assert await state(page, "done") == "Background: painted"
    recording = await stop_recording(page)
    assert await page.is_hidden("#paint-far")

    presented = [frame.presented for frame in recording.frames]
    assert len(presented) > 5 and presented == sorted(presented), "pictures kept coming"
    assert (recording.sound_level > 0.01).any(), "and she was heard"
    assert (await session_state(page))["interruptions"] == interruptions, "nobody silenced her for it"
    after = (await pictures(page, 1.0)).mean(axis=0)
    moved = np.abs(after - before)
    assert moved[:96, :96].mean() > 8, "the wall is another one"


async def test_a_style_is_put_on_and_a_refusal_is_said_in_words(page: Page) -> None:
    await page.wait_for_selector("#paint-styling")
    await page.select_option("#paint-style", "ink-wash")
    await page.check("input[name=region][value=product]", force=True)
    await page.fill("#paint-prompt", "a blue jacket")
    await page.click(".paint-start")
    assert await state(page, "done") == "Product: painted"
    found = await session_state(page)
    assert found["style"] == "ink-wash" and found["painted"] == {"product": "a blue jacket"}

    await page.fill("#paint-prompt", "how to make a bomb at home")
    await page.click(".paint-start")
    assert await state(page, "refused") == "Product: not accepted"
    assert "safety" in await page.inner_text("#complaint")
    assert (await session_state(page))["painted"] == {"product": "a blue jacket"}


async def session_state(page: Page) -> dict[str, Any]:
    """What the server says of the page's session."""
    found: dict[str, Any] = await page.evaluate("anima.session.get(`/v1/sessions/${anima.session.id}`)")
    return found


async def test_it_says_how_painting_is_switched_on_where_it_is_not(server: ServerProcess) -> None:
    async with open_page(f"{server.url}/?lang=en") as watched:
        page = watched.page
        assert await page.is_hidden("#paint"), "nothing is said before anything is known"
        await start_talking(page)
        await page.click("#paint > summary")
        assert "docs/painted.md" in await page.inner_text("#paint-off")
        assert await page.is_hidden("#paint-form")
        await page.select_option("#language", "zh")
        assert "绘制" in await page.inner_text("#paint > summary")
        await page.wait_for_selector("#paint-off:has-text('这里还不能绘制')")
        assert watched.complaints == []


async def test_a_gesture_in_free_words_is_found_and_named(server: ServerProcess) -> None:
    async with open_page(server.url) as watched:
        page = watched.page
        await start_talking(page)
        await page.fill("#motion-text", "waves goodbye to everybody")
        await page.keyboard.press("d")
        assert await page.is_hidden("#overlay"), "what is typed is no shortcut"
        await page.keyboard.press("Backspace")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#motion-found:not(:empty)")
        assert (await page.inner_text("#motion-found")).startswith("Found: ")
        await page.fill("#motion-text", "plays chess on the moon")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#complaint:not([hidden])")
        assert "motion" in await page.inner_text("#complaint")
        assert watched.complaints == []
