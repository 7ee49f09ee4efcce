"""`anima doctor --connect`: each way media can take to viewers is tried, and what is wrong is said in words."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any, Final

from aioice import stun, turn
from aioice.candidate import Candidate
from aioice.ice import StunProtocol, get_host_addresses, server_reflexive_candidate
from aiortc.rtcicetransport import RTCIceParameters, parse_stun_turn_uri

from server.config import Config
from server.doctor import Check
from server.ice_servers import turn_servers
from server.rtc.ice import IceConnection, IceGatherer, IceOptions, RestartableTransport
from server.rtc.ice_tcp import TcpDoor
from server.rtc.sdpfrag import Credentials
from server.settings import IceServer

PATIENCE_S: Final = 6.0
_STREAM_PATIENCE_S: Final = 2.0
"""A stream to ourselves needs no longer, even on a loaded machine."""
CERTIFICATE_REMEDY: Final = "give it a certificate for this name that browsers trust, with its whole chain"


async def examine_paths(config: Config) -> list[Check]:
    """Every path: this machine's own addresses, the port range, each STUN and TURN server, the public address."""
    servers = (*config.ice_servers, *turn_servers(config, "doctor", time.time()))
    tcp = await asyncio.to_thread(tcp_ports, config)
    checks = [addresses(), ports(config), await loop_back(config), *tcp, *await _servers(servers)]
    answered = (check for check in checks if check.name.startswith("stun") and check.result == "ok")
    seen = [check.detail.rpartition(" ")[2] for check in answered]
    return [*checks, public_address(config, seen)]


def addresses() -> Check:
    """The addresses that candidates are made from."""
    found = get_host_addresses(use_ipv4=True, use_ipv6=True)
    if found:
        return Check("addresses", "ok", ", ".join(found))
    remedy = "give the machine an address other than 127.0.0.1: WebRTC leaves that one out"
    return Check("addresses", "failure", "none but this machine's own", remedy)


def ports(config: Config) -> Check:
    """Whether the configured UDP ports can be bound."""
    wanted = config.udp_port_range
    if not wanted:
        return Check("udp ports", "ok", "any free one; set udp_ports where a firewall must let them in")
    taken = [port for port in wanted if not _can_bind(port)]
    need = f"{config.max_sessions} sessions with a viewer each"
    if len(taken) == len(wanted):
        return Check("udp ports", "failure", f"all of {config.udp_ports} are in use", "choose another range")
    if len(wanted) - len(taken) < config.max_sessions:
        free = len(wanted) - len(taken)
        return Check("udp ports", "warning", f"{free} are free, too few for {need}", "widen udp_ports")
    return Check("udp ports", "ok", f"{len(wanted) - len(taken)} of {len(wanted)} are free")


def tcp_ports(config: Config) -> list[Check]:
    """Whether the TCP ports for media, one per worker, can be taken or are ours already: each host address is tried as
    viewers do. That they pass the firewall in front only a viewer can tell."""
    first = config.ice_tcp_port
    if not first:
        remedy = "set ice_tcp_port where viewers' networks let no UDP out, and open it in the firewall"
        return [Check("media over TCP", "warning", "off", remedy)]
    return [_tcp_port(port) for port in range(first, first + config.workers)]


def _tcp_port(port: int) -> Check:
    name = f"media over TCP, port {port}"
    try:
        with contextlib.closing(TcpDoor(port)):
            unreached = [address for address in _own_addresses() if not _can_reach(address, port)]
    except OSError as error:
        if all(_can_reach(address, port) for address in _own_addresses()):
            return Check(name, "ok", "something listens there: this server, if it runs")
        remedy = "stop what holds it, or choose another ice_tcp_port"
        return Check(name, "failure", error.strerror or str(error), remedy)
    if unreached:
        remedy = f"let TCP port {port} through this machine's own firewall (nft list ruleset, ufw status)"
        return Check(name, "failure", f"no stream comes in at {', '.join(unreached)}", remedy)
    return Check(name, "ok", f"free; open TCP port {port} in every firewall in front of this machine")


def _own_addresses() -> list[str]:
    return get_host_addresses(use_ipv4=True, use_ipv6=False)


def _can_reach(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), _STREAM_PATIENCE_S).close()
    except OSError:
        return False
    return True


def public_address(config: Config, seen: Sequence[str]) -> Check:
    """Whether the public address is what a STUN server sees of this machine, as far as one was asked."""
    own = get_host_addresses(use_ipv4=True, use_ipv6=False)
    told = config.public_address
    others = [address for address in seen if address not in own]
    if told and others and told not in others:
        remedy = f"set public_address to {others[0]}, or correct the NAT"
        return Check("public address", "failure", f"viewers are told {told}, but come out at {others[0]}", remedy)
    if not told and others:
        remedy = "if the NAT in front passes udp_ports on to this machine, set public_address; if not, set server_relay"
        return Check("public address", "warning", f"a NAT shows this machine as {others[0]}", remedy)
    if not told and seen:
        return Check("public address", "ok", "not needed: this machine is seen at its own address")
    if not told:
        detail = "not set; the machine's own addresses are told"
        return Check("public address", "warning", detail, "set public_address where a NAT is in front of this machine")
    return Check("public address", "ok", told)


