"""How soon the host falls silent when interrupted in the middle of an answer that a language model still streams.

A real server, a headless viewer on loopback, and a local endpoint that streams 30 words a second. `interrupt` goes over
the data channel while the host speaks. Everything is measured from then, at the viewer.

- `to_silence_ms`: arrival of the first sound packet after the last one with anything audible in it.
- `to_closed_mouth_ms`: arrival of the first picture from which on the mouth stays shut, as mediapipe sees it. Only
  interruptions that met an open mouth count (`mouths_open`), for in fluent speech it is shut now and then.
- `stale_frames`: what of the dropped answer still came after 120 ms: pictures with an open mouth, audible sound
  packets, and pictures whose trace carries the old epoch.
- `llm_cancel_ms`: when the endpoint saw its stream closed; `llm_cancelled_ratio`: in how many of the trials it did.
"""

import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.harness import Goal, Result, command, percentiles
from bench.judge import MouthJudge
from bench.llm_stub import LlmStub
from bench.response import OPENED, bgr
from bench.server_process import ServerProcess
from bench.watching import Kept, Watch, audible
from client.sdk import AnimaClient

LIMIT_MS: Final = 120.0
GOALS: Final = (
    Goal("to_silence_ms_p95", most=LIMIT_MS),
    Goal("to_closed_mouth_ms_p95", most=LIMIT_MS),
    Goal("stale_frames", most=0),
    Goal("llm_cancelled_ratio", least=1.0),
)
_QUESTION: Final = "Tell me about the cup, please."
_SPOKEN_S: Final = (0.6, 2.8)
"""How long the host speaks before it is interrupted, drawn at random."""
_BEFORE_S: Final = 0.2
_WATCHED_S: Final = 1.2
_REST_S: Final = 1.0
_SETTLE_S: Final = 2.0

Timed = tuple[float, bool]
"""Milliseconds after the interruption, and whether a mouth was open or a sound audible."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What followed one interruption, in milliseconds after it was sent."""

    silence_ms: float
    closed_ms: float | None
    """None if the mouth was shut when it was sent."""
    stale: int
    told_ms: float
    """When the viewer was told of it."""
    llm_ms: float | None


async def trials(url: str, n: int, llm: LlmStub, rng: random.Random) -> list[Trial]:
    """`n` answers, each interrupted."""
    found = []
    async with AnimaClient(url) as client, await client.create_session() as session, Watch(session) as watch:
        await asyncio.sleep(_SETTLE_S)
        with MouthJudge() as judge:
            for _ in range(n):
                found.append(await _interrupted(watch, judge, llm, rng.uniform(*_SPOKEN_S)))
    return found


async def _interrupted(watch: Watch, judge: MouthJudge, llm: LlmStub, spoken_s: float) -> Trial:
    watch.kept = Kept()
    await asyncio.sleep(_REST_S)
    idle = watch.kept.pictures[-8:]
    await watch.send("send-text", {"content": _QUESTION})
    await watch.message("bot-started-speaking")
    await asyncio.sleep(spoken_s - _BEFORE_S)
    watch.kept = kept = Kept()
    await asyncio.sleep(_BEFORE_S)
    sent_s = await watch.tell("interrupt")
    told_s, told = await watch.message("bot-interrupted")
    await asyncio.sleep(_WATCHED_S)
    watch.kept = Kept()
    rest = await asyncio.to_thread(judge.openness, [bgr(picture) for picture in idle])
    opened = await asyncio.to_thread(judge.openness, [bgr(picture) for picture in kept.pictures])
    limit = float(np.nanmax(rest)) + OPENED
    mouth = [
        (1e3 * (picture.arrived_s - sent_s), bool(value > limit))
        for picture, value in zip(kept.pictures, opened, strict=True)
        if not np.isnan(value)
    ]
    before = [on for at_ms, on in mouth if at_ms <= 0.0]
    sound = [(1e3 * (packet.arrived_s - sent_s), audible(packet)) for packet in kept.sounds]
    traces = [m["data"]["d"] for _, m in kept.messages if m["type"] == "server-message" and m["data"]["t"] == "trace"]
    old = sum(
        trace["epoch"] < told["data"]["epoch"] and trace["media_s"] > told["data"]["media_s"] + LIMIT_MS / 1e3
        for trace in traces
    )
    stopped = [1e3 * (at_s - sent_s) for at_s in llm.dropped_s if at_s >= sent_s]
    return Trial(
        silence_ms=ended_ms(sound),
        closed_ms=ended_ms(mouth) if before and before[-1] else None,
        stale=after_limit(sound) + after_limit(mouth) + old,
        told_ms=1e3 * (told_s - sent_s),
        llm_ms=stopped[0] if stopped else None,
    )


def ended_ms(units: Sequence[Timed]) -> float:
    """When the first unit after zero came from which on nothing was open or audible; infinite if there is none."""
    units = [unit for unit in units if unit[0] > 0.0]
    last = max((index for index, (_, on) in enumerate(units) if on), default=-1)
    return units[last + 1][0] if last + 1 < len(units) else float("inf")


def after_limit(units: Sequence[Timed]) -> int:
    """How many units were still open or audible after the limit."""
    return sum(on and at_ms > LIMIT_MS for at_ms, on in units)


async def run(n: int, scratch: Path) -> list[Trial]:
    """Endpoint, server and trials."""
    async with LlmStub() as llm:
        settings = {"llm_base_url": llm.base_url, "llm_model": "stub"}
        server = ServerProcess(log=scratch / "server.log", settings=settings)
        await asyncio.to_thread(server.start)
        try:
            return await trials(server.url, n, llm, random.Random(1))
        finally:
            await asyncio.to_thread(server.stop)


def measure(n: int) -> Result:
    """The published keys, for `n` interruptions."""
    with tempfile.TemporaryDirectory() as scratch:
        found = asyncio.run(run(n, Path(scratch)))
    closed = [trial.closed_ms for trial in found if trial.closed_ms is not None]
    cancelled = [trial.llm_ms for trial in found if trial.llm_ms is not None]
    return {
        **percentiles([trial.silence_ms for trial in found], "to_silence_ms"),
        **percentiles(closed, "to_closed_mouth_ms"),
        "mouths_open": len(closed),
        "stale_frames": sum(trial.stale for trial in found),
        **percentiles([trial.told_ms for trial in found], "to_interrupted_event_ms"),
        **percentiles(cancelled, "llm_cancel_ms"),
        "llm_cancelled_ratio": round(len(cancelled) / len(found), 3),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.barge_in`."""
    return command("barge_in", measure, GOALS, n=20, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
