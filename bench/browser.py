"""A real Chromium at the page, and a recorder in it of what its viewer sees and hears."""

import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.async_api import ConsoleMessage, Page, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeout

_RECORDER: Final = Path(__file__).with_name("recorder.js").read_text("utf-8")
_FLAGS: Final = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--disable-gpu")
_MICROPHONE: Final = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"""Permission is given without asking, and a file stands for the device."""
_JPEG_QUALITY: Final = 0.92


class NoChromium(Exception):
    """There is no Chromium on this machine."""


@dataclass(slots=True)
class Watched:
    """A page and what went wrong in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class ShownFrame:
    """A frame that the browser showed; times are `performance.now()` in milliseconds."""

    now_ms: float
    display_ms: float
    """When it is expected to be visible."""
    received_ms: float | None
    """When its last packet had arrived."""
    rtp: int | None
    presented: int
    """How many frames had been shown by then, so that those between two callbacks can be counted."""
    bgr: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What a viewer saw and heard."""

    frames: tuple[ShownFrame, ...]
    sound_ms: NDArray[np.float64]
    """Middle of each window, `performance.now()`, shape (windows,)."""
    sound_level: NDArray[np.float64]
    """Root mean square of each window, 0..1, shape (windows,)."""


def chromium() -> str:
    """Where the browser lies. Raises `NoChromium`."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise NoChromium("no chromium in the PATH")
    return found


@asynccontextmanager
async def open_page(
    url: str,
    *,
    width: int = 1280,
    height: int = 800,
    scheme: Literal["light", "dark"] = "light",
    scale: float = 1.0,
    language: str = "en-GB",
    touch: bool = False,
    voice: Path | None = None,
) -> AsyncIterator[Watched]:
    """The page at an address, in a browser of its own; `voice` is a WAV file that its microphone hears, once."""
    spoken = () if voice is None else (*_MICROPHONE, f"--use-file-for-fake-audio-capture={voice}%noloop")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*_FLAGS, *spoken])
        try:
            context = await browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=scale,
                locale=language, has_touch=touch, is_mobile=touch,
            )  # fmt: skip
            page = await context.new_page()
            watched = Watched(page)
            page.on("pageerror", lambda error: watched.complaints.append(str(error)))
            page.on("console", lambda message: _note(watched, message))
            await page.add_init_script(_RECORDER)
            await page.goto(url)
            yield watched
        finally:
            await browser.close()


def _note(watched: Watched, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        url = message.location.get("url", "")
        # a full server has the page wait for a place: Chromium calls that an error, the page does not
        if not ("503" in message.text and url.endswith("/v1/sessions")):
            watched.complaints.append(f"{message.type}: {message.text} ({url})")


async def start_talking(page: Page) -> None:
    """Press the button and wait until the host is seen. Raises `AssertionError` with what the page says instead."""
    await page.click("#start")
    try:
        # a loaded machine may be asked twice for a place: the page waits for one
        await page.wait_for_selector("body[data-state=connected]", timeout=90_000)
        await page.wait_for_selector("#video.live")
    except PlaywrightTimeout as never:
        says = await page.evaluate("[document.body.dataset.state, document.getElementById('curtain').innerText]")
        raise AssertionError(f"no host is seen; the page says {says}") from never


async def start_recording(page: Page, *, pictures: bool = False, sound: bool = False) -> None:
    """Begin to keep frame times and, if asked, pictures and sound levels."""
    await page.evaluate("what => recorder.start(what)", {"pictures": pictures, "sound": sound})


async def stop_recording(page: Page) -> Recording:
    """End, and fetch what was kept."""
    await page.evaluate("recorder.stop()")
    times: list[dict[str, Any]] = await page.evaluate("recorder.times()")
    sounds: list[list[float]] = await page.evaluate("recorder.sounds")
    kept: list[list[Any]] = await page.evaluate("quality => recorder.pictures(quality)", _JPEG_QUALITY)
    await page.evaluate("recorder.clear()")
    pictures = {int(index): _decode(text) for index, text in kept}
    levels = np.array(sounds, dtype=np.float64).reshape(-1, 2)
    frames = (_frame(entry, pictures.get(index)) for index, entry in enumerate(times))
    return Recording(tuple(frames), levels[:, 0], levels[:, 1])


def _frame(entry: dict[str, Any], bgr: NDArray[np.uint8] | None) -> ShownFrame:
    return ShownFrame(
        now_ms=entry["nowMs"],
        display_ms=entry["displayMs"],
        received_ms=entry["receivedMs"],
        rtp=entry["rtp"],
        presented=entry["presented"],
        bgr=bgr,
    )


def _decode(jpeg_base64: str) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(jpeg_base64), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.astype(np.uint8, copy=False)
