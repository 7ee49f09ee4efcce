"""A UDP relay between a browser and the server that can be cut: an outage without root, routes or firewalls."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, Final, Self, cast

from playwright.async_api import Page, Request, Route

_CANDIDATE: Final = re.compile(r"(a=candidate:\S+ \d+ udp \d+ )(\S+) (\d+)( typ host[^\r\n]*)", re.IGNORECASE)


class UdpRelay:
    """Passes datagrams on to the server's candidates, each through a port of its own, while it is `open`."""

    def __init__(self) -> None:
        self.open = True
        self.passed = 0
        self.dropped = 0
        self._fronts: list[_Front] = []

    async def front_of(self, address: tuple[str, int]) -> int:
        """The port on which the relay stands for this address of the server."""
        front = _Front(self, address)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: front, local_addr=("127.0.0.1", 0))
        self._fronts.append(front)
        return int(transport.get_extra_info("sockname")[1])

    def may_pass(self) -> bool:
        """Whether a datagram goes through now; counted."""
        self.passed += self.open
        self.dropped += not self.open
        return self.open

    async def stand_between(self, page: Page) -> None:
        """From now on the page is told the relay's addresses instead of the server's, and tells none of its own."""
        await page.route(re.compile("/api/offer"), self._rewrite)

    async def _rewrite(self, route: Route, request: Request) -> None:
        if request.method == "PATCH":
            await route.fulfill(status=200, json={"status": "success"})
            return
        body: dict[str, Any] = json.loads(request.post_data or "{}")
        body["sdp"] = _CANDIDATE.sub("a=x-hidden", body["sdp"])
        answer = await route.fetch(post_data=body)
        if not answer.ok:
            await route.fulfill(response=answer)
            return
        told: dict[str, Any] = await answer.json()
        told["sdp"] = await self._relayed(told["sdp"])
        await route.fulfill(response=answer, json=told)

    async def _relayed(self, sdp: str) -> str:
        fronts: dict[tuple[str, int], int] = {}
        for found in _CANDIDATE.finditer(sdp):
            address = (found[2], int(found[3]))
            if ":" not in address[0] and address not in fronts:
                fronts[address] = await self.front_of(address)

        def moved(found: re.Match[str]) -> str:
            port = fronts.get((found[2], int(found[3])))
            return f"{found[1]}127.0.0.1 {port}{found[4]}" if port is not None else "a=x-hidden"

        return _CANDIDATE.sub(moved, sdp)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for front in self._fronts:
            front.close()


class _Front(asyncio.DatagramProtocol):
    """Faces the browser; behind it is one socket towards the server for each address of the browser's."""

    def __init__(self, relay: UdpRelay, server: tuple[str, int]) -> None:
        self.relay = relay
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None
        self._backs: dict[Any, asyncio.Task[_Back]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.relay.may_pass():
            return
        if addr not in self._backs:
            self._backs[addr] = asyncio.create_task(self._back(addr))
        self._backs[addr].add_done_callback(lambda done: _then(done, lambda back: back.send(data)))

    def to_browser(self, data: bytes, addr: Any) -> None:
        if self._transport is not None and self.relay.may_pass():
            self._transport.sendto(data, addr)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        for back in self._backs.values():
            back.add_done_callback(lambda done: _then(done, lambda one: one.close()))

    async def _back(self, browser: Any) -> "_Back":
        back = _Back(self, browser)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: back, remote_addr=self._server)
        return back


def _then(done: "asyncio.Task[_Back]", act: "Callable[[_Back], None]") -> None:
    if not done.cancelled():
        act(done.result())


class _Back(asyncio.DatagramProtocol):
    """Faces the server as one address of the browser's."""

    def __init__(self, front: _Front, browser: Any) -> None:
        self._front, self._browser = front, browser
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._front.to_browser(data, self._browser)

    def error_received(self, exc: Exception) -> None:
        """The server has closed that port: nobody is left to send to."""

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
