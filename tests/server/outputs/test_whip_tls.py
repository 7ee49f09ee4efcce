"""WHIP over TLS to a server with an authority of one's own: published where the certificate holds, refused in words."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription

from realtime.mailbox import Mailbox
from server.media.egress import MediaEgress
from server.outputs.sink import SinkFailed
from server.outputs.targets import Rules, read_target
from server.outputs.whip import WhipSink
from server.rtc.peer import PeerOptions
from tests.server.outputs.certificates import Authority, authority, own_certificate
from tests.server.outputs.media import FPS, SIDE, ticks
from tests.server.outputs.stage import Script

HOST, KEY = "localhost", "stream-key-of-the-test"


class Sfu:
    """Takes one publisher at a time and notes what it was asked, and with which key."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.connected = False
        self._peers: list[RTCPeerConnection] = []

    async def publish(self, request: web.Request) -> web.Response:
        self.asked.append(("POST", request.headers.get("Authorization")))
        peer = RTCPeerConnection()
        self._peers.append(peer)

        @peer.on("connectionstatechange")
        def changed() -> None:
            self.connected |= peer.connectionState == "connected"

        await peer.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return web.Response(status=201, text=peer.localDescription.sdp, headers={"Location": "/whip/1"})

    async def leave(self, request: web.Request) -> web.Response:
        self.asked.append(("DELETE", request.headers.get("Authorization")))
        return web.Response()

    async def aclose(self) -> None:
        for peer in self._peers:
            await peer.close()


@asynccontextmanager
async def sfu(files: tuple[Path, Path]) -> AsyncIterator[tuple[Sfu, int]]:
    """A WHIP server with this certificate and key; its port."""
    context, made, app = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), Sfu(), web.Application()
    context.load_cert_chain(*files)
    app.add_routes([web.post("/whip", made.publish), web.delete("/whip/1", made.leave)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield made, runner.addresses[0][1]
    finally:
        await made.aclose()
        await runner.cleanup()


@pytest.fixture
def trusted(tmp_path: Path) -> Authority:
    return authority(tmp_path)


async def published(port: int, ca: Path | None) -> list[bool]:
    """A short stream; whether it was live."""
    egress, lives = MediaEgress(Mailbox(), ticks, lambda: 0.0, width=SIDE, height=SIDE, fps=FPS), list[bool]()
    target = read_target("whip", f"https://{HOST}:{port}/whip", KEY, Rules(private=True, ca=ca))
    try:
        await WhipSink(target, egress, PeerOptions()).run(Script([]), lambda: lives.append(True))
    finally:
        await egress.aclose()
    return lives


async def test_ones_own_authority_is_trusted_where_it_is_named(tmp_path: Path, trusted: Authority) -> None:
    async with sfu(trusted.certificate(tmp_path, HOST)) as (server, port):
        assert await published(port, trusted.path) == [True]
        assert server.connected
    assert server.asked == [("POST", f"Bearer {KEY}"), ("DELETE", f"Bearer {KEY}")]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("not named", "unable to get local issuer certificate"),
        ("of another authority", "unable to get local issuer certificate"),
        ("of nobody", "self-signed certificate"),
        ("for another host", "Hostname mismatch, certificate is not valid for 'localhost'"),
        ("that has run out", "certificate has expired"),
    ],
)
async def test_other_certificates_are_refused_in_words(
    tmp_path: Path, trusted: Authority, case: str, words: str
) -> None:
    match case:
        case "of another authority":
            (tmp_path / "other").mkdir()
            files = authority(tmp_path / "other", "Another").certificate(tmp_path, HOST)
        case "of nobody":
            files = own_certificate(tmp_path, HOST)
        case "for another host":
            files = trusted.certificate(tmp_path, "other.example")
        case "that has run out":
            files = trusted.certificate(tmp_path, HOST, days=-1)
        case _:
            files = trusted.certificate(tmp_path, HOST)
    async with sfu(files) as (server, port):
        with pytest.raises(SinkFailed, match=f"the server's certificate is refused: .*{words}") as caught:
            await published(port, None if case == "not named" else trusted.path)
    assert server.asked == [], "neither the offer nor the key were sent"
    assert not caught.value.final, "it may be put right there"


async def test_an_authority_that_cannot_be_read_is_said(tmp_path: Path, trusted: Authority) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    async with sfu(trusted.certificate(tmp_path, HOST)) as (server, port):
        with pytest.raises(SinkFailed, match="output_ca cannot be used") as caught:
            await published(port, tmp_path / "no.pem")
    assert server.asked == [] and caught.value.final
