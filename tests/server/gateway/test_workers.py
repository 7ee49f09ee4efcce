"""Real worker processes behind the gateway: a viewer connects through it, and one worker's death is its own."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client.sdk import AnimaClient, ApiError, Busy, NotFound, RemoteSession


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[str, int]]:
    """Address and process of `anima serve --workers 2`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server.cli", "serve", "--workers", "2", "--port", "0",
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "ANIMA_SESSIONS_PER_MIN": "600"},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(120):
        line = (await process.stdout.readline()).decode()
    found = re.search(r"http://\S+", line)
    assert found, line
    yield found[0], process.pid
    if process.returncode is None:
        process.terminate()
    await process.wait()


def worker_pids(gateway_pid: int) -> list[int]:
    """The gateway's children that serve (Linux); what painted the packs may be another."""
    children = Path(f"/proc/{gateway_pid}/task/{gateway_pid}/children").read_text().split()
    return [int(pid) for pid in children if b"server.cli" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def told_why(session: RemoteSession) -> None:
    """Ask until the gateway has noticed; meanwhile it says that the worker does not answer."""
    while True:
        try:
            await session.state()
        except Busy as error:
            assert error.retry_after_s
            await asyncio.sleep(0.1)


async def alive(session: RemoteSession) -> bool:
    try:
        await session.state()
    except ApiError:
        return False
    return True


@pytest.mark.slow
async def test_a_dead_worker_takes_only_its_own_sessions_and_is_started_anew(gateway: tuple[str, int]) -> None:
    address, pid = gateway
    async with AnimaClient(address) as client:
        sessions = [await client.create_session() for _ in range(4)]
        async with sessions[0].viewer() as viewer:
            async with asyncio.timeout(30):
                async for _ in viewer.frames():
                    break
        os.kill(worker_pids(pid)[0], signal.SIGKILL)
        async with asyncio.timeout(60):
            while sum([await alive(one) for one in sessions]) == 4:  # noqa: ASYNC110  # another process's doing
                await asyncio.sleep(0.1)
            assert sum([await alive(one) for one in sessions]) == 2
            for one in sessions:
                if not await alive(one):
                    with pytest.raises(NotFound, match="the process that held it ended unexpectedly"):
                        await told_why(one)
                else:
                    async with one.viewer() as viewer:
                        assert await anext(viewer.frames()) is not None
            while len(worker_pids(pid)) < 2:  # noqa: ASYNC110  # another process's doing
                await asyncio.sleep(0.1)
            fresh = await client.create_session()
            assert await alive(fresh)


@pytest.mark.slow
async def test_workers_end_with_a_gateway_that_was_killed(gateway: tuple[str, int]) -> None:
    address, pid = gateway
    async with AnimaClient(address) as client:
        await client.create_session()
    workers = worker_pids(pid)
    assert len(workers) == 2
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        while any(runs(worker) for worker in workers):  # noqa: ASYNC110  # other processes' doing
            await asyncio.sleep(0.1)


def runs(pid: int) -> bool:
    """Whether a process has not ended (Linux); one that nobody has waited for has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
