"""The compute thread: the one place of a device where pixels are made, for all sessions, earliest deadline first."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from realtime.core.schedule import DeadlineQueue

P = ParamSpec("P")
R = TypeVar("R")


class ComputeThread:
    """Runs work one piece after another on a thread of its own. Drive it with `await run(...)`; `close` joins it.

    Of the pieces that wait, the one whose deadline is nearest runs next; a piece whose caller has given up is dropped
    before it starts."""

    def __init__(self, name: str = "compute") -> None:
        self._queue: DeadlineQueue[tuple[Future[Any], Callable[[], Any]]] = DeadlineQueue()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, left_s: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function on the compute thread; `left_s` is the time left until its result is due. Its exception, if
        any, is raised here; `RuntimeError` after `close`."""
        future: Future[R] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the compute thread is closed")
            self._queue.push(time.monotonic() + left_s, (future, lambda: work(*args, **kwargs)))
            self._changed.notify()
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what runs, drop what waits, join the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if self._closed:
                    self._drop_waiting()
                    return
                future, work = self._queue.pop()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # whatever it is, it belongs to the caller
                future.set_exception(error)

    def _drop_waiting(self) -> None:
        while self._queue:
            self._queue.pop()[0].cancel()
