"""Feels the pressure on this process while frames are made, and tells every session of it at once."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Final

from realtime.compute import ComputeThread
from realtime.core.budget import Step
from realtime.core.pressure import Depth, Exchange, Pressure, Priority, Sign, Waits, alone, depth_for

EVERY_S: Final = 0.02
"""How often the waits are looked at."""


class Feeling:
    """One per process. Whoever makes frames is told of each change of the pressure while it is `felt`, and tells of its
    frames (`framed`). It works only while somebody feels; all methods run on the event loop. `exchange` joins it with
    that of other processes."""

    def __init__(
        self,
        compute: ComputeThread,
        on_step: Callable[[Step], None] = lambda step: None,
        exchange: Exchange = alone,
    ) -> None:
        self._exchange = exchange
        self._pressure = Pressure()
        self._compute = compute
        self._on_step = on_step
        self._felt: dict[Callable[[int, str], None], Priority] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self._woken = Waits(0, 0.0)
        self._threads = ThreadWaits()
        self._crowd = Crowd()

    @property
    def depth(self) -> Depth:
        """0 is no pressure, 2 much."""
        return self._pressure.depth

    @property
    def much_s(self) -> float:
        """For how long there has been much pressure; 0 if there is not."""
        return self._pressure.much_s(asyncio.get_running_loop().time())

    @contextlib.contextmanager
    def felt(self, press: Callable[[int, str], None], priority: Priority = "normal") -> Iterator[None]:
        """Within, `press` is called with the depth that each new pressure has for this priority, and what it is felt
        by."""
        self._felt[press] = priority
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._due_s = loop.time() + EVERY_S
            self._timer = loop.call_at(self._due_s, self._look)
        try:
            if self._pressure.depth:
                press(depth_for(priority, self._pressure.depth), self._pressure.reason)
            yield
        finally:
            del self._felt[press]
            if not self._felt and self._timer is not None:
                self._timer.cancel()
                self._timer = None
                self._pressure = Pressure()
                self._threads.close()
                self._crowd.close()

    def framed(self, share: float, *, strained: bool) -> None:
        """See `Pressure.framed`."""
        self._pressure.framed(share, asyncio.get_running_loop().time(), strained=strained)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        late_s = max(0.0, now_s - self._due_s)
        self._woken = Waits(self._woken.count + 1, self._woken.total_s + late_s)
        waits: dict[Sign, Waits] = {"timers": self._woken, "work": self._compute.waited}
        threads = self._threads.of(threading.get_native_id(), self._compute.thread_id)
        if threads is not None:
            waits["threads"] = threads
        step = self._pressure.look(waits, now_s, self._exchange, self._crowd.now())
        self._due_s = now_s + EVERY_S
        self._timer = loop.call_at(self._due_s, self._look)
        if step is not None:
            self._on_step(step)
            for press, priority in list(self._felt.items()):
                press(depth_for(priority, self._pressure.depth), self._pressure.reason)


class Crowd:
    """How many threads of the whole machine run or could run, as Linux counts them (proc_loadavg(5): the first part of
    the fourth field), whoever's they are."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._processors = os.cpu_count() or 1

    def now(self) -> float:
        """For each processor, right now; 0 where the system does not tell."""
        try:
            if self._file is None:
                self._file = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
            return int(os.pread(self._file, 128, 0).split()[3].split(b"/")[0]) / self._processors
        except (OSError, ValueError, IndexError):
            return 0.0

    def close(self) -> None:
        """Let go of the file; it is opened anew when asked again."""
        if self._file is not None:
            os.close(self._file)
        self._file = None


class ThreadWaits:
    """How long threads of this process have waited for a processor when they could have run, as Linux counts it
    (Documentation/scheduler/sched-stats.rst: time run, time waited, both in ns, and times run)."""

    def __init__(self) -> None:
        self._files: dict[int, int] = {}

    def of(self, *threads: int | None) -> Waits | None:
        """Of these threads together; None where the system does not tell."""
        # a thread that was relieved is asked for no more, and its number may come again
        for gone in self._files.keys() - threads:
            os.close(self._files.pop(gone))
        count, total_ns = 0, 0
        for thread in threads:
            if thread is None:
                return None
            try:
                if thread not in self._files:
                    self._files[thread] = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
                _, waited_ns, runs = os.pread(self._files[thread], 96, 0).split()
            except (OSError, ValueError):
                self.close()
                return None
            count, total_ns = count + int(runs), total_ns + int(waited_ns)
        return Waits(count, 1e-9 * total_ns)

    def close(self) -> None:
        """Let go of the files; they are opened anew when asked again."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()
