"""Do several speaking sessions keep their time on this machine, and do sound and picture stay together?

A real server with a worker per core, sessions that speak without a pause, and one viewer each, in this process:
real ICE, DTLS and SRTP peers that read packet headers and decode nothing. `n` is the length of the measurement in
seconds.

- A picture or a sound is due when the sender reports say that its media time is, and came when the kernel had the
  packet that completes it: when this process gets to read it, while others take the processor, is no affair of the
  server's. `late_ratio`: the share of all that were promised which came more than one frame interval (40 ms) later, or
  never. `rate_given_up_ratio`: the share of the pictures of the full frame rate that were not promised, because the
  session had told before (its state's `decisions`) that it makes every other one. `picture_gap_ms_max`: the longest
  that one picture stood.
- `skew_ms`: of a picture and the sound packet of the same media time, how much later one arrived than the other, by the
  sender reports' clock, without sign; `skew_ms_median` with it, positive where the picture is later.
- `cpu_per_session`: processor time of all server processes per second and session; `ladder`: shares of frames by how
  much was done for them.
- `idle_share_1_session`: what one speaking session leaves of all cores.
- With `--overload_s S`, a third server is held up for S seconds by two busy programs per core, which is twice what
  there is, from when all sessions do their best on, or after `_BEST_WAIT_S` without that
  (`overload_low_before`: how many did not). `overload_skew_ms_max` is the largest skew of any picture meanwhile,
  `overload_down_ms_max` how long the slowest of the `overload_sessions_down` that stepped down from their best went on
  doing it: nothing where all were low already,
  `overload_back_s_max` how long after the end the last one was back to its best for good, and
  `overload_first_back_s_max` for the first time; infinite for one that was not. Not under `chrt`: who has real-time
  priority is not held up by others.
- `others_cpu`: cores that programs other than the bench and its server were using meanwhile; lateness tells little of
  the server where it is not near zero, unless all of this runs before them (`chrt --rr 1 python -m bench.deadlines`).
"""

import asyncio
import math
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession

from bench.arrivals import Arrivals, Watched, of_arrivals, skews_s, thinned
from bench.fanout_viewers import Tally, Viewer
from bench.harness import Goal, Option, Result, command, machine_busy_s
from bench.hog import Hog
from bench.server_process import ServerProcess
from client.sdk import AnimaClient, RemoteSession

GOALS: Final = (
    Goal("late_ratio", most=0.001),
    Goal("skew_ms_p99", most=20.0),
    Goal("idle_share_1_session", least=0.75),
    Goal("overload_skew_ms_max", most=45.0),
    Goal("overload_down_ms_max", most=200.0),
    Goal("overload_back_s_max", most=3.0),
)
_SAID: Final = (
    "Good evening, and welcome to the show. ",
    "The first thing on the table is a ceramic cup from a small workshop near the sea. ",
    "It holds a third of a litre, it is light, and it stays warm for an hour. ",
    "[nod] Next to it you see a scarf of merino wool, in blue, in green, and in a very deep red. ",
    "Which one would you take with you? ",
    "Later tonight we talk to the people who make them, and they answer your questions. ",
    "There are forty of each, and when they are gone, they are gone. ",
)
_SETTLE_S: Final = 5.0
_CHARS_PER_S: Final = 25.0
"""Faster than anybody speaks, so that the text outlasts the measurement."""
_SENTENCES_AT_ONCE: Final = 12


class Spectator(Viewer):
    """A cheap viewer of one session, that keeps when every picture and sound was due and came."""

    by_kernel = True

    def __init__(self, session: RemoteSession) -> None:
        super().__init__(Tally())
        self.session = session
        self.pictures: Arrivals = {}
        self.sounds: Arrivals = {}

    async def exchange(self, http: ClientSession, url: str, offer: str) -> str:
        """See `Viewer.exchange`; this server takes and gives JSON."""
        headers = {"Authorization": f"Bearer {self.session.credentials.token}"}
        async with http.post(url, json={"sdp": offer, "type": "offer"}, headers=headers) as reply:
            if reply.status != 200:
                raise ConnectionError(f"the offer was refused: {reply.status} {(await reply.text())[:200]}")
            return str((await reply.json())["sdp"])

    def completed(self, is_video: bool, due_wall_s: float, late_s: float) -> None:
        """See `Viewer.completed`."""
        (self.pictures if is_video else self.sounds)[due_wall_s] = late_s

    async def told(self) -> "Told":
        """What the session tells of itself, from the quickest of a few answers."""
        found = []
        for _ in range(3):
            asked_s = time.time()
            state = await self.session.state()
            answered_s = time.time()
            found.append((answered_s - asked_s, Told(state, (asked_s + answered_s) / 2 - state["clock_s"])))
        return min(found, key=lambda one: one[0])[1]

    def forget(self) -> None:
        """Begin anew."""
        self.pictures, self.sounds = {}, {}


@dataclass(frozen=True, slots=True)
class Told:
    """A session's state, and the Unix time at which its clock was zero: that was read about halfway between question
    and answer."""

    state: Mapping[str, Any]
    zero_s: float


