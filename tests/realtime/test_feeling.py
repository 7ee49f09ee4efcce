"""Feeling of pressure: everyone is told, nothing runs while nobody feels, waits are read where Linux has them."""

import asyncio
import os
import sys
import threading
from typing import Any, cast

import pytest

from realtime.compute import ComputeThread
from realtime.core.budget import Step
from realtime.core.pressure import Waits
from realtime.feeling import Crowd, Feeling, ThreadWaits
from tests.virtual_time import now_s, run_virtual


class Held:
    """A compute thread for which work waits ever longer."""

    thread_id = None

    def __init__(self, begins_s: float, ends_s: float) -> None:
        self._span_s = (begins_s, ends_s)

    @property
    def waited(self) -> Waits:
        begins_s, ends_s = self._span_s
        held_s = max(0.0, min(now_s(), ends_s) - begins_s)
        return Waits(round(100 * now_s()), 0.03 * now_s() + 0.3 * held_s)


def feeling(begins_s: float, ends_s: float, steps: list[Step]) -> Feeling:
    return Feeling(cast(Any, Held(begins_s, ends_s)), steps.append)


async def make_frames(felt: Feeling, length_s: float) -> None:
    for _ in range(round(length_s / 0.04)):
        felt.framed(0.6, strained=False)
        await asyncio.sleep(0.04)


def test_everyone_is_told_of_every_change() -> None:
    async def main() -> None:
        steps: list[Step] = []
        told: dict[str, list[tuple[float, int]]] = {"a": [], "b": [], "c": []}
        felt = feeling(1.0, 2.0, steps)
        with felt.felt(lambda depth, why: told["a"].append((now_s(), depth))):
            with felt.felt(lambda depth, why: told["b"].append((now_s(), depth))):
                await make_frames(felt, 1.5)
                with felt.felt(lambda depth, why: told["c"].append((now_s(), depth))):
                    assert told["c"] == [(now_s(), 1)], "who comes under pressure is told at once"
                    await make_frames(felt, 1.5)
        assert told["a"] == told["b"] and [depth for _, depth in told["a"]] == [1, 0]
        assert 1.0 < told["a"][0][0] <= 1.2 and 2.4 < told["a"][1][0] < 2.7
        assert [(step.kind, step.rung) for step in steps] == [("pressure", "some"), ("pressure", "none")]

    run_virtual(main())


def test_nothing_runs_while_nobody_feels_and_pressure_is_not_remembered() -> None:
    async def main() -> None:
        felt = feeling(0.2, 9.0, [])
        with felt.felt(lambda depth, why: None):
            await make_frames(felt, 1.0)
            under = felt.depth
        assert (under, felt.depth) == (1, 0)
        pending = [handle for handle in cast(Any, asyncio.get_running_loop())._scheduled if not handle.cancelled()]
        assert pending == []

    run_virtual(main())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="schedstat is Linux's")
def test_threads_waits_are_read_and_the_files_let_go() -> None:
    files = len(os.listdir("/proc/self/fd"))
    waits = ThreadWaits()
    own = waits.of(threading.get_native_id())
    if own is None:
        pytest.skip("this kernel keeps no such figures")
    assert own.count > 0 and own.total_s >= 0.0
    assert waits.of(threading.get_native_id(), 0) is None and waits.of(None) is None
    assert len(os.listdir("/proc/self/fd")) == files, "of threads that nobody asks for any more no file is kept"
    assert waits.of(threading.get_native_id()) is not None
    waits.close()
    assert len(os.listdir("/proc/self/fd")) == files


async def test_a_compute_thread_tells_how_long_work_waited() -> None:
    compute, gate = ComputeThread(), threading.Event()
    try:
        first = asyncio.ensure_future(compute.run(0.0, gate.wait))
        second = asyncio.ensure_future(compute.run(0.01, lambda: None))
        await asyncio.sleep(0)  # both are handed in before the time begins that the second one waits
        await asyncio.sleep(0.02)
        gate.set()
        await asyncio.gather(first, second)
        assert compute.waited.count == 2 and compute.waited.total_s >= 0.01
        assert compute.thread_id is not None
    finally:
        gate.set()
        compute.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells how many threads run")
def test_the_crowd_is_told_for_each_processor() -> None:
    crowd = Crowd()
    here = crowd.now()
    crowd.close()
    assert here >= 1.0 / (os.cpu_count() or 1), "this thread runs, at least"
    assert crowd.now() > 0.0, "it is opened anew"
    crowd.close()
