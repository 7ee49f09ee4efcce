"""Does anything grow or drift? Viewers come and go, then the host speaks on and on to one of them.

One real server with a folder of its own for what it draws, so that every run begins alike. A warm-up (a few viewers,
and everything that is going to be said) comes first, so that what is loaded once is not taken for a leak; then `cycles`
viewers connect to a session each, see a picture and leave, and for `minutes` one viewer listens.

- `rss_growth_mb`, `fd_growth`, `task_growth`, `thread_growth`: memory of the server and its own processes, its open
  file descriptors, its asyncio tasks and its threads at the end against those after the warm-up, with no session open
  at either time. Counted is what the processes hold for themselves; what is meant to fill up is not: mapped files, and
  the caches, which have budgets and count their own bytes (`caches_growth_mb`: ready pixels, speech, answers). The
  bench's own connections are closed before it looks.
- `rss_growth_cycles_mb`, `rss_growth_speaking_mb`: the two parts of it.
- `rest_mb_per_min`: the slope of that memory, caches taken off, over the second half of the speaking, and the ends of
  its 95 % interval (`rest_mb_per_min_low`, `rest_mb_per_min_high`); `rest_verdict` says what the interval allows.
  `caches_mb_per_min` is the slope of the caches' own bytes.
- `skew_drift_ms`: how far sound and picture have moved against each other on their way. A stream's delay in a window is
  the least of (arrival - RTP time) over its packets, which queueing can only raise; the skew is the difference of the
  two streams' delays, the drift the largest change of the skew against the first window.
"""

import asyncio
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from bench.growth import slope
from bench.harness import Goal, Option, Result, command
from bench.server_process import ServerProcess
from client.sdk import AnimaClient
from client.viewer.viewer import HeadlessViewer, SeenFrame

GOALS: Final = (
    Goal("rss_growth_mb", most=20.0),
    Goal("fd_growth", most=0),
    Goal("task_growth", most=0),
    Goal("thread_growth", most=0),
    Goal("rest_mb_per_min_low", most=0.0),
    Goal("skew_drift_ms", most=5.0),
)
MINUTES_PER_CYCLE: Final = 0.3
WARM_UP_CYCLES: Final = 10
WARM_UP_S: Final = 60.0
"""Of speech: all of it once, and what of it comes again."""
START_S: Final = 400.0
"""The server paints its hosts first: half a minute on a quiet machine."""
SPEECH: Final = (
    "Good evening and welcome back, it is lovely to see you here. [happy] Tonight I have three things to show you.",
    "The first one is a teapot, made by hand, fired twice, and as light as a feather. [wave] Have a look at it!",
    "大家好，欢迎来到我的直播间，今天给你们看一个非常漂亮的包。",
    "[sad] The last of these was sold yesterday, I am sorry to say. [neutral] But more of them will come on Monday.",
)
_VIDEO_HZ: Final = 90_000
_SOUND_HZ: Final = 48_000
_WINDOW_S: Final = 15.0
_PATIENCE_S: Final = 30.0
_ASK_EVERY_S: Final = 0.5
_SAMPLE_EVERY_S: Final = 5.0
_CACHES: Final = ("stock_bytes", "speech_cache_bytes", "answer_cache_bytes")


@dataclass(frozen=True, slots=True)
class Held:
    """What the server holds at one moment."""

    rss_mb: float
    caches_mb: float
    fds: Counter[str]
    tasks: int
    threads: int

    @property
    def own_mb(self) -> float:
        """Memory that has no budget of its own."""
        return self.rss_mb - self.caches_mb


@dataclass(slots=True)
class Course:
    """Memory over the time of speaking."""

    at_s: list[float] = field(default_factory=list)
    rest_mb: list[float] = field(default_factory=list)
    caches_mb: list[float] = field(default_factory=list)

    def add(self, at_s: float, seen: Held) -> None:
        """Note one sample."""
        self.at_s.append(at_s)
        self.rest_mb.append(seen.own_mb)
        self.caches_mb.append(seen.caches_mb)

    def result(self) -> Result:
        """Published keys of the second half; empty with too few samples."""
        half = len(self.at_s) // 2
        rest = slope(self.at_s[half:], self.rest_mb[half:])
        caches = slope(self.at_s[half:], self.caches_mb[half:])
        if rest is None or caches is None:
            return {}
        return {
            "rest_mb_per_min": round(rest.per_min, 3),
            "rest_mb_per_min_low": round(rest.low, 3),
            "rest_mb_per_min_high": round(rest.high, 3),
            "rest_verdict": rest.verdict,
            "caches_mb_per_min": round(caches.per_min, 3),
        }


@dataclass(slots=True)
class SkewMeter:
    """The least delay of each stream in each window. Times are seconds."""

    window_s: float = _WINDOW_S
    _least: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    _begun_s: float | None = None

    def add(self, stream: str, arrived_s: float, media_s: float) -> None:
        """Note that a packet with this media time arrived."""
        if self._begun_s is None:
            self._begun_s = arrived_s
        window = int((arrived_s - self._begun_s) / self.window_s)
        found = self._least[stream]
        found[window] = min(found.get(window, arrived_s - media_s), arrived_s - media_s)

    @property
    def drift_ms(self) -> float | None:
        """The largest change of the skew against the first whole window; None with fewer than two."""
        sound, picture = self._least["sound"], self._least["picture"]
        # the last window may be short, and what came while the path was still warming up is in the first
        whole = sorted(sound.keys() & picture.keys())[:-1]
        skews = [sound[window] - picture[window] for window in whole]
        return round(1e3 * max(abs(skew - skews[0]) for skew in skews), 2) if len(skews) > 1 else None


