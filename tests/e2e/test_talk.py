"""A person types a sentence: the host answers in picture and sound, with lips in time, and can be interrupted."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import numpy as np
import pytest
from playwright.async_api import Page

from bench.browser import Recording, open_page, start_recording, start_talking, stop_recording
from bench.judge import MouthJudge
from bench.server_process import ServerProcess
from tests.e2e.alignment import best_lag, on_grid

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AUDIBLE = 0.01
"""RMS of full scale: speech is ten times louder, comfort noise a hundred times quieter."""
SYLLABLES = "Papa. [pause:0.3] Mama. [pause:0.5] Bar. [pause:0.2] Mama, papa. [pause:0.4] Baa. [pause:0.3] Ma."
"""On and off in an uneven rhythm: loudness alone says when the mouth should be open."""
SETTLED_MS = 1000
"""A browser on a loaded machine shows and plays late; `bench.barge_in` measures how soon she really stops."""
LONG = (
    "This is a rather long story about a little shop at the end of the street, where a baker and a painter met every "
    "morning, talked about bread and about colours, and never once agreed on anything that mattered to either of them."
)


WHEN_STOPPED = """
for (const kind of ["click", "keydown"]) {
  addEventListener(kind, (event) => {
    if (event.target.closest?.("#stop") || event.key === "Enter") window.stoppedMs ??= performance.now();
  }, true);
}
"""
"""Notes when the page gets the press: a driver's own time to find and press a button is not the host's."""


async def until(condition: Callable[[], Awaitable[bool]], what: str, patience_s: float = 30.0) -> None:
    """Wait for something that has to happen; fail with its name if it does not."""
    try:
        async with asyncio.timeout(patience_s):
            while not await condition():  # noqa: ASYNC110  # it happens in another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"did not happen: {what}")


async def activity(page: Page) -> str:
    return str(await page.evaluate("document.body.dataset.activity"))


async def ask(page: Page, text: str, *, exactly: bool = False) -> None:
    """Type a text and send it; `exactly` lets her speak just this."""
    await page.check(f"input[name=mode][value={'say' if exactly else 'ask'}]", force=True)
    await page.fill("#text", text)
    await page.press("#text", "Enter")


async def speaking(page: Page) -> None:
    async def is_speaking() -> bool:
        return await activity(page) == "speaking"

    await until(is_speaking, "she speaks")


async def silent(page: Page) -> None:
    async def is_silent() -> bool:
        return await activity(page) != "speaking"

    await until(is_silent, "she has finished", 60.0)


def level_between(recording: Recording, begin_ms: float, end_ms: float) -> float:
    """Median sound level of a stretch."""
    inside = (recording.sound_ms >= begin_ms) & (recording.sound_ms < end_ms)
    return float(np.median(recording.sound_level[inside]))


def openness(recording: Recording) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    """Display times and judged mouth openness of the kept pictures."""
    kept = [frame for frame in recording.frames if frame.bgr is not None]
    with MouthJudge(tracking=True) as judge:
        values = judge.openness([frame.bgr for frame in kept if frame.bgr is not None])
    return np.array([frame.display_ms for frame in kept]), values


async def test_she_answers_in_voice_and_picture(server: ServerProcess) -> None:
    async with open_page(server.url) as watched:
        page = watched.page
        await start_talking(page)
        await asyncio.sleep(1.5)
        await start_recording(page, pictures=True, sound=True)
        await asyncio.sleep(0.6)
        asked_ms = float(await page.evaluate("performance.now()"))
        await ask(page, "Hello! Who are you?")
        await speaking(page)
        await page.wait_for_selector("#captions:not([hidden])")
        words = await page.inner_text("#captions")
        await silent(page)
        log = await page.inner_text("#log")
        recording = await stop_recording(page)
        assert watched.complaints == []

    assert "Anima" in log and words.strip(), "the answer stands in the log and in the captions"

    first, last = recording.frames[0], recording.frames[-1]
    assert first.rtp is not None and last.rtp is not None
    media_s = ((last.rtp - first.rtp) & 0xFFFFFFFF) / 90_000
    shown = last.presented - first.presented
    # an overloaded machine gets 12.5 pictures a second and fewer on purpose: what counts here is that it moves
    assert shown >= 6 * media_s, f"{shown} frames shown in {media_s:.1f} s of media time"

    assert level_between(recording, asked_ms - 500, asked_ms) < AUDIBLE / 2, "silence before"
    loud = recording.sound_level > AUDIBLE
    assert loud.sum() > 60, "audible speech"

    times_ms, mouth = openness(recording)
    assert np.isnan(mouth).mean() < 0.05, "the judge finds her face"
    before, after = mouth[times_ms < asked_ms], mouth[times_ms >= asked_ms]
    assert np.nanmax(before) < 0.02, "a closed mouth in silence"
    assert np.nanmax(after) > 0.04, "an open mouth in speech"


async def syllables_heard_and_seen(page: Page) -> tuple[float, float]:
    """`(lag in ms, correlation)` of sound and mouth while she says the syllables; a positive lag is a late sound."""
    await start_recording(page, pictures=True, sound=True)
    await ask(page, SYLLABLES, exactly=True)
    await speaking(page)
    await silent(page)
    recording = await stop_recording(page)
    times_ms, mouth = openness(recording)
    begin_ms, end_ms = max(times_ms[0], recording.sound_ms[0]), min(times_ms[-1], recording.sound_ms[-1])
    return best_lag(
        on_grid(recording.sound_ms, recording.sound_level, begin_ms, end_ms),
        on_grid(times_ms, mouth, begin_ms, end_ms),
    )


async def test_lips_and_sound_go_together(server: ServerProcess) -> None:
    # A browser on a loaded machine plays raggedly, and its sound buffer grows: one good hearing of three is asked for.
    # Lips that are out of time are so every time.
    tries: list[tuple[float, float]] = []
    async with open_page(server.url) as watched:
        await start_talking(watched.page)
        await asyncio.sleep(1.0)
        for _ in range(3):
            lag_ms, correlation = await syllables_heard_and_seen(watched.page)
            tries.append((lag_ms, round(correlation, 2)))
            if correlation > 0.5 and -120 <= lag_ms <= 260:
                break
            await asyncio.sleep(2.0)
        else:
            pytest.fail(f"(lag in ms, correlation) of sound and mouth: {tries}")
        assert watched.complaints == []


@pytest.mark.parametrize("how", ["button", "typing"])
async def test_an_interruption_silences_her_and_closes_her_mouth(server: ServerProcess, how: str) -> None:
    async with open_page(server.url) as watched:
        page = watched.page
        await start_talking(page)
        await ask(page, LONG, exactly=True)
        await speaking(page)
        await asyncio.sleep(1.5)
        await start_recording(page, pictures=True, sound=True)

        async def audible() -> bool:
            return bool(await page.evaluate(f"recorder.sounds.slice(-60).filter((s) => s[1] > {AUDIBLE}).length > 30"))

        await asyncio.sleep(0.8)
        await until(audible, "she is heard")
        await page.evaluate(WHEN_STOPPED)
        if how == "button":
            await page.click("#stop")
        else:
            await ask(page, "[pause:2]", exactly=True)
        await silent(page)
        await asyncio.sleep(2.0)
        stopped_ms = float(await page.evaluate("window.stoppedMs"))
        recording = await stop_recording(page)
        turns = await page.evaluate("anima.turns.length")
        assert watched.complaints == []

    assert turns >= 1
    assert level_between(recording, stopped_ms - 700, stopped_ms) > AUDIBLE, "she was speaking"
    assert level_between(recording, stopped_ms + SETTLED_MS, stopped_ms + 1900) < AUDIBLE / 2, "she is silent"
    times_ms, mouth = openness(recording)
    assert np.nanmax(mouth[times_ms < stopped_ms]) > 0.03
    assert np.nanmax(mouth[times_ms > stopped_ms + SETTLED_MS]) < 0.02, "her mouth is closed"


async def test_chinese_is_answered_in_chinese(server: ServerProcess) -> None:
    async with open_page(f"{server.url}/?lang=zh", language="zh-CN") as watched:
        page = watched.page
        await start_talking(page)
        await start_recording(page, sound=True)
        await ask(page, "你好，你是谁？")
        await speaking(page)
        await page.wait_for_selector("#captions:not([hidden])")
        words = await page.inner_text("#captions")
        await asyncio.sleep(1.0)
        recording = await stop_recording(page)
        assert watched.complaints == []
    assert any("一" <= character <= "鿿" for character in words)
    assert (recording.sound_level > AUDIBLE).sum() > 20


async def running_sessions(server: ServerProcess) -> float:
    """The server's own count; asking for a session's state would count as using it."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return float(next(line for line in lines if line.startswith("anima_sessions ")).split()[1])


async def test_a_closed_page_leaves_nothing_behind(server: ServerProcess) -> None:
    before = await running_sessions(server)
    async with open_page(server.url) as watched:
        await start_talking(watched.page)
        await ask(watched.page, LONG, exactly=True)
        await speaking(watched.page)
        assert await running_sessions(server) >= 1

    async def gone() -> bool:
        return await running_sessions(server) <= before

    await until(gone, "the session ended with its page", 60.0)
