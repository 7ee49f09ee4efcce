"""The worker processes: each a whole server on a loopback port of its own, started anew when it dies."""

import asyncio
import contextlib
import logging
import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

log = logging.getLogger(__name__)

READY: Final = re.compile(rb"Anima is ready at (http://[^ ]+)")
START_TIMEOUT_S: Final = 120.0
RESTART_PAUSE_S: Final = 1.0
END_MOST_S: Final = 10.0
"""What a worker may take to end beyond the time its sessions are given to drain."""


@dataclass(slots=True)
class Worker:
    """One worker. `url` is None while it starts."""

    index: int
    process: asyncio.subprocess.Process | None = None
    url: str | None = None
    sessions: int = 0
    restarts: int = 0


class WorkerPool:
    """Starts workers by this command, keeps them running, ends them. `on_lost` is told which one died; `own` says what
    a worker's command has beyond the others', by its index."""

    def __init__(
        self,
        count: int,
        arguments: Sequence[str],
        on_lost: Callable[[int], None],
        own: Callable[[int], Sequence[str]] = lambda index: (),
    ) -> None:
        self.workers = [Worker(index) for index in range(count)]
        self._arguments = tuple(arguments)
        self._own = own
        self._on_lost = on_lost
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start all workers and wait until they are ready. Raises `TimeoutError`."""
        self._keepers = [asyncio.create_task(self._keep(one), name=f"worker-{one.index}") for one in self.workers]
        async with asyncio.timeout(START_TIMEOUT_S):
            while any(worker.url is None for worker in self.workers):  # noqa: ASYNC110  # several processes, one wait
                await asyncio.sleep(0.02)

    async def aclose(self, most_s: float = END_MOST_S) -> None:
        """End all workers; they drain their sessions first. One that still runs after `most_s` is killed."""
        for task in self._keepers:
            task.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(_end(worker, most_s) for worker in self.workers))

    async def _keep(self, worker: Worker) -> None:
        while True:
            try:
                await self._run_once(worker)
            except (OSError, ValueError):
                # no process to be had, or a line without end: it is tried again like one that died
                log.exception("worker %d cannot be kept and is started anew", worker.index)
                if worker.process is not None and worker.process.returncode is None:
                    worker.process.kill()
                    await worker.process.wait()
            worker.url, worker.sessions = None, 0
            worker.restarts += 1
            self._on_lost(worker.index)
            await asyncio.sleep(RESTART_PAUSE_S)

    async def _run_once(self, worker: Worker) -> None:
        """Start a worker and wait until it ends."""
        process = worker.process = await asyncio.create_subprocess_exec(
            *self._arguments, *self._own(worker.index), stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        assert process.stdout is not None
        async for line in process.stdout:
            ready = READY.search(line)
            if ready is not None:
                worker.url = ready[1].decode()
        status = await process.wait()
        log.error("worker %d ended with status %d and is started anew", worker.index, status)


async def _end(worker: Worker, most_s: float) -> None:
    process = worker.process
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(most_s):
            await process.wait()
    except TimeoutError:
        log.error("worker %d did not end within %g s and is killed", worker.index, most_s)
        # with the processes it started: each worker leads a session of its own
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
