"""A small pool of synthesis worker processes that speak `frames`; one that crashes or hangs is replaced.

A job streams a worker's answer. The worker goes back to the pool when the job's `DONE` has been read; a job that is
given up earlier is cancelled, and the rest of its answer is read and thrown away in the background.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, Final

from models.speech import frames
from realtime.core.errors import UpstreamError

log = logging.getLogger(__name__)

ESPEAK_COMMAND: Final = (sys.executable, "-P", "-m", "models.speech.espeak_worker")
_SOURCE_ROOT: Final = Path(__file__).resolve().parents[2]
_INHERITED: Final = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR")
"""What a worker sees of our environment: keys and tokens are none of its business."""
_WORKER_LIMIT_S: Final = 5.0
"""A worker silent for this long in the middle of a job, or at its start, is taken to hang."""
_CANCEL_LIMIT_S: Final = 1.0


class Worker:
    """One worker process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process, limit_s: float) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process, self._in, self._out = process, process.stdin, process.stdout
        self._limit_s = limit_s
        self._jobs = itertools.count(1)
        self._frames: asyncio.Queue[tuple[bytes, int, bytes] | UpstreamError] = asyncio.Queue()
        self._pump = asyncio.create_task(self._read_on())
        self.sample_rate = 0
        self.busy_job = 0

    @classmethod
    async def start(cls, command: Sequence[str], limit_s: float) -> "Worker":
        """Start a process and wait until it is ready."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        paths = [str(_SOURCE_ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**inherited, "PYTHONPATH": os.pathsep.join(paths)},
            )
        except OSError as error:
            raise UpstreamError(f"the speech worker does not start: {error}") from error
        worker = cls(process, limit_s)
        try:
            kind, _, payload = await worker._read()
            if kind != frames.READY:
                raise UpstreamError(f"the speech worker began with frame {kind!r}")
            worker.sample_rate = int(json.loads(payload)["sample_rate"])
        except BaseException:
            await worker.stop()
            raise
        return worker

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    async def run(self, request: dict[str, Any]) -> AsyncGenerator[tuple[bytes, bytes], None]:
        """Yield the `(kind, payload)` frames of a job up to its end."""
        self.busy_job = next(self._jobs)
        try:
            self._in.write(frames.encode(frames.SPEAK, self.busy_job, json.dumps(request).encode()))
            await self._in.drain()
        except ConnectionError as error:
            raise UpstreamError("the speech worker has crashed") from error
        while True:
            kind, _, payload = await self._read()
            if kind == frames.FAILED:
                self.busy_job = 0
                raise UpstreamError(f"speech synthesis failed: {payload.decode(errors='replace')}")
            if kind == frames.DONE:
                self.busy_job = 0
                return
            yield kind, payload

    async def settle(self) -> None:
        """Cancel the job under way, if any, and read its answer to the end."""
        if not self.busy_job:
            return
        self._in.write(frames.encode(frames.CANCEL, self.busy_job))
        async with asyncio.timeout(_CANCEL_LIMIT_S):
            while True:
                kind, job, _ = await self._read()
                if job == self.busy_job and kind in (frames.DONE, frames.FAILED):
                    self.busy_job = 0
                    return

    async def stop(self) -> None:
        """End the process."""
        if self.alive:
            self._process.kill()
        self._in.close()
        await self._process.wait()
        await asyncio.wait([self._pump])

    async def _read(self) -> tuple[bytes, int, bytes]:
        if self._frames.empty():
            try:
                async with asyncio.timeout(self._limit_s):
                    frame = await self._frames.get()
            except TimeoutError as error:
                raise UpstreamError(f"the speech worker has been silent for {self._limit_s:g} s") from error
        else:
            frame = self._frames.get_nowait()
        if isinstance(frame, UpstreamError):
            self._frames.put_nowait(frame)  # nothing will ever follow it
            raise frame
        return frame

    async def _read_on(self) -> None:
        """Parse the worker's output in a task of its own: a reader that is cancelled must not lose half a frame."""
        try:
            while True:
                length, kind, job = frames.decode_header(await self._out.readexactly(frames.HEADER.size))
                self._frames.put_nowait((kind, job, await self._out.readexactly(length)))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._frames.put_nowait(UpstreamError("the speech worker has crashed"))
        except ValueError as error:
            self._frames.put_nowait(UpstreamError(f"the speech worker sent {error}"))


class WorkerPool:
    """Up to `size` workers, started when first needed or by `warm_up`."""

    def __init__(
        self, size: int = 2, command: Sequence[str] = ESPEAK_COMMAND, limit_s: float = _WORKER_LIMIT_S
    ) -> None:
        self._size = size
        self._command, self._limit_s = tuple(command), limit_s
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self.restarts = 0

    async def warm_up(self) -> None:
        """Start all workers."""
        missing = self._size - len(self._idle)
        self._idle.extend(await asyncio.gather(*(self._start() for _ in range(missing))))

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run."""
        return tuple(worker.pid for worker in self._all if worker.alive)

    async def run(self, request: dict[str, Any]) -> AsyncGenerator[tuple[bytes, bytes], None]:
        """Stream one job: `(AUDIO | EVENTS, payload)`. Raises UpstreamError if the worker crashes, hangs or refuses."""
        await self._slots.acquire()
        worker: Worker | None = None
        try:
            worker = await self._take()
            async with contextlib.aclosing(worker.run(request)) as job:
                async for kind, payload in job:
                    yield kind, payload
        finally:
            if worker is None or not worker.busy_job:
                self._give_back(worker)
            else:
                task = asyncio.create_task(self._settle(worker))
                self._settling.add(task)
                task.add_done_callback(self._settling.discard)

    async def aclose(self) -> None:
        """End all workers."""
        if self._settling:
            await asyncio.gather(*self._settling, return_exceptions=True)
        self._idle.clear()
        workers, self._all = self._all, set()
        await asyncio.gather(*(worker.stop() for worker in workers))

    async def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await self._bury(worker)
        return await self._start()

    async def _start(self) -> Worker:
        worker = await Worker.start(self._command, self._limit_s)
        self._all.add(worker)
        return worker

    def _give_back(self, worker: Worker | None) -> None:
        if worker is not None:
            self._idle.append(worker)
        self._slots.release()

    async def _settle(self, worker: Worker) -> None:
        try:
            await worker.settle()
        except (UpstreamError, TimeoutError, ConnectionError):
            await self._bury(worker)
            self._slots.release()
        else:
            self._give_back(worker)

    async def _bury(self, worker: Worker) -> None:
        self.restarts += 1
        log.warning("speech worker %d is gone and will be replaced", worker.pid)
        self._all.discard(worker)
        await worker.stop()
