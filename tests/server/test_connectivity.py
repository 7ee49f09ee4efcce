"""The doctor's paths: what is found on this machine, and what it says when something is in the way."""

import contextlib
import json
import socket

import pytest

from server import connectivity
from server.cli import main
from server.config import Config
from server.connectivity import examine_paths, loop_back, ports, public_address, tcp_ports
from server.rtc.ice_tcp import TcpDoor
from server.settings import IceServer


async def test_a_machine_by_itself() -> None:
    found = {check.name: check for check in await examine_paths(Config())}
    assert set(found) == {"addresses", "udp ports", "media on this machine", "media over TCP", "public address"}
    off = {name for name, check in found.items() if check.result != "ok"}
    assert off == {"media over TCP", "public address"}, found
    assert all(found[name].result == "warning" and found[name].remedy for name in off), "off is not a path that works"


async def test_no_packet_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectivity, "PATIENCE_S", 0.0)
    check = await loop_back(Config())
    assert check.result == "failure" and "firewall" in check.remedy


def test_ports_in_use() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        assert ports(Config(udp_ports=str(port))).result == "failure"
    assert ports(Config(udp_ports=str(port))).result == "warning", "one port for eight sessions"


def test_ports_for_media_over_tcp() -> None:
    off = tcp_ports(Config())
    assert len(off) == 1 and off[0].result == "warning" and "ice_tcp_port" in off[0].remedy
    with contextlib.closing(TcpDoor(0)) as ours:
        assert "listens there" in tcp_ports(Config(ice_tcp_port=ours.port))[0].detail
        port = ours.port
    free = tcp_ports(Config(ice_tcp_port=port))[0]
    assert free.result == "ok" and f"TCP port {port}" in free.detail
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        check = tcp_ports(Config(ice_tcp_port=port))[0]
        assert check.result == "failure" and "ice_tcp_port" in check.remedy
    assert len(tcp_ports(Config(ice_tcp_port=port, workers=1))) == 1


def test_streams_that_do_not_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(TcpDoor(0)) as ours:
        port = ours.port
    monkeypatch.setattr(connectivity, "_can_reach", lambda address, port: False)
    check = tcp_ports(Config(ice_tcp_port=port))[0]
    assert check.result == "failure" and "firewall" in check.remedy


def test_public_addresses() -> None:
    assert public_address(Config(), []).result == "warning"
    own = connectivity._own_addresses()
    assert public_address(Config(), own).result == ("ok" if own else "warning")
    seen = public_address(Config(), ["203.0.113.7"])
    assert seen.result == "warning" and "public_address" in seen.remedy and "203.0.113.7" in seen.detail
    assert public_address(Config(public_address="203.0.113.7"), ["203.0.113.7"]).result == "ok"
    wrong = public_address(Config(public_address="203.0.113.8"), ["203.0.113.7"])
    assert wrong.result == "failure" and "203.0.113.7" in wrong.remedy


async def test_servers_that_do_not_answer() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    urls = (f"turn:127.0.0.1:{port}?transport=tcp", "turn:no-such-host.invalid", "turn:host:port")
    found = {check.name: check for check in await examine_paths(Config(ice_servers=(IceServer(urls, "u", "p"),)))}
    assert all(found[url].result == "failure" and found[url].remedy for url in urls)
    for url, word in zip(urls, ("TCP port", "name", "HOST:PORT"), strict=True):
        assert word in found[url].remedy


def test_the_command_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--connect", "--json"])
    names = [check["name"] for check in json.loads(capsys.readouterr().out)]
    assert "media on this machine" in names and "python" in names
