"""Exchanging offer and answer with a server that speaks SmallWebRTC."""

from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp


class OfferRefused(Exception):
    """The server answered an offer with a failing status; `status` and the body's text say which and why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"the server refused the offer with {status}: {detail}")
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's side of the connection."""

    sdp: str
    pc_id: str


class Signaller(Protocol):
    """How a viewer reaches its server."""

    async def offer(self, sdp: str) -> Answer:
        """Send an offer, get the answer. Raises `OfferRefused`."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class HttpSignaller:
    """POST to an offer URL with an optional bearer token."""

    def __init__(self, offer_url: str, token: str | None = None, *, timeout_s: float = 10.0) -> None:
        self._url = offer_url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def offer(self, sdp: str) -> Answer:
        """See `Signaller.offer`. Raises `aiohttp.ClientError` if the server cannot be reached."""
        body: dict[str, Any] = {"sdp": sdp, "type": "offer", "pc_id": None, "restart_pc": False}
        async with (
            aiohttp.ClientSession(timeout=self._timeout, headers=self._headers) as session,
            session.post(self._url, json=body) as response,
        ):
            if response.status >= 400:
                raise OfferRefused(response.status, (await response.text())[:2000])
            reply = await response.json()
            return Answer(str(reply["sdp"]), str(reply["pc_id"]))

    async def aclose(self) -> None:
        """Nothing stays open between requests."""