@dataclass(frozen=True, slots=True)
class Busy:
    """Processor time so far of the server, of the viewers (this process) and of the whole machine, at one moment."""

    at_s: float
    server_s: float
    viewers_s: float
    machine_s: float

    @classmethod
    def now(cls, server: ServerProcess) -> "Busy":
        """As it is."""
        return cls(time.monotonic(), server.cpu_s(), time.process_time(), machine_busy_s())

    def since(self, earlier: "Busy") -> "Busy":
        """The difference."""
        return Busy(
            self.at_s - earlier.at_s,
            self.server_s - earlier.server_s,
            self.viewers_s - earlier.viewers_s,
            self.machine_s - earlier.machine_s,
        )


def texts(start: int, length_s: float) -> list[str]:
    """Enough to say for a while, in parts; sessions that start at different sentences are busy at different times."""
    sentences: list[str] = []
    while sum(map(len, sentences)) < length_s * _CHARS_PER_S:
        sentences.append(_SAID[(start + len(sentences)) % len(_SAID)])
    return ["".join(sentences[i : i + _SENTENCES_AT_ONCE]) for i in range(0, len(sentences), _SENTENCES_AT_ONCE)]


_AFTER_S: Final = 5.0
"""How long sessions are watched after an overload."""
_BEST_WAIT_S: Final = 20.0
"""How long it is waited before an overload for all to do their best."""
_LOOK_S: Final = 0.1


@asynccontextmanager
async def speaking(server: ServerProcess, sessions: int, window_s: float) -> AsyncIterator[list[Spectator]]:
    """Sessions that speak to a viewer each for a while, from when they have settled."""
    async with AnimaClient(server.url) as client, ClientSession() as http:
        opened = [await client.create_session() for _ in range(sessions)]
        spectators = [Spectator(session) for session in opened]
        try:
            for viewer in spectators:
                await viewer.join(http, client.absolute(viewer.session.credentials.offer_url))
            for index, session in enumerate(opened):
                for text in texts(index, _SETTLE_S + window_s):
                    await session.say(text)
                await asyncio.sleep(_SETTLE_S / sessions)
            yield spectators
        finally:
            await asyncio.gather(*(viewer.leave() for viewer in spectators), return_exceptions=True)
            await asyncio.gather(*(session.delete() for session in opened), return_exceptions=True)


async def run(server: ServerProcess, sessions: int, window_s: float) -> Result:
    """Sessions that speak to a viewer each, measured for a while."""
    async with speaking(server, sessions, window_s) as spectators:
        before = [await viewer.told() for viewer in spectators]
        for viewer in spectators:
            viewer.forget()
        busy = Busy.now(server)
        await asyncio.sleep(window_s)
        spent = Busy.now(server).since(busy)
        arrived = [(viewer.pictures, viewer.sounds) for viewer in spectators]
        after = [await viewer.session.state() for viewer in spectators]
    figures = of_arrivals(_watched(arrived, before, after)) | of_states([one.state for one in before], after)
    figures["cpu_per_session"] = round(spent.server_s / spent.at_s / sessions, 4)
    figures["idle_share"] = round(1.0 - spent.server_s / spent.at_s / cores(), 4)
    figures["viewers_cpu"] = round(spent.viewers_s / spent.at_s, 3)
    figures["others_cpu"] = round((spent.machine_s - spent.server_s - spent.viewers_s) / spent.at_s, 3)
    figures["speaking_at_end"] = sum(state["activity"] == "speaking" for state in after)
    return figures


async def overload(server: ServerProcess, sessions: int, hog_s: float) -> Result:
    """Sessions that speak while other programs take the processor, and after."""
    async with speaking(server, sessions, hog_s + _AFTER_S + _BEST_WAIT_S) as spectators:
        until_s = time.monotonic() + _BEST_WAIT_S
        while any([Standing.of(await viewer.session.state()).low for viewer in spectators]):
            if time.monotonic() > until_s:
                break
            await asyncio.sleep(_LOOK_S)
        for viewer in spectators:
            viewer.forget()
        before = [await viewer.told() for viewer in spectators]
        begun_s = time.time()
        with Hog(2 * cores()):
            await asyncio.sleep(hog_s)
            ended_s = time.time()
            arrived = [(viewer.pictures, viewer.sounds) for viewer in spectators]
            for viewer in spectators:
                viewer.forget()
        await asyncio.sleep(_AFTER_S)
        after = [await viewer.session.state() for viewer in spectators]
    watched = _watched(arrived, before, after)
    found = of_arrivals(watched)
    skews_ms = [abs(1e3 * skew_s) for one in watched for skew_s in skews_s(one.pictures, one.sounds)]
    result = {f"overload_{key}": found.get(key) for key in _KEPT}
    result["overload_skew_ms_max"] = round(max(skews_ms), 3) if skews_ms else None
    return result | of_decisions(before, after, begun_s, ended_s)


