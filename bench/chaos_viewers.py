"""The viewers of `bench.chaos`: they come as browsers do, and go in every way that there is."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final, Literal

import aiohttp

from bench.chaos_ledger import Ledger
from client.viewer.signalling import Answer, HttpSignaller, OfferRefused
from client.viewer.viewer import HeadlessViewer, ViewerError

CONNECT_S: Final = 20.0
CLOSE_S: Final = 10.0
Codec = Literal["H264", "VP8", "VP9", "AV1"]
CODECS: Final[Mapping[str, Codec]] = {"H264": "H264", "VP8": "VP8", "VP9": "VP9", "AV1": "AV1"}
_LOUD: Final = 500
"""Of 32 768: louder than noise."""


class Signaller(HttpSignaller):
    """Offers once, and notes the answer; `pc_id` is a connection that this one takes the place of."""

    def __init__(self, url: str, token: str | None, ledger: Ledger, what: str, pc_id: str = "") -> None:
        super().__init__(url, token)
        self._ledger, self._what, self._replaced = ledger, what, pc_id
        self.answered = asyncio.Event()

    async def offer(self, sdp: str) -> Answer:
        """See `HttpSignaller.offer`."""
        body: dict[str, Any] = {"sdp": sdp, "type": "offer"}
        if self._replaced:
            body |= {"pc_id": self._replaced, "restart_pc": True}
        async with (
            aiohttp.ClientSession(timeout=self._timeout, headers=self._headers) as http,
            http.post(self._url, json=body) as reply,
        ):
            text = await reply.text()
            told = "Retry-After" in reply.headers
            self._ledger.answered(self._what, reply.status, (200,), retry_after=told, text=text)
            if reply.status != 200:
                raise OfferRefused(reply.status, text)
            made = await reply.json()
            self.answered.set()
            return Answer(made["sdp"], made["pc_id"])

    def unanswered(self, error: Exception) -> None:
        """No answer came."""
        self._ledger.silent(self._what, f"no answer: {type(error).__name__} {error}")


class Watcher:
    """One viewer of one session, whatever becomes of it."""

    def __init__(self, signaller: Signaller, codec: Codec = "H264") -> None:
        self.signaller = signaller
        self.viewer = HeadlessViewer(signaller=signaller, video_codec=codec)
        self.pictures = 0
        self.loud = 0
        self.viewer.on_frame = lambda frame: self._note(picture=True)
        self.viewer.on_sound = lambda sound: self._note(picture=False, loud=bool(abs(sound.pcm).max() > _LOUD))

    def _note(self, *, picture: bool, loud: bool = False) -> None:
        self.pictures += picture
        self.loud += loud

    async def join(self) -> bool:
        """Connect; False where there is no session to join any more, or it ended meanwhile."""
        try:
            await self.viewer.connect(CONNECT_S)
        except (OfferRefused, ViewerError, aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if isinstance(error, aiohttp.ClientError):
                self.signaller.unanswered(error)
            await self.leave()
            return False
        return True

    async def leave(self) -> None:
        """Say goodbye and close."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CLOSE_S):
                await self.viewer.close()

    def vanish(self) -> None:
        """Be gone, as a machine whose plug was pulled: the sockets close, nobody is told."""
        for receiver in self.viewer._connection.getReceivers():
            for protocol in receiver.transport.transport._connection._protocols:
                protocol.transport.abort()

    def send(self, text: str) -> None:
        """Send over the data channel, if it is open."""
        with contextlib.suppress(Exception):
            self.viewer._channel.send(text)
