"""Addresses to publish to: what is allowed, what is shown of them, and which machine is really meant."""

import asyncio
import fnmatch
import ipaddress
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from realtime.core.errors import Forbidden, InvalidField
from server.outputs.rtp_options import rtp_options, srtp_key
from server.outputs.sink import SinkFailed

UrlKind = Literal["rtmp", "srt", "whip", "rtp"]
_SCHEMES: Final = {"rtmp": ("rtmp", "rtmps"), "srt": ("srt",), "whip": ("http", "https"), "rtp": ("rtp",)}
_PORTS: Final = {"rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
_SRT_OPTIONS: Final = ("streamid", "passphrase", "pbkeylen", "latency")
SRT_LATENCY_MAX_MS: Final = 8000
_URL_MAX_CHARS: Final = 1000
_VISIBLE: Final = re.compile(r"[!-~]+")
COVERED: Final = "…"


@dataclass(frozen=True, slots=True)
class Rules:
    """Where outputs may go."""

    hosts: tuple[str, ...] = ()
    """Names or patterns such as *.example.com; empty allows every public address."""
    private: bool = False
    """Whether addresses that are not public are allowed."""
    ca: Path | None = None
    """Authorities trusted beside the system's, PEM."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address. Its repr shows no secret."""

    kind: UrlKind
    scheme: str
    host: str
    port: int
    shown: str
    """For people: without keys."""
    rules: Rules
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    """Stream key, bearer token or passphrase that was given beside the address."""

    @property
    def secure(self) -> bool:
        """Whether the connection is TLS."""
        return self.scheme in ("rtmps", "https")

    @property
    def path(self) -> tuple[str, str]:
        """An RTMP address's application and stream key."""
        parts = urlsplit(self.url)
        way = parts.path.strip("/") + (f"?{parts.query}" if parts.query else "")
        if self.secret:
            return way, self.secret
        application, _, key = way.partition("/") if way.count("/") == 1 else way.rpartition("/")
        return application, key

    @property
    def app_url(self) -> str:
        """An RTMP address without its stream key."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{_bracketed(self.host)}{port}/{self.path[0]}"

    @property
    def srt_options(self) -> dict[str, str]:
        """An SRT address's options."""
        options = dict(parse_qsl(urlsplit(self.url).query))
        return options | ({"passphrase": self.secret} if self.secret else {})

    async def address(self) -> str:
        """The IP address to connect to, checked: the name is looked up here and nowhere after, so that it cannot
        change in between. Raises `SinkFailed`."""
        return (await self.addresses())[0]

    async def addresses(self) -> list[str]:
        """All addresses of the host, checked. Raises `SinkFailed`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(10.0):
                found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise SinkFailed("the host's name is not known") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        # one private address among public ones is how a name is used to get inside
        if not self.rules.private and not all(is_public(address) for address in addresses):
            raise SinkFailed("the host is at an address that is not public (output_private)", final=True)
        if self.kind == "rtp" and not self.rules.hosts and any(is_public(address) for address in addresses):
            raise SinkFailed("RTP goes to a public address only where output_hosts lists it", final=True)
        return addresses


def read_target(kind: UrlKind, url: str, secret: str, rules: Rules) -> Target:
    """Check an address as far as that can be done without looking its name up. Raises `InvalidField` or `Forbidden`."""
    schemes = " or ".join(f"{scheme}://" for scheme in _SCHEMES[kind])
    if len(url) > _URL_MAX_CHARS or not _VISIBLE.fullmatch(url) or (secret and not _VISIBLE.fullmatch(secret)):
        limit = f"{_URL_MAX_CHARS} visible ASCII characters"
        raise InvalidField("the address or its secret has characters that no address has", field="url", limit=limit)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidField("the address cannot be read", field="url", limit=schemes) from None
    if parts.scheme not in _SCHEMES[kind]:
        raise InvalidField(f"an output of kind {kind} goes to another kind of address", field="url", limit=schemes)
    if not host or parts.username is not None or parts.fragment or "%" in host:
        raise InvalidField("the address needs a host, and holds no user or fragment", field="url", limit=schemes)
    if port is None:
        port = _PORTS.get(parts.scheme, 0)
    if not port:
        raise InvalidField("the address needs a port", field="url")
    _require_allowed(host, rules)
    if kind == "srt":
        _require_srt(parts)
    if kind == "rtp":
        _require_named(host, rules)
        rtp_options(url)
        srtp_key(secret)
    target = Target(kind, parts.scheme, host, port, _shown(parts, host, port), rules, url, secret)
    if kind == "rtmp" and not all(target.path):
        limit = "rtmp://host/application/key, or the key as `secret`"
        raise InvalidField("the address names an application and a stream", field="url", limit=limit)
    return target


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when it is wrapped in an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        # RFC 6052 section 2.1: the well-known prefix of NAT64
        if inside is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inside is not None:
            return inside.is_global and not inside.is_multicast
    return ip.is_global and not ip.is_multicast


def _require_allowed(host: str, rules: Rules) -> None:
    name = host.lower().rstrip(".")
    if rules.hosts and not any(fnmatch.fnmatchcase(name, pattern.lower()) for pattern in rules.hosts):
        raise Forbidden("this host is not among those that outputs may go to", field="url", limit="output_hosts")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return
    if not rules.private and not is_public(name):
        raise Forbidden("outputs go to public addresses only", field="url", limit="output_private")


def _require_named(host: str, rules: Rules) -> None:
    """RTP asks nobody whether it may come: it goes to hosts that the operator has listed, or inside."""
    if not rules.hosts and (not rules.private or is_public(host)):
        raise Forbidden("RTP goes to listed hosts only", field="url", limit="output_hosts, or output_private")


def _require_srt(parts: SplitResult) -> None:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(_SRT_OPTIONS))
    if unknown or parts.path.strip("/"):
        raise InvalidField("the address has parts that are not taken", field="url", limit=", ".join(_SRT_OPTIONS))
    if not options.get("latency", "0").isdecimal() or int(options.get("latency", "0")) > SRT_LATENCY_MAX_MS:
        raise InvalidField("the latency is a number of milliseconds", field="url", limit=f"0 to {SRT_LATENCY_MAX_MS}")
    if options.get("pbkeylen", "16") not in ("16", "24", "32"):
        raise InvalidField("the key has a length of AES", field="url", limit="pbkeylen 16, 24 or 32")


def _shown(parts: SplitResult, host: str, port: int) -> str:
    """Scheme, host and the beginning of the path: the rest may be a key."""
    first = unquote(parts.path.strip("/").split("/")[0])
    more = first != parts.path.strip("/") or bool(parts.query)
    # a lone segment of a WHIP address may be its key too
    way = f"/{quote(first)}" if first and "/" in parts.path.strip("/") else ""
    return f"{parts.scheme}://{_bracketed(host)}:{port}{way}" + (f"/{COVERED}" if more or (first and not way) else "")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
