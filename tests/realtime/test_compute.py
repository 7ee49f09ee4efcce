"""The compute thread: order by deadline, exceptions, cancellation, closing."""

import asyncio
import threading

import pytest

from realtime.compute import ComputeThread
from realtime.core.schedule import DeadlineQueue


def test_the_earliest_deadline_comes_first_and_equals_in_order() -> None:
    queue: DeadlineQueue[str] = DeadlineQueue()
    for deadline_s, name in ((3.0, "c"), (1.0, "a1"), (2.0, "b"), (1.0, "a2")):
        queue.push(deadline_s, name)
    assert [queue.pop() for _ in range(len(queue))] == ["a1", "a2", "b", "c"]


async def test_what_is_due_first_runs_first() -> None:
    compute = ComputeThread()
    gate, order = threading.Event(), list[str]()
    blocker = asyncio.create_task(compute.run(9.0, gate.wait))
    await asyncio.sleep(0.01)
    jobs = [asyncio.create_task(compute.run(left_s, order.append, name)) for left_s, name in ((3, "late"), (1, "soon"))]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(blocker, *jobs)
    assert order == ["soon", "late"]
    compute.close()


async def test_an_exception_belongs_to_its_caller_and_the_thread_goes_on() -> None:
    compute = ComputeThread()
    with pytest.raises(ZeroDivisionError):
        await compute.run(1.0, lambda: 1 / 0)
    assert await compute.run(1.0, lambda: 7) == 7
    compute.close()


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    compute = ComputeThread()
    gate, ran = threading.Event(), list[int]()
    blocker = asyncio.create_task(compute.run(0.0, gate.wait))
    given_up = asyncio.create_task(compute.run(1.0, ran.append, 1))
    await asyncio.sleep(0.01)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    gate.set()
    await blocker
    await compute.run(5.0, lambda: None)
    assert ran == []
    compute.close()


async def test_closing_joins_the_thread_and_refuses_work() -> None:
    threads = threading.active_count()
    compute = ComputeThread()
    await compute.run(1.0, lambda: None)
    compute.close()
    assert threading.active_count() == threads
    with pytest.raises(RuntimeError, match="closed"):
        await compute.run(1.0, lambda: None)
