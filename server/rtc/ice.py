"""ICE on top of aioice: a fixed port range, a public address before a NAT, TCP, and restarts under a running DTLS.

aiortc has neither. A restart (RFC 8445 section 9) is a second aioice connection with fresh credentials that is checked
beside the running one and takes its place once it is nominated; DTLS and SRTP above it notice nothing, and a restart
that fails changes nothing. What is relied on beyond the public APIs is listed in `RELIED_ON`."""

import asyncio
import logging
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import Connection, ConnectionClosed, StunProtocol, server_reflexive_candidate
from aioice.turn import UDP_SOCKET_BUFFER_SIZE
from aiortc import RTCIceCandidate, RTCIceServer, RTCPeerConnection
from aiortc.rtcicetransport import (
    RTCIceGatherer,
    RTCIceTransport,
    candidate_from_aioice,
    candidate_to_aioice,
    connection_kwargs,
)
from aiortc.sdp import candidate_to_sdp

from server.rtc.ice_tcp import PassiveProtocol, TcpDoor, passive_candidate
from server.rtc.sdpfrag import Credentials
from server.rtc.stun_guard import GuardedStunProtocol

_log = logging.getLogger(__name__)

RESTART_TIMEOUT_S: Final = 15.0
_ANY_PORT: Final = range(1)
"""Port 0: the system chooses."""
_ICE_TRANSPORTS: Final = "_RTCPeerConnection__iceTransports"
_UPDATE_GATHERING: Final = "_RTCPeerConnection__updateIceGatheringState"
_UPDATE_ICE: Final = "_RTCPeerConnection__updateIceConnectionState"
_UPDATE_STATE: Final = "_RTCPeerConnection__updateConnectionState"
_SET_STATE: Final = "_RTCIceTransport__setState"

RELIED_ON: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (RTCPeerConnection, (_ICE_TRANSPORTS, _UPDATE_GATHERING, _UPDATE_ICE, _UPDATE_STATE)),
    (RTCIceTransport, (_SET_STATE, "_connection", "_recv", "_send", "_monitor", "_role_set")),
    (RTCIceGatherer, ("_connection",)),
    (Connection, ("_protocols", "add_remote_candidate", "get_component_candidates", "get_event", "stun_server")),
)
"""Classes of aiortc and aioice and the members beyond their documentation that this module uses."""


@dataclass(frozen=True, slots=True)
class IceOptions:
    """How this machine is reached. The defaults fit a machine that has its public address itself."""

    ports: range = range(0)
    """UDP ports to use; empty takes any free one."""
    public_address: str = ""
    """IPv4 address under which a 1:1 NAT shows this machine; put in place of its own in host candidates."""
    tcp: TcpDoor | None = None
    """Where viewers come in whose network lets no UDP out; None offers no TCP candidates."""


class IceConnection(Connection):
    """An aioice connection that obeys `IceOptions`."""

    def __init__(self, options: IceOptions, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._options = options

    async def get_component_candidates(  # the base class's signature
        self, component: int, addresses: list[str], timeout: int = 5  # noqa: ASYNC109
    ) -> list[Candidate]:
        """Bind, and ask STUN and TURN servers, as the base class does, but on the ports we may use."""
        bound = [protocol for address in addresses if (protocol := await self._bind(address, component))]
        self._protocols += bound
        passive = await self._passive(addresses, component)
        others = await asyncio.gather(self._relayed(component, timeout), self._reflexive(bound, timeout))
        found = [*(p.local_candidate for p in bound), *others[0], *others[1], *passive]
        shown = {(one.transport, one.host, one.port): one for one in map(self._shown, found)}
        return list(shown.values())

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        """A viewer's TCP candidates are passed over: it opens the streams, and is learnt of from its own checks."""
        if remote_candidate is None or remote_candidate.transport.lower() == "udp":
            await super().add_remote_candidate(remote_candidate)

    async def _passive(self, addresses: Sequence[str], component: int) -> list[Candidate]:
        """TCP candidates on these addresses; one side of ours takes the streams of all of them."""
        door = self._options.tcp
        if door is None:
            return []
        found = [passive_candidate(component, one, door.port) for one in addresses if door.serves(one)]
        if found:
            await door.open()
            self._protocols.append(PassiveProtocol(self, door, found[0]))
        return found

    async def _relayed(self, component: int, timeout_s: int) -> list[Candidate]:
        # without addresses the base class asks the TURN server only
        return await super().get_component_candidates(component, [], timeout_s)

    async def _reflexive(self, bound: Sequence[StunProtocol], timeout_s: int) -> list[Candidate]:
        """What the STUN server sees of these sockets (IPv4 only); none where it does not answer."""
        server = self.stun_server
        wanted = [protocol for protocol in bound if ":" not in protocol.local_candidate.host]
        if server is None or not wanted:
            return []
        asked = [asyncio.ensure_future(server_reflexive_candidate(protocol, server)) for protocol in wanted]
        done, late = await asyncio.wait(asked, timeout=timeout_s)
        for task in late:
            task.cancel()
        return [task.result()[0] for task in done if task.exception() is None]

    async def _bind(self, address: str, component: int) -> StunProtocol | None:
        """A socket on a free port of the range, its host candidate set; None if there is none."""
        loop = asyncio.get_running_loop()
        ports = self._options.ports or _ANY_PORT
        first = random.randrange(len(ports))
        for port in [*ports[first:], *ports[:first]]:
            try:
                transport, protocol = await loop.create_datagram_endpoint(
                    lambda: GuardedStunProtocol(self), local_addr=(address, port)
                )
            except OSError:
                continue
            made: StunProtocol = protocol
            bound = transport.get_extra_info("socket")
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_SOCKET_BUFFER_SIZE)
            made.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", address),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=address,
                port=bound.getsockname()[1],
                type="host",
            )
            return made
        _log.warning("no UDP port from %d to %d is free on %s", ports[0], ports[-1], address)
        return None

    def _shown(self, candidate: Candidate) -> Candidate:
        """The candidate as viewers are told of it."""
        public = self._options.public_address
        if not public or candidate.type != "host" or ":" in candidate.host:
            return candidate
        shown = Candidate.from_sdp(candidate.to_sdp())
        shown.host = public
        shown.foundation = candidate_foundation("host", shown.transport, public)
        return shown