async def loop_back(config: Config) -> Check:
    """A whole ICE exchange with ourselves over the addresses and ports that viewers are told."""
    options = IceOptions(config.udp_port_range)
    one, other = (
        RestartableTransport(IceGatherer([], options, Credentials(name * 8, name * 22))) for name in ("a", "b")
    )
    one._connection.ice_controlling = True
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(one.iceGatherer.gather(), other.iceGatherer.gather())
            for here, there in ((one, other), (other, one)):
                for candidate in there.iceGatherer.getLocalCandidates():
                    await here.addRemoteCandidate(candidate)
                await here.addRemoteCandidate(None)
            await asyncio.gather(*(here.start(_parameters(there)) for here, there in ((one, other), (other, one))))
        if one.state == other.state == "completed":
            return Check("media on this machine", "ok", "UDP flows between its own addresses")
    except TimeoutError:
        pass
    finally:
        await asyncio.gather(one.stop(), other.stop())
    remedy = "let UDP through this machine's own firewall (nft list ruleset, ufw status)"
    return Check("media on this machine", "failure", "no UDP packet comes back from its own addresses", remedy)


def _parameters(transport: RestartableTransport) -> RTCIceParameters:
    return transport.iceGatherer.getLocalParameters()


async def _servers(servers: Sequence[IceServer]) -> list[Check]:
    wanted = [(server, url) for server in servers for url in server.urls]
    return list(await asyncio.gather(*(_server(server, url) for server, url in wanted)))


async def _server(server: IceServer, url: str) -> Check:
    """One STUN or TURN server, asked as a viewer would ask it."""
    try:
        parsed = parse_stun_turn_uri(url)
    except ValueError as error:
        return Check(url, "failure", str(error), "write it as stun:HOST:PORT or turn:HOST:PORT?transport=udp")
    try:
        async with asyncio.timeout(PATIENCE_S):
            if parsed["scheme"] in ("stun", "stuns"):
                return Check(url, "ok", f"sees this machine as {await _reflexive(parsed)}")
            return Check(url, "ok", f"relays at {await _relayed(parsed, server)}")
    except TimeoutError:
        return Check(url, "failure", f"no answer within {PATIENCE_S:g} s", _way_in(parsed))
    except stun.TransactionFailed as error:
        code = error.response.attributes.get("ERROR-CODE", (0, ""))
        return Check(url, "failure", f"refused: {code[0]} {code[1]}", _refusal(code[0]))
    except socket.gaierror as error:
        return Check(url, "failure", f"{parsed['host']}: {error.strerror}", "correct the host name, or its DNS entry")
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason
        return Check(url, "failure", f"its certificate is refused: {reason}", CERTIFICATE_REMEDY)
    except (OSError, stun.TransactionError) as error:
        words = "connection refused" if isinstance(error, ConnectionRefusedError) else str(error) or "no answer"
        return Check(url, "failure", words, _way_in(parsed))


async def _reflexive(parsed: dict[str, Any]) -> str:
    connection = IceConnection(IceOptions(), ice_controlling=True)
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: StunProtocol(connection), local_addr=("0.0.0.0", 0)
    )
    try:
        protocol.local_candidate = Candidate("doctor", 1, "udp", 1, "0.0.0.0", 0, "host")
        candidate, _ = await server_reflexive_candidate(protocol, (parsed["host"], parsed["port"]))
        return str(candidate.host)
    finally:
        transport.close()


async def _relayed(parsed: dict[str, Any], server: IceServer) -> str:
    transport, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol,
        server_addr=(parsed["host"], parsed["port"]),
        username=server.username or None,
        password=server.credential or None,
        ssl=parsed["scheme"] == "turns",
        transport=parsed["transport"],
    )
    try:
        host, port = transport.get_extra_info("sockname")[:2]
        return f"{host}:{port}"
    finally:
        transport.close()


def _refusal(code: int) -> str:
    if code == 401:
        return "turn_secret must equal the server's static-auth-secret, and both clocks must agree"
    if code == 486:
        return "the server's quota is used up: raise user-quota and total-quota"
    return "look into the TURN server's log"


def _way_in(parsed: dict[str, Any]) -> str:
    over = "UDP" if parsed.get("transport", "udp") == "udp" else "TCP"
    return f"start the server, or open {over} port {parsed['port']} in its firewall"


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