async def come_and_go(url: str, cycles: int) -> None:
    """Viewers come one after another, see a picture, and leave; their sessions end."""
    async with AnimaClient(url) as client:
        for _ in range(cycles):
            async with await client.create_session() as session, session.viewer() as viewer:
                await _first_picture(viewer)


async def _first_picture(viewer: HeadlessViewer) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        async for _ in viewer.frames():
            return
    raise TimeoutError("no picture came")


async def speak(url: str, for_s: float) -> SkewMeter:
    """The host speaks to one viewer all the time."""
    meter = SkewMeter()
    async with AnimaClient(url) as client, await client.create_session() as session:
        viewer = session.viewer()
        unwrap = {"picture": Unwrapped(), "sound": Unwrapped()}

        def seen(frame: SeenFrame) -> None:
            meter.add("picture", frame.arrived_s, unwrap["picture"](frame.rtp_time) / _VIDEO_HZ)

        viewer.on_frame = seen
        viewer.on_sound = lambda heard: meter.add(
            "sound", heard.arrived_s, unwrap["sound"](heard.rtp_time) / _SOUND_HZ
        )
        async with viewer:
            await _first_picture(viewer)
            end_s = time.monotonic() + for_s
            turn = 0
            while (left_s := end_s - time.monotonic()) > 0:
                if not (await session.state())["busy"]:
                    await session.say(SPEECH[turn % len(SPEECH)])
                    turn += 1
                await asyncio.sleep(min(_ASK_EVERY_S, left_s))
            await session.interrupt()
    return meter


class Unwrapped:
    """RTP time beyond 32 bits."""

    def __init__(self) -> None:
        self._last: int | None = None

    def __call__(self, rtp_time: int) -> int:
        """The same time, counted on from the last one."""
        if self._last is None:
            self._last = rtp_time
        step = (rtp_time - self._last + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000
        self._last += step
        return self._last


async def held(server: ServerProcess) -> Held:
    """What is held once every session has ended."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(_PATIENCE_S):
        while True:
            async with http.get(f"{server.url}/metrics") as answer:
                text = await answer.text()
            if _gauge(text, "sessions") == 0 and _gauge(text, "viewers") == 0:
                break
            await asyncio.sleep(_ASK_EVERY_S)
    # what the last viewer's end left to do: timers, closing sockets
    await asyncio.sleep(3.0)
    return await _look(server)


async def watch(server: ServerProcess, course: Course) -> None:
    """Sample until cancelled."""
    while True:
        course.add(time.monotonic(), await _look(server))
        await asyncio.sleep(_SAMPLE_EVERY_S)


async def _look(server: ServerProcess) -> Held:
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/metrics") as answer:
        text = await answer.text()
        # while this connection is open for certain: the server may take a moment to see its end
        caches_mb = sum(_gauge(text, name) for name in _CACHES) / 1e6
        return Held(server.private_mb(), caches_mb, server.open_files(), _gauge(text, "tasks"), server.threads())


def _gauge(text: str, name: str) -> int:
    found = re.search(rf"^anima_{name} ([0-9.e+]+)$", text, re.MULTILINE)
    assert found is not None, f"no metric anima_{name}"
    return int(float(found[1]))


async def soak(server: ServerProcess, cycles: int, minutes: float) -> Result:
    """The published keys of one server."""
    await come_and_go(server.url, WARM_UP_CYCLES)
    await speak(server.url, WARM_UP_S)
    before = await held(server)
    await come_and_go(server.url, cycles)
    between = await held(server)
    course = Course()
    watching = asyncio.create_task(watch(server, course))
    meter = await speak(server.url, minutes * 60.0)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    after = await held(server)
    drift_ms = meter.drift_ms
    return {
        "cycles": cycles,
        "minutes": minutes,
        "rss_growth_mb": round(after.own_mb - before.own_mb, 1),
        "rss_growth_cycles_mb": round(between.own_mb - before.own_mb, 1),
        "rss_growth_speaking_mb": round(after.own_mb - between.own_mb, 1),
        "caches_growth_mb": round(after.caches_mb - before.caches_mb, 1),
        "rss_mb": round(after.rss_mb, 1),
        "fd_growth": after.fds.total() - before.fds.total(),
        "task_growth": after.tasks - before.tasks,
        "thread_growth": after.threads - before.threads,
        **course.result(),
        "detail": {"fds_more": dict(after.fds - before.fds), "fds_fewer": dict(before.fds - after.fds)},
        **({} if drift_ms is None else {"skew_drift_ms": drift_ms}),
    }


def measure(n: int, cycles: int = 0, minutes: float = 0.0) -> Result:
    """The published keys, for `n` cycles and their minutes unless others are given."""
    cycles = cycles or n
    minutes = minutes or round(MINUTES_PER_CYCLE * n, 1)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        with ServerProcess(log=place / "server.log", packs_dir=place / "packs", timeout_s=START_S) as server:
            return asyncio.run(soak(server, cycles, minutes))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.soak`."""
    options = (
        Option("cycles", 0, "viewers that come and go, instead of --n"),
        Option("minutes", 0.0, f"of speech, instead of {MINUTES_PER_CYCLE} for each of --n"),
    )
    return command("soak", measure, GOALS, n=100, options=options, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
