"""What is no HTTP, or breaks off, is answered where it can be, and is no error in the log."""

import asyncio
import logging
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from realtime.core.errors import RequestError
from server.noise import LOGGER, Noise, quieten
from server.routes.reading import whole

HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
WAIT_S = 60.0
RESET = struct.pack("ii", 1, 0)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    quieten()
    yield
    logger = logging.getLogger(LOGGER)
    logger.filters[:] = [one for one in logger.filters if not isinstance(one, Noise)]


async def broken(request: web.Request) -> web.Response:
    raise RuntimeError("a fault of our own")


async def take(request: web.Request) -> web.Response:
    try:
        return web.Response(body=await whole(request, 1000))
    except RequestError as error:
        return web.Response(status=error.status)


async def served(handler: Any, data: bytes, *, between: tuple[asyncio.Event, asyncio.Event] | None = None) -> bytes:
    """What a bare connection gets for these bytes, unless it breaks off `between` two events."""
    app = web.Application()
    app.router.add_route("*", "/", handler)
    # as served for real: aiohttp's own test server cancels handlers whose client has left
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    try:
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(data)
        if between is not None:
            begun, ended = between
            await asyncio.wait_for(begun.wait(), WAIT_S)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
            await asyncio.wait_for(ended.wait(), WAIT_S)
            return b""
        head = await reader.readline()
        writer.close()
        return head
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", HEAD + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
)  # fmt: skip
async def test_what_is_no_http_is_answered_and_no_error(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert b" 400 " in await served(take, data)
    assert [one.message for one in caplog.records if one.levelno > logging.INFO] == []


async def test_a_body_that_breaks_off_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    found: list[RequestError] = []

    async def half(request: web.Request) -> web.Response:
        begun.set()
        with pytest.raises(RequestError) as refused:
            await whole(request, 1000)
        found.append(refused.value)
        ended.set()
        return web.Response()

    await served(half, HEAD + b"Content-Length: 100\r\n\r\n{", between=(begun, ended))
    assert [str(one) for one in found] == ["the body broke off"]
    assert [one.message for one in caplog.records if one.levelno > logging.INFO] == []


async def test_our_own_faults_are_errors_still(caplog: pytest.LogCaptureFixture) -> None:
    assert b" 500 " in await served(broken, HEAD + b"\r\n")
    assert [one.levelname for one in caplog.records] == ["ERROR"]
    assert caplog.records[0].exc_info


async def test_at_debug_level_they_are_a_line_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    await served(take, b"GET / HTTP/1.1\r\n\r\n")
    assert [(one.levelname, one.exc_info) for one in caplog.records if one.name == LOGGER] == [("DEBUG", None)]
    assert caplog.messages[0].endswith(": BadHttpMessage")


def test_it_is_set_once() -> None:
    quieten()
    assert sum(isinstance(one, Noise) for one in logging.getLogger(LOGGER).filters) == 1
