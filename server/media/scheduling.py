"""Keeps a library from giving itself, or whoever calls it, real-time priority."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_TASKS: Final = Path("/proc/self/task")


@contextmanager
def own_scheduling() -> Iterator[None]:
    """What is called within leaves the caller as it was scheduled, and its threads are scheduled like the caller.

    SVT-AV1 takes the highest real-time priority (SCHED_FIFO, 99) where it may, as root, for its threads and for the one
    that opens it; programs started from there inherit it, and one of them that spins takes the machine with it."""
    if not _TASKS.is_dir():
        yield
        return
    before = {}
    for thread in _threads():
        with suppress(ProcessLookupError):
            before[thread] = _scheduling(thread)
    own = _scheduling(0)
    try:
        yield
    finally:
        for thread in _threads():
            # a thread may end meanwhile
            with suppress(ProcessLookupError):
                policy, priority = before.get(thread, own)
                if _scheduling(thread) != (policy, priority):
                    os.sched_setscheduler(thread, policy, os.sched_param(priority))


def _threads() -> list[int]:
    return [int(task.name) for task in _TASKS.iterdir()]


def _scheduling(thread: int) -> tuple[int, int]:
    return os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority
