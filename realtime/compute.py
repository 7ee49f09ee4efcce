"""The compute thread: the one place of a device where pixels are made, for all sessions, earliest deadline first."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, ParamSpec, TypeVar

from realtime.core.pressure import Waits, held_up_s
from realtime.core.schedule import DeadlineQueue

STUCK_S: Final = 1.0
"""A piece of work that runs for so long will hardly end: pieces are made to fit into a frame."""
P = ParamSpec("P")
R = TypeVar("R")


class ComputeThread:
    """Runs work one piece after another on a thread of its own. Drive it with `await run(...)`; `close` joins it.

    Of the pieces that wait, the one whose deadline is nearest runs next; a piece whose caller has given up is dropped
    before it starts. If a piece never ends, `relieve` has a new thread go on with the others."""

    def __init__(self, name: str = "compute") -> None:
        self._queue: DeadlineQueue[tuple[Future[Any], Callable[[], Any], float, float]] = DeadlineQueue()
        self._changed = threading.Condition()
        self._closed = False
        self._name = name
        self._begun_s: float | None = None
        self._awaited = 0
        self._watch: asyncio.TimerHandle | None = None
        self.relieved = 0
        self.waited = Waits(0, 0.0)
        """How much longer than they can spare pieces of work have waited for the thread."""
        self._thread = self._begin()

    async def run(self, left_s: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function on the compute thread; `left_s` is the time left until its result is due. Its exception, if
        any, is raised here; `RuntimeError` after `close`."""
        future: Future[R] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the compute thread is closed")
            now_s = time.monotonic()
            self._queue.push(now_s + left_s, (future, lambda: work(*args, **kwargs), now_s, left_s))
            self._changed.notify()
        if self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(STUCK_S / 2, self._look)
        self._awaited += 1
        try:
            return await asyncio.wrap_future(future)
        finally:
            self._awaited -= 1

    @property
    def thread_id(self) -> int | None:
        """The system's number of the thread that works now."""
        return self._thread.native_id

    def relieve(self) -> bool:
        """Leave a piece that has run for longer than `STUCK_S` to a thread that ends with it, and go on with a new
        one; whether it came to that."""
        with self._changed:
            begun_s = self._begun_s
            if self._closed or begun_s is None or time.monotonic() - begun_s < STUCK_S:
                return False
            self._begun_s = None
            self.relieved += 1
            self._thread = self._begin()
        return True

    def close(self) -> None:
        """Finish what runs, drop what waits, join the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._watch is not None:
            self._watch.cancel()
        self._thread.join()

    def _look(self) -> None:
        """One timer for all that wait: it stops when nobody does."""
        self.relieve()
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(STUCK_S / 2, self._look) if self._awaited else None

    def _begin(self) -> threading.Thread:
        thread = threading.Thread(target=self._work, args=(self.relieved,), name=self._name, daemon=True)
        thread.start()
        return thread

    def _work(self, turn: int) -> None:
        while True:
            with self._changed:
                if turn != self.relieved:
                    return
                self._begun_s = None
                while not self._queue and not self._closed:
                    self._changed.wait()
                if self._closed:
                    self._drop_waiting()
                    return
                future, work, asked_s, left_s = self._queue.pop()
                self._begun_s = begun_s = time.monotonic()
                held_s = held_up_s(begun_s - asked_s, left_s)
                self.waited = Waits(self.waited.count + 1, self.waited.total_s + held_s)
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # whatever it is, it belongs to the caller
                    future.set_exception(error)
            # a thread that waits would keep the last session alive that it worked for
            del future, work

    def _drop_waiting(self) -> None:
        while self._queue:
            self._queue.pop()[0].cancel()
