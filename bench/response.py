"""How soon a text is heard and seen: from `say` over the data channel to sound, moving mouth and lit pixels.

A real server, a headless viewer and a Chromium on loopback. What is measured at a viewer is an upper bound of what
leaves the server: it holds the way over the loopback and the viewer's receiving.

- `text_to_sound_ms`: arrival of the Opus packet with the first audible sample.
- `text_to_mouth_ms`: arrival of the first picture whose mouth is open, as mediapipe sees it, against the idle
  pictures before. The texts begin with sounds that open the mouth.
- `text_to_display_ms`: Chromium's `expectedDisplayTime` of the first picture whose media time is not before the start
  of the speech, which `bot-started-speaking` tells.

`--scene commerce`, `tutor`, `npc`, `meeting` or `ar` measures answers to comments instead, `--llm 1` those of a
language model: see `bench.answers`.
"""

import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page

from bench import answers
from bench.browser import NoChromium, Recording, open_page, start_recording, start_talking, stop_recording
from bench.harness import Goal, Option, Result, command, percentiles
from bench.judge import MouthJudge
from bench.server_process import ServerProcess
from bench.watching import Kept, Watch, audible
from client.sdk import AnimaClient
from client.viewer.viewer import SeenFrame
from realtime.core.scenes import SCENES
from realtime.core.units import VIDEO_CLOCK_HZ

GOALS: Final = (
    Goal("text_to_sound_ms_p50", most=60.0),
    Goal("text_to_sound_ms_p95", most=100.0),
    Goal("text_to_mouth_ms_p50", most=60.0),
    Goal("text_to_mouth_ms_p95", most=100.0),
    Goal("text_to_display_ms_p95", most=150.0),
)
CLAUSE_GOALS: Final = (Goal("clause_to_sound_ms_p95", most=120.0),)
TEXTS: Final = (
    "Hello there.",
    "Oh, yes.",
    "I am here for you.",
    "All of these are new today.",
    "How are you? Let us look at the first one together.",
    "Yes, there are three of them left.",
    "Our next story is about a lighthouse at the end of the world, and about the woman who kept it.",
    "Each one costs nineteen euros and ninety cents.",
    "Look at this.",
    "Welcome to my show!",
)
"""Short and long; none begins with closed lips, which would be seen later for a good reason."""
OPENED: Final = 0.008
"""A mouth is open when its openness exceeds the largest of the idle pictures by this share of the face's height. At
rest it is judged 0.001 to 0.003, open 0.02 to 0.15."""
_IDLE_S: Final = (0.5, 1.2)
"""Silence before a text, drawn at random so that the frame clock is met at every phase."""
_MOUTH_S: Final = 0.6
_SETTLE_S: Final = 2.0
_WRAP: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Trial:
    """What followed one text, in milliseconds after it was sent."""

    sound_ms: float
    mouth_ms: float | None
    picture_ms: float
    """Arrival of the first picture that belongs to the speech, whatever it shows."""
    planned_ms: float
    """The server's own figure: from the text's arrival to the media time of the first sample."""


async def watch_trials(url: str, n: int, scene: str | None, rng: random.Random) -> tuple[list[Trial], dict[str, Any]]:
    """`n` texts said to a headless viewer, and the server's own figures of the session."""
    trials = []
    async with AnimaClient(url) as client, await client.create_session(scene=scene) as session:
        async with Watch(session) as watch:
            await asyncio.sleep(_SETTLE_S)
            with MouthJudge() as judge:
                for index in range(n):
                    trials.append(await _watched(watch, judge, TEXTS[index % len(TEXTS)], rng.uniform(*_IDLE_S)))
            return trials, (await session.state())["stages_ms"]


async def _watched(watch: Watch, judge: MouthJudge, text: str, idle_s: float) -> Trial:
    watch.kept = kept = Kept()
    await asyncio.sleep(idle_s)
    sent_s = await watch.tell("say", text=text)
    _, started = await watch.message("bot-started-speaking")
    await asyncio.sleep(_MOUTH_S)
    pictures = list(kept.pictures)
    await watch.message("bot-stopped-speaking", timeout_s=30.0)
    first = await watch.until(lambda: next((s for s in kept.sounds if s.arrived_s > sent_s and audible(s)), None))
    start_s = started["data"]["media_s"]
    picture = next(p for p in pictures if watch.media_s(p) >= start_s)
    planned = next(m["data"] for _, m in kept.messages if m["type"] == "metrics")
    opened = await asyncio.to_thread(first_open, judge, pictures, sent_s)
    return Trial(
        sound_ms=1e3 * (first.arrived_s - sent_s),
        mouth_ms=None if opened is None else 1e3 * (opened.arrived_s - sent_s),
        picture_ms=1e3 * (picture.arrived_s - sent_s),
        planned_ms=float(planned["processing"][0]["value"]),
    )


def first_open(judge: MouthJudge, pictures: Sequence[SeenFrame], after_s: float) -> SeenFrame | None:
    """The first picture that arrived after a time with a mouth more open than in the pictures before, or None."""
    idle = judge.openness([bgr(p) for p in pictures if p.arrived_s <= after_s][-10:])
    if not len(idle) or np.isnan(idle).all():
        return None
    limit = float(np.nanmax(idle)) + OPENED
    for picture in pictures:
        if picture.arrived_s > after_s and judge.openness([bgr(picture)])[0] > limit:
            return picture
    return None


