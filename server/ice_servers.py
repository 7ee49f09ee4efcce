"""How viewers reach us: our own ports, and the STUN and TURN servers they are told, with short-lived credentials. The
caller brings the time."""

import base64
import hashlib
import hmac

from realtime.core.errors import ConfigError
from server.config import Config
from server.loading import flag
from server.rtc.ice import IceOptions
from server.rtc.ice_tcp import TcpDoor
from server.settings import IceServer


def ice_servers(config: Config, name: str, now_unix_s: float) -> tuple[IceServer, ...]:
    """The configured servers, and those of `turn_urls` with credentials that hold for `turn_ttl_s`."""
    return (*config.ice_servers, *turn_servers(config, name, now_unix_s))


def ice_options(config: Config) -> IceOptions:
    """Our own side's ports and address; the TCP port is bound here. Raises `ConfigError` where it cannot be."""
    port = config.ice_tcp_port
    try:
        door = TcpDoor(port) if port else None
    except OSError as error:
        told = f"ice_tcp_port = {port} ({config.source('ice_tcp_port')})"
        raise ConfigError(f"{told}: {error.strerror}; choose another with {flag('ice_tcp_port')}") from None
    return IceOptions(config.udp_port_range, config.public_address, door)


def turn_servers(config: Config, name: str, now_unix_s: float) -> tuple[IceServer, ...]:
    """Those of `turn_urls` alone."""
    if not config.turn_urls:
        return ()
    username, credential = turn_credentials(config.turn_secret, name, int(now_unix_s + config.turn_ttl_s))
    return (IceServer(config.turn_urls, username, credential),)


def turn_credentials(secret: str, name: str, expires_unix_s: int) -> tuple[str, str]:
    """Username and password that a TURN server with this shared secret takes until they expire.

    draft-uberti-behave-turn-rest section 2.2, as coturn's `use-auth-secret` does it: the username is the time of
    expiry and a name, the password its HMAC-SHA1 in base64."""
    username = f"{expires_unix_s}:{name}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def link_headers(servers: tuple[IceServer, ...]) -> list[str]:
    """One `Link` value per address (RFC 9725 section 4.6)."""
    links = []
    for server in servers:
        for url in server.urls:
            link = f'<{url}>; rel="ice-server"'
            if server.username:
                link += f"; username={_quoted(server.username)}; credential={_quoted(server.credential)}"
                link += '; credential-type="password"'
            links.append(link)
    return links


def _quoted(text: str) -> str:
    """A quoted-string (RFC 9110 section 5.6.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
