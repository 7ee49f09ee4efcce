"""Publishes to an SFU by WHIP (RFC 9725): our own senders, so that losses, keyframe requests and the path's rate are
answered as for any viewer."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiortc import RTCConfiguration, RTCRtpCodecCapability, RTCRtpSender, RTCSessionDescription

from server.media.egress import MediaEgress
from server.outputs.codecs import TAKEN
from server.outputs.feed import Feed
from server.outputs.sink import SinkFailed
from server.outputs.targets import Target, is_public
from server.outputs.trust import trusting, why_not
from server.rtc.adapter import ViewerConnection
from server.rtc.advertising import advertised, take_up
from server.rtc.peer import PeerOptions
from server.rtc.sdp_guard import feedback_trimmed

_log = logging.getLogger(__name__)

_JOIN_TIMEOUT_S: Final = 15.0
_HTTP_TIMEOUT_S: Final = 10.0
_SILENCE_TIMEOUT_S: Final = 8.0
_ANSWER_MAX_BYTES: Final = 64 * 1024
_POLL_S: Final = 0.5


class WhipSink:
    """One attempt after the other to publish one stream. Media does not pass through the feed: it goes the viewers'
    way."""

    def __init__(self, target: Target, egress: MediaEgress, options: PeerOptions) -> None:
        self._target = target
        self._egress = egress
        self._options = options
        self._connection: _Publishing | None = None

    def figures(self) -> dict[str, object]:
        """How the connection is doing."""
        connection = self._connection
        return {"connection": connection.connectionState if connection is not None else "none"}

    async def run(self, feed: Feed, live: Callable[[], None]) -> None:
        """See `Sink.run`."""
        addresses = await self._target.addresses()
        connection = self._connection = _Publishing(self._egress, self._options)
        resource: str | None = None
        timeout = aiohttp.ClientTimeout(total=_HTTP_TIMEOUT_S)
        try:
            connector = await self._connector(addresses)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
                resource, answer = await self._offer(http, await connection.offer())
                await connection.accept(self._reachable(answer))
                await connection.joined(_JOIN_TIMEOUT_S)
                live()
                await connection.until(feed)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise SinkFailed(why_not(error)) from error
        finally:
            await connection.close()
            if resource is not None:
                await self._delete(resource, addresses)

    async def _offer(self, http: aiohttp.ClientSession, sdp: str) -> tuple[str | None, str]:
        """POST the offer; the resource's address and the answer. Raises `SinkFailed`."""
        headers = {"Content-Type": "application/sdp", "Accept": "application/sdp"} | self._authorization()
        async with http.post(self._target.url, data=sdp, headers=headers, allow_redirects=False) as answer:
            if answer.status != 201:
                # wrong credentials or address do not get better by asking again
                final = answer.status in (400, 401, 403, 404, 405, 406, 410, 415, 422)
                raise SinkFailed(f"the server answered {answer.status}", final=final)
            body = await answer.content.read(_ANSWER_MAX_BYTES)
            location = answer.headers.get("Location")
            return (urljoin(str(answer.url), location) if location else None), body.decode("utf-8", "replace")

    async def _delete(self, resource: str, addresses: list[str]) -> None:
        """Leave; a resource elsewhere than the endpoint is let be, so that no key goes to another host."""
        there, here = urlsplit(resource), urlsplit(self._target.url)
        if (there.scheme, there.netloc) != (here.scheme, here.netloc):
            return
        try:
            timeout = aiohttp.ClientTimeout(total=_SILENCE_TIMEOUT_S)
            connector = await self._connector(addresses)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
                await http.delete(resource, headers=self._authorization(), allow_redirects=False)
        except (aiohttp.ClientError, OSError, TimeoutError):
            _log.debug("the server was gone before we left it")

    async def _connector(self, addresses: list[str]) -> aiohttp.TCPConnector:
        """Leads to the addresses that were checked; an https one is verified."""
        trust = await trusting(self._target.rules.ca) if self._target.secure else True
        return aiohttp.TCPConnector(resolver=_Pinned(addresses), force_close=True, ssl=trust)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._target.secret}"} if self._target.secret else {}

    def _reachable(self, sdp: str) -> str:
        """The answer without candidates that lead inside, unless that is allowed."""
        if self._target.rules.private:
            return sdp
        return "\r\n".join(line for line in sdp.splitlines() if not _leads_inside(line)) + "\r\n"


class _Publishing(ViewerConnection):
    """A connection that offers the egress' sound and picture."""

    def __init__(self, egress: MediaEgress, options: PeerOptions) -> None:
        configuration = RTCConfiguration(iceServers=[*options.ice_servers, *options.relays()])
        super().__init__(configuration, egress, self, options.ice)
        self._changed = asyncio.Event()
        self._heard_s = 0.0
        self.on("connectionstatechange", self._changed.set)

    def heard(self) -> None:
        """An authenticated sign of life arrived."""
        self._heard_s = asyncio.get_running_loop().time()

    async def offer(self) -> str:
        """Our SDP, with all candidates."""
        self.addTransceiver("audio", "sendonly")
        video = self.addTransceiver("video", "sendonly")
        video.setCodecPreferences(_offered())
        await self.setLocalDescription(await self.createOffer())
        return advertised(str(self.localDescription.sdp))

    async def accept(self, answer: str) -> None:
        """Take the answer. Raises `SinkFailed` for one that cannot be used."""
        answer = "\r\n".join(feedback_trimmed(line) for line in answer.splitlines()) + "\r\n"
        try:
            await self.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
            take_up(self, answer)
        except Exception as error:  # aiortc raises whatever its parser and state meet
            raise SinkFailed(f"the server's answer cannot be used: {type(error).__name__}") from error

    async def joined(self, within_s: float) -> None:
        """Wait until media can flow. Raises `SinkFailed`."""
        try:
            async with asyncio.timeout(within_s):
                while self.connectionState != "connected":
                    if self.connectionState in ("failed", "closed"):
                        raise SinkFailed("no path to the server was found")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise SinkFailed(f"no path to the server within {within_s:g} s") from error
        self.heard()

    async def until(self, feed: Feed) -> None:
        """Stay while the other side does, until the feed ends. Raises `SinkFailed`."""
        ending = asyncio.create_task(feed.take(), name="whip-end")
        try:
            while not ending.done():
                if self.connectionState != "connected":
                    raise SinkFailed("the connection was lost")
                if asyncio.get_running_loop().time() - self._heard_s > _SILENCE_TIMEOUT_S:
                    raise SinkFailed(f"nothing heard from the server for {_SILENCE_TIMEOUT_S:g} s")
                await asyncio.wait((ending,), timeout=_POLL_S)
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)


class _Pinned(AbstractResolver):
    """Gives the addresses that were checked, whatever is asked."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=_family(address), proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing to close."""


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET


def _offered() -> list[RTCRtpCodecCapability]:
    """What an SFU may choose from, best first, and what repeats its packets."""
    codecs: list[Any] = RTCRtpSender.getCapabilities("video").codecs
    order = [*TAKEN["whip"], "RTX"]
    return sorted((one for one in codecs if one.name.upper() in order), key=lambda one: order.index(one.name.upper()))


def _leads_inside(line: str) -> bool:
    parts = line.split()
    return line.startswith("a=candidate:") and len(parts) > 4 and not is_public(parts[4])