_KEPT: Final = (
    "skew_ms_p50", "skew_ms_p99", "late_picture_ratio", "late_sound_ratio", "rate_given_up_ratio", "picture_gap_ms_max",
)  # fmt: skip


def _watched(
    arrived: Sequence[tuple[Arrivals, Arrivals]], before: Sequence[Told], after: Sequence[Mapping[str, Any]]
) -> list[Watched]:
    found = zip(arrived, before, after, strict=True)
    return [Watched(*came, thinned(later, told.zero_s)) for came, told, later in found]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a session does for its frames: on which rung, of which it has at best, every how many-th frame."""

    rung: str
    best: str
    every: int

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Standing":
        """As the session tells it."""
        return cls(state["rung"], state["best"], state["every"])

    @property
    def low(self) -> bool:
        """Whether it is less than its best."""
        return self.rung != self.best or self.every > 1

    def after(self, step: Mapping[str, Any]) -> "Standing":
        """What a decision makes of it."""
        if step["kind"] == "ladder":
            return replace(self, rung=step["rung"])
        return replace(self, every=int(step["rung"].split()[-1])) if step["kind"] == "rate" else self


def standings(told: Told, later: Mapping[str, Any], begun_s: float) -> list[tuple[float, Standing]]:
    """How a session stood at a Unix time after it told of itself, and from each decision on that changed that."""
    stood = Standing.of(told.state)
    found: list[tuple[float, Standing]] = []
    for step in later["decisions"]:
        if step["at_s"] > told.state["clock_s"]:
            stood = stood.after(step)
            found.append((step["at_s"] + told.zero_s, stood))
    earlier = [one for at_s, one in found if at_s < begun_s]
    at_begin = earlier[-1] if earlier else Standing.of(told.state)
    return [(begun_s, at_begin), *((at_s, one) for at_s, one in found if at_s >= begun_s)]


def of_decisions(
    before: Sequence[Told], after: Sequence[Mapping[str, Any]], begun_s: float, ended_s: float
) -> Result:
    """When the sessions stepped down after an overload began and were back after it had ended (Unix times)."""
    down_ms, first_s, back_s, low = [], [], [], 0
    for told, later in zip(before, after, strict=True):
        stood = standings(told, later, begun_s)
        low += stood[0][1].low
        fell = [at_s for (_, was), (at_s, came) in pairwise(stood) if at_s <= ended_s and came.low and not was.low]
        down_ms += [1e3 * (at_s - begun_s) for at_s in fell[:1]]
        at_end = [one for at_s, one in stood if at_s <= ended_s][-1]
        rose = [at_s for (_, was), (at_s, came) in pairwise(stood) if at_s > ended_s and was.low and not came.low]
        first_s.append(0.0 if not at_end.low else min(rose, default=math.inf) - ended_s)
        back_s.append(math.inf if stood[-1][1].low else max(rose, default=ended_s) - ended_s)
    return {
        "overload_low_before": low,
        "overload_sessions_down": len(down_ms),
        "overload_down_ms_max": round(max(down_ms), 1) if down_ms else None,
        "overload_first_back_s_max": round(max(first_s), 2),
        "overload_back_s_max": round(max(back_s), 2),
    }


def of_states(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Result:
    """What the server says of its sessions: frames by rung, and its own counts of what was late."""
    ladder: dict[str, int] = {}
    for earlier, later in zip(before, after, strict=True):
        for rung, count in later["rungs"].items():
            ladder[rung] = ladder.get(rung, 0) + count - earlier["rungs"].get(rung, 0)
    total = max(1, sum(ladder.values()))
    names = ("frames", "late", "skipped", "steps_down", "sound_late_ticks")
    counted = {
        f"server_{name}": sum(b[name] - a[name] for a, b in zip(before, after, strict=True)) for name in names
    }
    shares = {rung: round(count / total, 4) for rung, count in ladder.items() if count}
    return {"ladder": shares, **counted, "stages_ms": after[0]["stages_ms"]}


def cores() -> int:
    """How many this process, and so the server, may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(n: int, sessions: int, workers: int, overload_s: int) -> Result:
    """The published keys, over `n` seconds each with many sessions and with one."""
    settings = {"workers": str(workers or cores())}
    with tempfile.TemporaryDirectory() as scratch:
        with ServerProcess(log=Path(scratch) / "many.log", settings=settings) as server:
            many = asyncio.run(run(server, sessions, n))
        with ServerProcess(log=Path(scratch) / "one.log", settings=settings) as server:
            one = asyncio.run(run(server, 1, n))
        held: Result = {}
        if overload_s:
            with ServerProcess(log=Path(scratch) / "held.log", settings=settings) as server:
                held = asyncio.run(overload(server, sessions, overload_s))
    del many["idle_share"]
    return {**many, **held, "idle_share_1_session": one["idle_share"], "one_session": one}


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.deadlines`."""
    options = (
        Option("sessions", 8, "speaking sessions"),
        Option("workers", 0, "server processes; 0 is one per core"),
        Option("overload_s", 0, "also hold the machine up for so many seconds"),
    )
    return command("deadlines", measure, GOALS, n=30, options=options, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
