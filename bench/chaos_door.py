"""How `bench.chaos` reaches the server beside the SDK: judged HTTP calls, bad requests, and bare connections."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Collection, Mapping
from typing import Any, Final, TypeVar

import aiohttp
from yarl import URL

from bench.chaos_bad import GONE, REQUESTS, SOCKETS
from bench.chaos_ledger import Ledger
from client.sdk import AnimaClient, ApiError

T = TypeVar("T")
ANSWER_S: Final = 30.0
READ_S: Final = 1.0
"""How long a bare connection waits for an answer that may never come."""
_RESET: Final = struct.pack("ii", 1, 0)


class Door:
    """One server, and whoever comes to it. A context manager."""

    def __init__(self, url: str, key: str, ledger: Ledger) -> None:
        self.url, self.key, self.ledger = url, key, ledger
        self.sdk = AnimaClient(url, key, timeout_s=ANSWER_S)
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        self._open: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Door":
        await self.sdk.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for writer in self._open:
            writer.transport.abort()
        await self.sdk.aclose()
        await self.http.close()

    async def ask(self, what: str, doing: Awaitable[T], *also: int) -> T | None:
        """A call of the SDK, judged; None if it was refused."""
        try:
            result = await doing
        except ApiError as error:
            if error.status is None:
                self.ledger.silent(what, str(error))
            else:
                told = error.retry_after_s is not None
                self.ledger.answered(what, error.status, also, retry_after=told, text=str(error))
            return None
        self.ledger.answered(what, 200, (200,))
        return result

    async def call(
        self, what: str, method: str, path: str, *expected: int, json: Any = None, body: bytes | None = None,
        bearer: str | None = None, headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, str], str]:
        """A call of our own, judged: status (0 if no answer came), headers and body."""
        sent = dict(headers or {}) | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        url = URL(self.url + path, encoded=True)
        try:
            async with self.http.request(method, url, json=json, data=body, headers=sent) as answer:
                text = (await answer.read()).decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            self.ledger.silent(what, f"no answer: {type(error).__name__} {error}")
            return 0, {}, ""
        self.ledger.answered(what, answer.status, expected, retry_after="Retry-After" in answer.headers, text=text)
        return answer.status, answer.headers, text

    async def bad_request(self, name: str, names: Mapping[str, str], tokens: Mapping[str, str]) -> None:
        """One of `REQUESTS`, about this session (`names`) and with these credentials, by what they are called."""
        bad = REQUESTS[name]
        path, body = bad.path, bad.body
        for key, value in names.items():
            path, body = path.replace(f"{{{key}}}", value), body.replace(f"{{{key}}}".encode(), value.encode())
        bearer = None if bad.bearer == "none" else tokens.get(bad.bearer, bad.bearer)
        what, headers = f"bad request: {name}", {"Content-Type": bad.kind, **bad.headers}
        await self.call(what, bad.method, path, *bad.expected, body=body, bearer=bearer, headers=headers)

    async def bad_socket(self, name: str) -> None:
        """One of `SOCKETS`. What is answered, if anything is, must be no failure of the server's."""
        data, then = SOCKETS[name]
        where = URL(self.url)
        reader, writer = await asyncio.open_connection(where.host, where.port)
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
            if then == b"half close":
                writer.write_eof()
        if then == b"leave open":
            self._open.append(writer)
            return
        if then == b"reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            self._judge(name, await _head(reader))
        writer.transport.abort()

    def _judge(self, name: str, head: bytes) -> None:
        words = head.split(b"\r\n", 1)[0].split()
        if len(words) > 1 and words[1].isdigit():
            status = int(words[1])
            told = b"retry-after" in head.lower()
            fine: Collection[int] = (*GONE, *range(200, 500))
            self.ledger.answered(f"bad socket: {name}", status, fine, retry_after=told, text=head.decode("latin-1"))


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The beginning of an answer; nothing if none comes for a while."""
    try:
        async with asyncio.timeout(READ_S):
            return await reader.read(2000)
    except (TimeoutError, ConnectionError):
        return b""