class IceGatherer(RTCIceGatherer):
    """Gathers on `IceConnection`s."""

    def __init__(self, servers: list[RTCIceServer], options: IceOptions, local: Credentials) -> None:
        super().__init__(servers, local_username=local.ufrag, local_password=local.password)
        self._servers = servers
        self._options = options
        self._connection = self.fresh(local)

    def fresh(self, local: Credentials | None = None) -> IceConnection:
        """Another connection of this kind; with random credentials if none are given."""
        return IceConnection(
            self._options,
            ice_controlling=False,
            local_username=local.ufrag if local else None,
            local_password=local.password if local else None,
            **connection_kwargs(self._servers),
        )


class RestartableTransport(RTCIceTransport):
    """An ICE transport whose connection can be replaced while packets flow."""

    def __init__(self, gatherer: IceGatherer) -> None:
        super().__init__(gatherer)
        self._gatherer = gatherer
        self._pending: IceConnection | None = None
        self._switching: asyncio.Task[None] | None = None
        self._recv = self._receive
        self._send = self._transmit
        self.restarts = 0

    async def restart(self, remote: Credentials) -> IceConnection:
        """Begin a new ICE session towards these credentials; returns our side of it, gathered."""
        await self._abandon()
        fresh = self._gatherer.fresh()
        await fresh.gather_candidates()
        fresh.ice_controlling = self._connection.ice_controlling
        fresh.remote_username, fresh.remote_password = remote.ufrag, remote.password
        self._pending = fresh
        self._switching = asyncio.create_task(self._switch(fresh), name="ice-restart")
        return fresh

    async def addRemoteCandidate(self, candidate: RTCIceCandidate | None) -> None:
        """Candidates that come during a restart belong to it."""
        if self._pending is not None and candidate is not None:
            await self._pending.add_remote_candidate(candidate_to_aioice(candidate))
        else:
            await super().addRemoteCandidate(candidate)

    async def stop(self) -> None:
        """End, with a restart that may be under way."""
        await self._abandon()
        await super().stop()

    async def _abandon(self) -> None:
        task, self._switching = self._switching, None
        fresh, self._pending = self._pending, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if fresh is not None:
            await fresh.close()

    async def _switch(self, fresh: IceConnection) -> None:
        try:
            async with asyncio.timeout(RESTART_TIMEOUT_S):
                await fresh.connect()
        except (ConnectionError, TimeoutError) as error:
            _log.info("an ICE restart failed, the connection stays as it is: %s", error or "timeout")
            self._pending = None
            await fresh.close()
            return
        before, self._connection = self._connection, fresh
        self._gatherer._connection = fresh
        self._pending = None
        self.restarts += 1
        await before.close()

    async def _receive(self) -> bytes:
        while True:
            connection = self._connection
            try:
                data: bytes = await connection.recv()
                return data
            except ConnectionError:
                if connection is self._connection:
                    raise

    async def _transmit(self, data: bytes) -> None:
        await self._connection.send(data)

    async def _monitor(self) -> None:
        while True:
            connection = self._connection
            event = await connection.get_event()
            if connection is not self._connection:
                continue
            if event is None or isinstance(event, ConnectionClosed):
                if self.state == "completed":
                    getattr(self, _SET_STATE)("failed")
                return


def local_candidates(connection: Connection) -> tuple[str, ...]:
    """Its candidates as SDP writes them, beginning with `candidate:`."""
    found = (candidate_to_sdp(candidate_from_aioice(one)) for one in connection.local_candidates)
    return tuple(f"candidate:{text}" for text in found)


def substitute(
    connection: RTCPeerConnection, made: RTCIceTransport, servers: list[RTCIceServer], options: IceOptions
) -> RestartableTransport:
    """Our transport in the place of the one that a connection has just made, with the same credentials."""
    local = made.iceGatherer.getLocalParameters()
    gatherer = IceGatherer(servers, options, Credentials(local.usernameFragment or "", local.password or ""))
    gatherer.on("statechange", getattr(connection, _UPDATE_GATHERING))
    transport = RestartableTransport(gatherer)
    transport.on("statechange", getattr(connection, _UPDATE_ICE))
    transport.on("statechange", getattr(connection, _UPDATE_STATE))
    made.iceGatherer.remove_all_listeners()
    made.remove_all_listeners()
    transports: set[RTCIceTransport] = getattr(connection, _ICE_TRANSPORTS)
    transports.discard(made)
    transports.add(transport)
    return transport