def bgr(picture: SeenFrame) -> NDArray[np.uint8]:
    """A received picture, uint8 of shape (height, width, 3)."""
    return np.asarray(cv2.cvtColor(picture.pixels, cv2.COLOR_YUV2BGR_I420), np.uint8)


_LISTEN: Final = """() => {
  window.told = {origin: null, startS: null, stopped: () => {}};
  anima.session.addEventListener("message", ({detail}) => {
    if (detail.type === "bot-ready") told.origin = detail.data.about.video_rtp_origin;
    if (detail.type === "bot-started-speaking") told.startS ??= detail.data.media_s;
    if (detail.type === "bot-stopped-speaking") told.stopped();
  });
}"""
_SAY: Final = """text => {
  told.startS = null;
  told.done = new Promise((resolve) => { told.stopped = resolve; });
  const sentMs = performance.now();
  anima.session.say(text);
  return sentMs;
}"""


async def display_trials(url: str, n: int, rng: random.Random) -> list[float]:
    """For each of `n` texts, milliseconds until Chromium expects the first picture of the speech to be visible."""
    found = []
    async with open_page(url) as watched:
        page = watched.page
        await page.evaluate(_LISTEN)
        await start_talking(page)
        await asyncio.sleep(_SETTLE_S)
        for index in range(n):
            await asyncio.sleep(rng.uniform(*_IDLE_S))
            found.append(await _displayed_ms(page, TEXTS[index % len(TEXTS)]))
    return found


async def _displayed_ms(page: Page, text: str) -> float:
    await start_recording(page)
    sent_ms: float = await page.evaluate(_SAY, text)
    async with asyncio.timeout(30.0):
        await page.evaluate("told.done")
    recording = await stop_recording(page)
    origin, start_s = await page.evaluate("[told.origin, told.startS]")
    return displayed_ms(recording, origin, start_s) - sent_ms


def displayed_ms(recording: Recording, origin: int, media_s: float) -> float:
    """When the first picture of a media time or later is expected to be visible, on the recording's clock."""
    for frame in recording.frames:
        if frame.rtp is not None:
            ticks = (frame.rtp - origin + _WRAP // 2) % _WRAP - _WRAP // 2
            # RTP time is rounded to a tick
            if ticks + 1 >= media_s * VIDEO_CLOCK_HZ:
                return frame.display_ms
    raise LookupError(f"no picture at or after {media_s:.3f} s was shown")


def measure(n: int, scene: str, llm: int) -> Result:
    """The published keys, for `n` texts to each kind of viewer, comments or questions."""
    if llm:
        return _measure_llm(n)
    if scene in answers.SCENES:
        return _measure_comments(n, scene)
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as scratch, ServerProcess(log=Path(scratch) / "server.log") as server:
        trials, stages_ms = asyncio.run(watch_trials(server.url, n, scene or None, rng))
        try:
            displayed = asyncio.run(display_trials(server.url, n, rng))
        except NoChromium as error:
            print(f"no display times: {error}", file=sys.stderr)
            displayed = []
    mouths = [trial.mouth_ms for trial in trials if trial.mouth_ms is not None]
    return {
        **percentiles([trial.sound_ms for trial in trials], "text_to_sound_ms"),
        **percentiles(mouths, "text_to_mouth_ms"),
        **percentiles(displayed, "text_to_display_ms"),
        "mouths_seen": len(mouths),
        **percentiles([trial.picture_ms for trial in trials], "text_to_picture_ms"),
        **percentiles([trial.planned_ms for trial in trials], "server_text_to_sound_ms"),
        "stages_ms": stages_ms,
        "trials": [[t.sound_ms, t.mouth_ms, t.picture_ms, t.planned_ms] for t in trials],
        "displayed_ms": displayed,
    }


def _measure_comments(n: int, scene: str) -> Result:
    with tempfile.TemporaryDirectory() as scratch, ServerProcess(log=Path(scratch) / "server.log") as server:
        waits_ms, response = asyncio.run(answers.comments(server.url, scene, n, random.Random(1)))
    return {**percentiles(waits_ms, "comment_to_sound_ms"), "server_response": response, "waits_ms": waits_ms}


def _measure_llm(n: int) -> Result:
    with tempfile.TemporaryDirectory() as scratch:
        after_clause, in_all = asyncio.run(answers.prompted(Path(scratch), n))
    return {
        **percentiles(after_clause, "clause_to_sound_ms"),
        **percentiles(in_all, "question_to_sound_ms"),
        "clauses_ms": after_clause,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.response`."""
    scene = Option("scene", "", "commerce, tutor, npc, meeting or ar: answers to comments in that scene")
    llm = Option("llm", 0, "1: answers of a language model that streams 30 tokens a second")
    asked = [] if argv is None else list(argv)
    asked = asked or sys.argv[1:]
    return command("response", measure, _goals(asked), n=20, options=(scene, llm), argv=argv)


def _goals(argv: Sequence[str]) -> tuple[Goal, ...]:
    """What this run is held against: a scene has its own budget."""
    for name in answers.SCENES:
        if name in argv or f"--scene={name}" in argv:
            return (Goal("comment_to_sound_ms_p95", most=float(SCENES[name].budget_ms)),)
    return CLAUSE_GOALS if "--llm" in " ".join(argv) else GOALS


if __name__ == "__main__":
    sys.exit(main())
