"""Ephemeral TURN credentials, `Link` headers, and the settings behind them."""

import base64
import contextlib
import hashlib
import hmac
from typing import Any

import pytest

from realtime.core.errors import ConfigError
from server.config import Config
from server.gateway.serving import own_arguments
from server.ice_servers import ice_options, ice_servers, link_headers, turn_credentials
from server.rtc.ice_tcp import TcpDoor
from server.settings import IceServer


def test_credentials_are_those_of_the_draft() -> None:
    username, credential = turn_credentials("secret", "session", 1_700_000_000)
    assert username == "1700000000:session"
    digest = hmac.digest(b"secret", b"1700000000:session", hashlib.sha1)
    assert base64.b64decode(credential) == digest


def test_configured_and_ephemeral_servers() -> None:
    static = IceServer(("stun:stun.example:3478",))
    urls = ("turn:t.example", "turns:t.example")
    config = Config(ice_servers=(static,), turn_urls=urls, turn_secret="s", turn_ttl_s=60)
    found = ice_servers(config, "abc", 1000.5)
    assert found[0] == static and found[1].urls == config.turn_urls and found[1].username == "1060:abc"
    assert ice_servers(Config(), "abc", 0.0) == ()


def test_links() -> None:
    server = IceServer(("turn:t.example?transport=tcp",), '12:a"b', "c\\d")
    assert link_headers((IceServer(("stun:s.example",)), server)) == [
        '<stun:s.example>; rel="ice-server"',
        '<turn:t.example?transport=tcp>; rel="ice-server"; username="12:a\\"b"; credential="c\\\\d"; '
        'credential-type="password"',
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"turn_urls": ("turn:t.example",)},
        {"turn_secret": "s"},
        {"turn_urls": ("stun:t.example",), "turn_secret": "s"},
        {"public_address": "host.example"},
        {"public_address": "::1"},
        {"udp_ports": "50000-"},
        {"udp_ports": "-50000"},
        {"udp_ports": "50100-50000"},
        {"udp_ports": "80-90"},
        {"udp_ports": "50000-70000"},
    ],
)
def test_wrong_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Config(**settings)


def test_port_ranges() -> None:
    assert Config().udp_port_range == range(0)
    assert Config(udp_ports="50000").udp_port_range == range(50000, 50001)
    assert Config(udp_ports="50000-50009").udp_port_range == range(50000, 50010)


def test_the_tcp_port_is_bound_and_a_taken_one_is_named() -> None:
    assert ice_options(Config()).tcp is None
    with contextlib.closing(TcpDoor(0)) as taken:
        with pytest.raises(ConfigError, match="ice_tcp_port"):
            ice_options(Config(ice_tcp_port=taken.port))
        port = taken.port
    door = ice_options(Config(ice_tcp_port=port)).tcp
    assert door is not None and door.port == port
    door.close()


@pytest.mark.parametrize("wrong", [{"ice_tcp_port": 8080}, {"ice_tcp_port": 65535, "workers": 2}])
def test_a_tcp_port_that_cannot_be(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="ice_tcp_port"):
        Config(**wrong)  # type: ignore[arg-type]


def test_each_worker_has_a_tcp_port_of_its_own() -> None:
    assert "--ice-tcp-port" not in own_arguments(Config(workers=2), 1)
    assert own_arguments(Config(ice_tcp_port=50500, workers=2), 1)[-2:] == ["--ice-tcp-port", "50501"]
