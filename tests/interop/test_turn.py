"""Debian's coturn between viewer and server, with the short-lived credentials that a session tells."""

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiortc import RTCConfiguration, RTCPeerConnection

from bench.server_process import ServerProcess
from server.config import Config
from server.connectivity import examine_paths
from server.settings import IceServer
from tests.interop.conftest import KEY, in_browser, new_session
from tests.peers import needs

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs("turnserver")]
SECRET = "a secret shared with coturn"


@dataclass(frozen=True)
class Turn:
    """A running coturn."""

    port: int
    tls_port: int

    @property
    def tls_url(self) -> str:
        """Its certificate is one that nobody trusts."""
        return f"turns:127.0.0.1:{self.tls_port}?transport=tcp"

    @property
    def urls(self) -> str:
        return ",".join(f"turn:127.0.0.1:{self.port}?transport={transport}" for transport in ("udp", "tcp"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    folder, port, tls_port = tmp_path_factory.mktemp("coturn"), _free_port(), _free_port()
    _certificate(folder)
    settings = {
        "listening-ip": "127.0.0.1", "relay-ip": "127.0.0.1", "listening-port": port, "realm": "anima.test",
        "static-auth-secret": SECRET, "min-port": 55000, "max-port": 55199,
        "tls-listening-port": tls_port, "cert": folder / "cert.pem", "pkey": folder / "key.pem",
        "pidfile": folder / "pid", "log-file": folder / "log", "userdb": folder / "db",
    }  # fmt: skip
    flags = ("use-auth-secret", "no-cli", "no-dtls", "simple-log", "allow-loopback-peers", "fingerprint")
    rows = [*(f"{name}={value}" for name, value in settings.items()), *flags]
    (folder / "turnserver.conf").write_text("\n".join(rows) + "\n")
    log = (folder / "out").open("wb")
    running = subprocess.Popen(["turnserver", "-c", str(folder / "turnserver.conf")], stdout=log, stderr=log)
    try:
        _await_port(running, port, folder)
        yield Turn(port, tls_port)
    finally:
        running.terminate()
        running.wait(10)
        log.close()


def _certificate(folder: Path) -> None:
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)


def _await_port(running: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    for _ in range(200):
        assert running.poll() is None, (folder / "out").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("coturn does not listen")


@pytest.fixture(scope="module")
def behind(turn: Turn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose viewers come through that coturn, on a few UDP ports."""
    settings = {
        "api_keys": KEY, "allowed_origins": "*", "turn_urls": f"{turn.urls},{turn.tls_url}", "turn_secret": SECRET,
        "udp_ports": "56000-56099",
    }  # fmt: skip
    with ServerProcess(log=tmp_path_factory.mktemp("behind") / "log", settings=settings) as running:
        yield running


@needs("chromium", "npm")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_viewer_that_only_the_relay_reaches(behind: ServerProcess, packages: Path, transport: str) -> None:
    session = await new_session(behind)
    told = session["ice_servers"][0]
    scheme, ending = ("turns:", "tcp") if transport == "tls" else ("turn:", transport)
    urls = [url for url in told["urls"] if url.startswith(scheme) and url.endswith(ending)]
    assert len(urls) == 1
    flags = ("--ignore-certificate-errors",) if transport == "tls" else ()
    seen = await in_browser(
        packages, "whep_restart.js", flags=flags, url=session["whep_url"], token=session["token"],
        iceServers=[{**told, "urls": urls}], relayOnly=True,
    )  # fmt: skip
    first, second = seen["pairs"]
    assert (first["local"], first["protocol"]) == ("relay", transport) == (second["local"], second["protocol"])
    assert 56000 <= first["remotePort"] <= 56099 and 56000 <= second["remotePort"] <= 56099
    assert seen["restarted"]["flowed"] and all(url in seen["link"] for url in told["urls"])


@needs("chromium", "npm")
async def test_wrong_credentials_do_not_get_through(behind: ServerProcess, packages: Path) -> None:
    session = await new_session(behind)
    servers = [{**session["ice_servers"][0], "credential": "wrong"}]
    with pytest.raises(TimeoutError):
        await in_browser(
            packages, "whep_restart.js", timeout_s=6.0, url=session["whep_url"], token=session["token"],
            iceServers=servers, relayOnly=True,
        )  # fmt: skip


async def test_the_server_itself_can_be_behind_the_relay(turn: Turn, tmp_path: Path) -> None:
    settings = {"turn_urls": turn.urls, "turn_secret": SECRET, "server_relay": "true"}
    with ServerProcess(log=tmp_path / "log", settings=settings) as running:
        session = await new_session(running)
        client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        client.addTransceiver("video", "recvonly")
        await client.setLocalDescription(await client.createOffer())
        headers = {"Content-Type": "application/sdp"}
        async with ClientSession() as http:
            async with http.post(session["whep_url"], data=client.localDescription.sdp, headers=headers) as answer:
                assert answer.status == 201 and "typ relay" in await answer.text()
        await client.close()


async def results(**settings: Any) -> dict[str, tuple[str, str, str]]:
    checks = await examine_paths(Config(**settings))
    return {check.name: (check.result, check.detail, check.remedy) for check in checks}


async def test_the_doctor_finds_the_relay(turn: Turn) -> None:
    found = await results(turn_urls=tuple(turn.urls.split(",")), turn_secret=SECRET)
    relays = {name: result for name, (result, _, _) in found.items() if name.startswith("turn:")}
    assert relays == {url: "ok" for url in turn.urls.split(",")}


async def test_the_doctor_names_what_is_wrong(turn: Turn) -> None:
    url = f"turn:127.0.0.1:{turn.port}?transport=udp"
    result, _, remedy = (await results(turn_urls=(url,), turn_secret="another"))[url]
    assert result == "failure" and "turn_secret" in remedy
    silent = f"turn:127.0.0.1:{_free_port()}?transport=tcp"
    result, detail, remedy = (await results(turn_urls=(silent,), turn_secret=SECRET))[silent]
    assert result == "failure" and "refused" in detail and "firewall" in remedy
    result, detail, remedy = (await results(turn_urls=(turn.tls_url,), turn_secret=SECRET))[turn.tls_url]
    assert result == "failure" and "certificate" in detail and "certificate" in remedy
    stun = f"stun:127.0.0.1:{turn.port}"
    assert (await results(ice_servers=(IceServer((stun,)),)))[stun][0] == "ok"
