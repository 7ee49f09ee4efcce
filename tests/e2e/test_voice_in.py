"""A person speaks into the page's microphone: the words are recognised and answered, and talking over her stops her."""

import asyncio
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page

from bench.browser import open_page, start_talking
from bench.server_process import ServerProcess
from tests.voices import Speaker

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RATE_HZ = 48_000
LISTEN = """
() => {
  window.told = [];
  anima.session.addEventListener("message", ({ detail: { type, data } }) => {
    told.push({ type, text: data.text ?? "", final: data.final ?? null, at: performance.now() });
  });
}
"""


async def recording(path: Path, *parts: str | float) -> Path:
    """A WAV of sentences and silences in seconds, spoken by our own voice."""
    speaker = Speaker()
    try:
        pieces = [
            await speaker.say_48k(part, "martin") if isinstance(part, str)
            else np.zeros(round(part * RATE_HZ), np.int16) for part in parts
        ]  # fmt: skip
    finally:
        await speaker.aclose()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate(pieces).tobytes())
    return path


async def told(page: Page, kind: str, count: int = 1, patience_s: float = 30.0) -> list[dict[str, Any]]:
    """The messages of a type, once there are so many."""
    query = f"told.filter(({{ type }}) => type === '{kind}')"
    try:
        async with asyncio.timeout(patience_s):
            # asked from outside: the page's content policy forbids the eval that a wait inside of it would need
            while len(found := list(await page.evaluate(query))) < count:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"no {count} x {kind}; told: {await page.evaluate('told.map(({type, text}) => [type, text])')}")
    return found


async def test_a_spoken_question_is_answered_and_talking_over_the_answer_stops_it(
    server: ServerProcess, tmp_path: Path
) -> None:
    wav = await recording(
        tmp_path / "voice.wav", 1.0, "What can you do for me?", 2.6, "Please stop and wait a moment.", 30.0
    )
    async with open_page(server.url, voice=wav) as watched:
        page = watched.page
        await start_talking(page)
        await page.evaluate(LISTEN)
        button = page.locator("#mic")
        await button.wait_for(state="visible")
        assert await button.get_attribute("aria-pressed") == "false"
        assert "microphone on" in str(await button.get_attribute("aria-label"))
        await button.focus()
        await page.keyboard.press("Space")
        await page.wait_for_selector("#mic[data-mic=on][aria-pressed=true]")

        await told(page, "user-started-speaking")
        await told(page, "bot-started-speaking")
        said = [one["text"] for one in await told(page, "user-transcription") if one["final"]]
        assert "what can you do" in said[0].lower()
        stopped = await told(page, "bot-interrupted")
        begun = (await told(page, "user-started-speaking", 2))[1]
        assert abs(stopped[0]["at"] - begun["at"]) < 200, "she was stopped by the voice"
        await told(page, "bot-started-speaking", 2)
        turns = await page.evaluate("anima.turns.map(({ who, text, stopped }) => [who, text, stopped])")
        assert [who for who, _, _ in turns[:4]] == ["user", "host", "user", "host"]
        assert turns[1][2] and "stop" in turns[2][1].lower()

        await button.click()
        await page.wait_for_selector("#mic[data-mic=off][aria-pressed=false]")
        senders = "anima.session.peer.getSenders().filter(({ track }) => track).length"
        assert await page.evaluate(senders) == 0
        assert watched.complaints == []


async def test_without_the_button_nothing_is_sent_and_nobody_is_asked(server: ServerProcess, tmp_path: Path) -> None:
    wav = await recording(tmp_path / "voice.wav", "What can you do for me?", 5.0)
    async with open_page(server.url, voice=wav) as watched:
        await start_talking(watched.page)
        await watched.page.evaluate(LISTEN)
        await asyncio.sleep(3.0)
        assert await watched.page.evaluate("told.filter(({ type }) => type.startsWith('user-')).length") == 0
        sent = """anima.session.peer.getStats().then((all) => [...all.values()]
          .filter(({ type, packetsSent }) => type === "outbound-rtp" && packetsSent > 0).length)"""
        assert await watched.page.evaluate(sent) == 0


async def test_a_host_who_does_not_understand_the_language_offers_no_microphone(server: ServerProcess) -> None:
    async with open_page(f"{server.url}/?lang=zh", language="zh-CN") as watched:
        await start_talking(watched.page)
        await asyncio.sleep(0.5)
        assert await watched.page.locator("#mic").is_hidden()
