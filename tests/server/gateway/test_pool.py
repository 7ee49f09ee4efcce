"""Workers are kept whatever happens to them: no process to be had, a line without end, one that hangs or is deaf."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import server.gateway.proxy
import server.gateway.workers
from server.gateway.affinity import Affinity
from server.gateway.proxy import Gateway
from server.gateway.serving import begun
from server.gateway.workers import WorkerPool

READY = "print('Anima is ready at http://127.0.0.1:1', flush=True); import time; time.sleep(600)"
DEAF = (
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print('Anima is ready at http://127.0.0.1:1', child.pid, flush=True); time.sleep(600)"
)
ENDLESS = "import sys, time; sys.stdout.write('x' * 300_000); sys.stdout.flush(); time.sleep(600)"


@pytest.mark.parametrize("trouble", ["none to be had", "a line without end"])
async def test_a_worker_that_could_not_be_kept_is_started_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    monkeypatch.setattr(server.gateway.workers, "RESTART_PAUSE_S", 0.0)
    begun: list[int] = []

    def own(index: int) -> Sequence[str]:
        begun.append(index)
        if len(begun) > 1:
            return [READY]
        if trouble == "none to be had":
            raise BlockingIOError("fork: resource temporarily unavailable")
        return [ENDLESS]

    lost: list[int] = []
    pool = WorkerPool(1, (sys.executable, "-c"), lost.append, own)
    try:
        await pool.start()
        assert begun == [0, 0] and lost == [0] and pool.workers[0].restarts == 1
        assert "is started anew" in caplog.text
    finally:
        await pool.aclose()
    assert all(one.process is not None and one.process.returncode is not None for one in pool.workers)


async def test_a_worker_that_is_deaf_to_its_end_is_killed_with_what_it_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool = WorkerPool(1, (sys.executable, "-c", DEAF), lambda index: None)
    await pool.start()
    deaf = pool.workers[0].process
    assert deaf is not None
    await pool.aclose(most_s=0.5)
    assert deaf.returncode == -signal.SIGKILL
    assert [one.message for one in caplog.records] == ["worker 0 did not end within 0.5 s and is killed"]
    async with asyncio.timeout(60.0):
        while members(deaf.pid):  # noqa: ASYNC110  # the kernel's doing
            await asyncio.sleep(0.01)


def members(group: int) -> list[int]:
    """The processes of a group that still run (Linux)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, own = stat.read_text().rpartition(") ")[2].split()[:3]
            found += [int(stat.parent.name)] if int(own) == group and state != "Z" else []
    return found


async def test_a_signal_while_workers_start_is_not_kept_waiting() -> None:
    stop = asyncio.Event()
    pool = WorkerPool(1, (sys.executable, "-c", "import time; time.sleep(600)"), lambda index: None)
    starting = asyncio.create_task(begun(pool, stop))
    async with asyncio.timeout(60.0):
        while pool.workers[0].process is None:  # noqa: ASYNC110  # the pool tells nobody
            await asyncio.sleep(0.01)
        assert not starting.done()
        stop.set()
        assert await starting is False
        await pool.aclose()
    assert pool.workers[0].process.returncode is not None
    ready = WorkerPool(1, (sys.executable, "-c", READY), lambda index: None)
    try:
        assert await begun(ready, asyncio.Event()) is True
    finally:
        await ready.aclose()


async def test_a_worker_that_hangs_keeps_nobody_from_the_others_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.gateway.proxy, "METRICS_MOST_S", 0.05)
    monkeypatch.setattr(server.gateway.proxy, "COUNT_EVERY_S", 0.01)
    hanging, counts = asyncio.Event(), iter(["nonsense {{{", "# TYPE other gauge\nother 1\n"])

    async def hang(request: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=next(counts, "# TYPE anima_sessions gauge\nanima_sessions 7\n"))

    pool = WorkerPool(2, (), lambda index: None)
    servers = []
    for answer, worker in zip((hang, tell), pool.workers, strict=True):
        app = web.Application()
        app.router.add_get("/metrics", answer)
        servers.append(TestServer(app))
        await servers[-1].start_server()
        worker.url = str(servers[-1].make_url("")).rstrip("/")
    client = TestClient(TestServer(Gateway(pool, Affinity(), 1000).application()))
    await client.start_server()
    try:
        async with asyncio.timeout(20.0):
            while pool.workers[1].sessions != 7:  # noqa: ASYNC110  # the gateway asks now and then
                await asyncio.sleep(0.01)
            async with client.get("/metrics") as merged:
                assert 'anima_sessions{worker="1"} 7.0' in await merged.text()
    finally:
        hanging.set()
        await client.close()
        for one in servers:
            await one.close()


async def test_a_stream_ends_with_its_worker() -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        assert request.transport is not None
        request.transport.close()
        return response

    app = web.Application()
    app.router.add_get("/events", half)
    worker, pool = TestServer(app), WorkerPool(1, (), lambda index: None)
    await worker.start_server()
    pool.workers[0].url = str(worker.make_url("")).rstrip("/")
    client = TestClient(TestServer(Gateway(pool, Affinity(), 1000).application()))
    await client.start_server()
    try:
        async with client.get("/events") as answer:
            with pytest.raises(Exception, match="not completed|closed|payload"):
                await answer.read()
            assert answer.status == 200
    finally:
        await client.close()
        await worker.close()
