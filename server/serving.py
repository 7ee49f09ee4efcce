"""`anima serve` once the settings are known: build, listen, say where, and drain on the first signal."""

import asyncio
import errno
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from aiohttp import web
from tqdm import tqdm

from realtime.core.errors import ConfigError
from server import log
from server.app import create_app
from server.collector import settle_collector
from server.config import Config
from server.loading import flag, unknown_variables
from server.surfaces import Progress, Services

logger = logging.getLogger(__name__)
PARENT_EVERY_S = 1.0
Build = Callable[[Config, Progress], Services]


def run(config: Config, build: Build, started_s: float) -> None:
    """Serve until a signal comes. `started_s` is the process's start on `time.monotonic`.

    Raises `ConfigError` when the address cannot be listened on, before any long work."""
    log.configure(config.log_level, config.log_format, config.secrets())
    for name in unknown_variables():
        logger.warning("the environment variable %s sets nothing", name)
    tls = tls_context(config)
    listening_socket(config).close()
    with ProgressBar() as progress:
        services = build(config, progress)
    asyncio.run(_serve(config, services, started_s, tls))


def tls_context(config: Config) -> ssl.SSLContext | None:
    """TLS 1.2 and later with the configured certificate; None without one. Raises `ConfigError`."""
    if config.tls_cert is None or config.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # a key with a passphrase would have the server wait at a terminal nobody sees
        context.load_cert_chain(config.tls_cert, config.tls_key, password="")
    except (OSError, ssl.SSLError) as error:
        names = f"tls_cert ({config.source('tls_cert')}) and tls_key ({config.source('tls_key')})"
        raise ConfigError(f"{names} cannot be used: {error.strerror or error}") from None
    return context


async def _serve(config: Config, services: Services, started_s: float, tls: ssl.SSLContext | None) -> None:
    app = create_app(services, config)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=config.drain_timeout_s)
    stop = stop_on_signal()
    try:
        await runner.setup()
        listener = listening_socket(config)
        await web.SockSite(runner, listener, ssl_context=tls).start()
        url = config.public_url or address_url(config.host, listener.getsockname()[1], tls is not None)
        settle_collector()
        print(f"Anima is ready at {url} ({time.monotonic() - started_s:.1f} s)", flush=True)
        # only a worker is given a note; its gateway, if killed, cannot tell it to end
        alone = asyncio.create_task(end_with_parent(stop)) if config.pressure_note is not None else None
        await stop.wait()
        if alone is not None:
            alone.cancel()
        logger.info("shutting down")
    finally:
        await runner.cleanup()


async def end_with_parent(stop: asyncio.Event) -> None:
    """Set the event when the process that started this one is gone."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  # nobody tells of it
        await asyncio.sleep(PARENT_EVERY_S)
    logger.warning("the process that started this one is gone")
    stop.set()


def stop_on_signal() -> asyncio.Event:
    """An event that the first SIGINT or SIGTERM sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _on_signal, loop, number, stop)
    return stop


def _on_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: asyncio.Event) -> None:
    stop.set()
    # the next signal of this kind ends the process at once, should draining hang
    loop.remove_signal_handler(number)


def listening_socket(config: Config) -> socket.socket:
    """A socket that listens where the settings say. Raises `ConfigError` when it cannot."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    # a port in TIME_WAIT may be taken again, one that somebody listens on may not (POSIX)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise _cannot_listen(config, error) from None
    return listener


def _cannot_listen(config: Config, error: OSError) -> ConfigError:
    port = f"port = {config.port} ({config.source('port')})"
    if error.errno == errno.EADDRINUSE:
        return ConfigError(f"{port} is in use: stop what listens there, or choose another with {flag('port')}")
    if error.errno == errno.EACCES:
        return ConfigError(f"{port} may not be used without privileges: choose one above 1023 with {flag('port')}")
    host = f"host = {config.host!r} ({config.source('host')})"
    return ConfigError(f"{host} is no address of this machine: {error.strerror or error}")


def address_url(host: str, port: int, tls: bool = False) -> str:
    """The address to open in a browser on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"{'https' if tls else 'http'}://{shown}:{port}"


class ProgressBar:
    """Long work on the terminal: one bar per kind of work; without a terminal, one line when each begins."""

    def __init__(self) -> None:
        self._what = ""
        self._bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self._what:
            self._close()
            self._what = what
            if sys.stderr.isatty():
                self._bar = tqdm(total=total, desc=what, unit="", dynamic_ncols=True)
            else:
                logger.info("%s: %d steps", what, total)
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None
