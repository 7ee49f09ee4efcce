"""Addresses: which are allowed, what is shown of them, and that a name cannot lead inside."""

import socket
from typing import Any

import pytest

from realtime.core.errors import Forbidden, InvalidField
from server.outputs.sink import SinkFailed
from server.outputs.targets import Rules, Target, UrlKind, is_public, read_target

KEY = "live_5Tr3amK3y"


@pytest.mark.parametrize(
    ("kind", "url", "secret", "app", "shown"),
    [
        ("rtmp", f"rtmp://a.example/live/{KEY}", "", ("live", KEY), "rtmp://a.example:1935/live/…"),
        ("rtmp", "rtmps://a.example:443/live2", KEY, ("live2", KEY), "rtmps://a.example:443/…"),
        ("rtmp", f"rtmp://a.example/one/two/{KEY}?x=1", "", ("one/two", f"{KEY}?x=1"), "rtmp://a.example:1935/one/…"),
        ("srt", f"srt://a.example:9000?streamid=publish:{KEY}&latency=300", "", None, "srt://a.example:9000/…"),
        ("whip", f"https://a.example/whip/{KEY}", "", None, "https://a.example:443/whip/…"),
        ("whip", "http://[2606:4700::1111]:8080/whip", KEY, None, "http://[2606:4700::1111]:8080/…"),
    ],
)
def test_good_addresses(kind: UrlKind, url: str, secret: str, app: tuple[str, str] | None, shown: str) -> None:
    target = read_target(kind, url, secret, Rules())
    assert target.shown == shown and KEY not in repr(target)
    assert app is None or target.path == app
    assert kind != "rtmp" or KEY not in target.app_url


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("rtmp", "http://a.example/live/x"), ("rtmp", "rtmp://a.example/"), ("rtmp", "rtmp:///live/x"),
        ("rtmp", "rtmp://user:word@a.example/live/x"), ("rtmp", "rtmp://a.example:99999/live/x"), ("rtmp", ""),
        ("rtmp", "rtmp://a.example/live/x\r\nHost: b"), ("rtmp", "rtmp://a.example/live/x y"), ("rtmp", "rtmp://[::1/x/y"),
        ("srt", "srt://a.example"), ("srt", "srt://a.example:9000?mode=listener"),
        ("srt", "srt://a.example:9000?latency=x"), ("srt", "srt://a.example:9000?pbkeylen=1"),
        ("srt", "srt://a.example:9000/path"), ("whip", "file:///etc/passwd"), ("whip", "https://a.example/x#y"),
        ("whip", "https://a%2eexample/x"), ("whip", "https://" + "a" * 1000 + ".example/"),
    ],
)  # fmt: skip
def test_bad_addresses(kind: UrlKind, url: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_target(kind, url, "", Rules())
    assert caught.value.field == "url"


INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:7f00:1::", "ff02::1", "::", "192.0.2.1", "198.18.0.1", "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_what_is_public(address: str) -> None:
    assert is_public(address)


def test_addresses_inside_and_hosts_not_listed_are_forbidden() -> None:
    for host in ("127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]"):
        with pytest.raises(Forbidden):
            read_target("whip", f"http://{host}/x/y", "", Rules())
        assert read_target("whip", f"http://{host}/x/y", "", Rules(private=True)).port == 80
    rules = Rules(hosts=("live.example", "*.tv.example"))
    for host in ("live.example", "LIVE.example", "a.tv.example"):
        read_target("rtmp", f"rtmp://{host}/live/x", "", rules)
    for host in ("tv.example", "live.example.evil", "8.8.8.8"):
        with pytest.raises(Forbidden):
            read_target("rtmp", f"rtmp://{host}/live/x", "", rules)


async def resolved(monkeypatch: pytest.MonkeyPatch, found: list[str], rules: Rules) -> str:
    target = Target("rtmp", "rtmp", "a.example", 1935, "", rules, "rtmp://a.example/x/y")

    async def lookup(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 1935)) for address in found]

    import asyncio

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    return await target.address()


async def test_a_name_that_leads_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await resolved(monkeypatch, ["8.8.8.8"], Rules()) == "8.8.8.8"
    for found in (["127.0.0.1"], ["8.8.8.8", "10.0.0.1"]):
        with pytest.raises(SinkFailed) as caught:
            await resolved(monkeypatch, found, Rules())
        assert caught.value.final, "it is not tried again"
    assert await resolved(monkeypatch, ["10.0.0.1"], Rules(private=True)) == "10.0.0.1"
