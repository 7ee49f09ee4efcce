"""A host of the viewer's own photo: made in the page, talking, its mouth repaired; refused photos; and away again."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.async_api import Page

from bench.browser import open_page, start_recording, start_talking, stop_recording
from bench.server_process import ServerProcess
from models.avatar.portrait.sheet import public_domain_photo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENT_MS = 180_000
LONG = "[happy] Here I am, made of one photo, and I say one thing after another until everybody has seen my mouth. " * 4
KEEP_TRACES = """
window.traces = [];
anima.session.addEventListener("message", ({ detail }) => {
  if (detail.type === "server-message" && detail.data.t === "trace") traces.push(detail.data.d);
});
"""


@pytest.fixture(scope="module")
def photographer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with packs of its own: hosts come and go. Few frames a second leave a loaded machine time to repair."""
    place: Path = tmp_path_factory.mktemp("photographer")
    settings = {"fps": "10", "rejoin_timeout_s": "1"}
    with ServerProcess(log=place / "server.log", packs_dir=place / "packs", settings=settings) as running:
        yield running
    assert "Traceback" not in running.output(), running.output()[-4000:]


@pytest.fixture
async def page(photographer: ServerProcess) -> AsyncIterator[Page]:
    """The page with the dialog open."""
    async with open_page(photographer.url) as watched:
        await watched.page.click("[data-own]")
        yield watched.page
        # a refused photo's answer is an answer as well; nothing else may go wrong
        assert watched.complaints == []


async def fill(page: Page, photo: Path, title: str) -> None:
    await page.set_input_files("#own-file", photo)
    await page.fill("#own-name", title)
    await page.check("#own-consent")
    await page.click("#own-make")


async def until(page: Page, true: str) -> None:
    """Wait for an expression; the page's policy forbids what Playwright's own waiting does."""
    async with asyncio.timeout(PATIENT_MS / 1000):
        while not await page.evaluate(true):  # noqa: ASYNC110  # it happens in another process
            await asyncio.sleep(0.2)


async def hosts(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.evaluate("fetch('/v1/avatars').then(a => a.json()).then(a => a.avatars)")
    return found


async def test_a_photo_becomes_a_host_that_talks_with_a_repaired_mouth_and_can_go(page: Page) -> None:
    await fill(page, public_domain_photo(), "Eileen Collins")
    await page.wait_for_selector("#own-far:not([hidden])")
    await page.wait_for_selector("#own:not([open])", state="attached", timeout=PATIENT_MS)
    name = await page.get_attribute(".member[aria-pressed=true]", "data-avatar")
    assert name is not None and name.startswith("eileen-collins-")
    assert await page.evaluate("document.body.dataset.state") == "idle", "the usual button begins"
    assert name in str(await page.get_attribute("#still", "src")), "she is previewed"

    await page.evaluate(KEEP_TRACES)
    await start_talking(page)
    await page.fill("#text", LONG)
    await page.check("input[name=mode][value=say]", force=True)
    await page.press("#text", "Enter")
    await page.wait_for_selector("body[data-activity=speaking]", timeout=PATIENT_MS)
    await start_recording(page, sound=True)
    await until(page, "traces.some(d => 'refined' in (d.stages_ms ?? {}))")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("d")
    await until(page, "document.getElementById('overlay').innerText.includes('refined')")
    assert (await stop_recording(page)).sound_level.max() > 0.01, "she is heard"

    await page.click("#leave")
    await page.click("[data-own]")
    await page.click("#own-list button")
    await page.click("#own-list button.sure")
    await page.wait_for_selector("#own-mine", state="hidden", timeout=PATIENT_MS)
    assert name not in [one["name"] for one in await hosts(page)]
    assert await page.locator(f"[data-avatar={name}]").count() == 0


async def test_a_photo_without_a_face_is_refused_in_words_and_nothing_entered_is_lost(
    page: Page, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((480, 640, 3), (180, 190, 200), np.uint8))
    await fill(page, tmp_path / "wall.png", "Nobody")
    await page.wait_for_selector("#own-wrong-photo:not([hidden])", timeout=PATIENT_MS)
    assert "No face was found" in await page.inner_text("#own-wrong-photo")
    assert await page.input_value("#own-name") == "Nobody" and await page.is_checked("#own-consent")
    assert await page.is_visible("#own-seen") and await page.is_enabled("#own-make")
    assert "Nobody" not in [one["title"] for one in await hosts(page)]


async def test_what_is_missing_is_said_where_it_is_missing(page: Page, tmp_path: Path) -> None:
    await page.click("#own-make")
    for field in ("photo", "title", "consent"):
        assert await page.is_visible(f"#own-wrong-{field}")
    (tmp_path / "words.png").write_text("no picture")
    await page.set_input_files("#own-file", tmp_path / "words.png")
    await until(page, "document.getElementById('own-wrong-photo').innerText.includes('cannot be read')")
    await page.fill("#own-name", "mei")
    await page.click("#own-make")
    assert "already" in await page.inner_text("#own-wrong-title")


async def test_a_large_photo_goes_smaller_and_upright(page: Page, tmp_path: Path) -> None:
    """A telephone's picture lies on its side and says so; what is sent stands."""
    photo = cv2.resize(cv2.imread(str(public_domain_photo())), (3000, 4000), interpolation=cv2.INTER_LINEAR)
    done, jpeg = cv2.imencode(".jpg", cv2.rotate(photo, cv2.ROTATE_90_COUNTERCLOCKWISE))
    assert done
    turned = bytes.fromhex("ffe1 0022 4578 6966 0000 4d4d 002a 0000 0008 0001 0112 0003 0000 0001 0006 0000 0000 0000")
    (tmp_path / "large.jpg").write_bytes(bytes(jpeg[:2]) + turned + bytes(jpeg[2:]))
    sent = await page.evaluate(
        """async url => {
            const { readyToSend } = await import("/ui/photo.js");
            const bytes = Uint8Array.from(atob(url), (one) => one.charCodeAt(0));
            const blob = await readyToSend(new File([bytes], "large.jpg", { type: "image/jpeg" }));
            const picture = await createImageBitmap(blob);
            return [blob.type, picture.width, picture.height];
        }""",
        base64.b64encode((tmp_path / "large.jpg").read_bytes()).decode(),
    )
    assert sent == ["image/jpeg", 1536, 2048]


async def test_a_conversation_goes_on_with_the_new_host(page: Page) -> None:
    await page.click("#own-close")
    await start_talking(page)
    first = await page.evaluate("anima.session.id")
    await page.click("#cast-toggle")
    await page.click("[data-own]")
    await fill(page, public_domain_photo(), "二号")
    await page.wait_for_selector("#own:not([open])", state="attached", timeout=PATIENT_MS)
    await until(page, f"anima.session.id && anima.session.id !== '{first}'")
    await page.wait_for_selector("body[data-state=connected]", timeout=PATIENT_MS)
    path = "'/v1/sessions/' + anima.session.id"
    assert str(await page.evaluate(f"anima.session.get({path}).then(s => s.avatar)")).startswith("portrait-")
