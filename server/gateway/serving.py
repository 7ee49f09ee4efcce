"""`anima serve` with several workers: prepare once, start them, pass requests on until a signal comes."""

import asyncio
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from server import log
from server.config import CPU_SHARE_LEAST, SESSIONS_PER_MIN_LEAST, Config
from server.gateway.affinity import Affinity
from server.gateway.proxy import Gateway
from server.gateway.workers import END_MOST_S, WorkerPool
from server.loading import flag
from server.pressure_board import notes
from server.serving import ProgressBar, address_url, listening_socket, stop_on_signal, tls_context
from server.surfaces import Progress

UPLOAD_MAX_BYTES: Final = 33 * 1024 * 1024
"""The largest request passed on: a photo in its form. What each route takes is the worker's business."""
Prepare = Callable[[Config, Progress], None]


def run(config: Config, prepare: Prepare, started_s: float, arguments: Sequence[str]) -> None:
    """Serve until a signal comes. `arguments` are this process's own, which the workers get too, with a loopback port
    each. `prepare` does the long work (baking) before any worker starts."""
    log.configure(config.log_level, config.log_format, config.secrets())
    tls = tls_context(config)
    listening_socket(config).close()
    with ProgressBar() as progress:
        prepare(config, progress)
    with notes(config.workers) as told:
        asyncio.run(
            _serve(
                config, started_s, worker_command(config, arguments),
                lambda index: [*own_arguments(config, index), flag("pressure_note"), str(told[index])], tls,
            )
        )  # fmt: skip


def worker_command(config: Config, arguments: Sequence[str]) -> list[str]:
    """The command of one worker: the same settings, but alone, on loopback, behind one more proxy that does TLS."""
    own = ["--workers", "1", "--host", "127.0.0.1", "--port", "0", "--proxy-hops", str(config.proxy_hops + 1)]
    own += ["--tls-cert", "", "--tls-key", ""]
    return [sys.executable, "-m", "server.cli", *arguments, *own]


def own_arguments(config: Config, index: int) -> list[str]:
    """What one worker has to itself: its part of what all may take together, for each knows its own sessions only, and
    a port for viewers that come over TCP, who reach it directly."""
    share = max(CPU_SHARE_LEAST, config.cpu_share / config.workers)
    own = ["--cpu-share", str(share), "--max-sessions", str(sessions_of(config, index))]
    own += [flag("public_part"), str(part_of(config.public_sessions, config.workers, index))]
    for name in ("sessions_per_min", "key_sessions_per_min"):
        own += [flag(name), str(max(SESSIONS_PER_MIN_LEAST, getattr(config, name) / config.workers))]
    return [*own, "--ice-tcp-port", str(config.ice_tcp_port + index)] if config.ice_tcp_port else own


def sessions_of(config: Config, index: int) -> int:
    """How many of all sessions one worker may run; at least one, for a worker without any would serve nobody."""
    return max(1, part_of(config.max_sessions, config.workers, index))


def part_of(whole: int, workers: int, index: int) -> int:
    """One worker's part; all of them together are the whole."""
    each, left = divmod(whole, workers)
    return each + (index < left)


async def _serve(
    config: Config, started_s: float, command: Sequence[str], own: Callable[[int], Sequence[str]],
    tls: ssl.SSLContext | None,
) -> None:
    affinity = Affinity()
    pool = WorkerPool(config.workers, command, affinity.forget, own)
    gateway = Gateway(pool, affinity, max(config.body_limit_bytes, UPLOAD_MAX_BYTES))
    runner = web.AppRunner(gateway.application(), access_log=None)
    stop = stop_on_signal()
    try:
        if not await begun(pool, stop):
            return
        await runner.setup()
        listener = listening_socket(config)
        await web.SockSite(runner, listener, ssl_context=tls).start()
        url = config.public_url or address_url(config.host, listener.getsockname()[1], tls is not None)
        took_s = time.monotonic() - started_s
        print(f"Anima is ready at {url} with {config.workers} workers ({took_s:.1f} s)", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
        # a worker drains twice: requests that are being answered, then its sessions
        await pool.aclose(2 * config.drain_timeout_s + END_MOST_S)


async def begun(pool: WorkerPool, stop: asyncio.Event) -> bool:
    """Start the workers; False if a signal came before they were ready. Raises `TimeoutError`."""
    starting = asyncio.create_task(pool.start(), name="start-workers")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if starting.done():
        await starting
        return True
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    return False
