"""ICE of our own: restarts while packets flow, the port range, the public address."""

import asyncio
import inspect
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import pytest
from aioice.ice import get_host_addresses

from server.rtc import ice
from server.rtc.ice import IceConnection, IceGatherer, IceOptions, RestartableTransport
from server.rtc.sdpfrag import Credentials
from tests.server.rtc.rig import until

UDP = socket.SOCK_DGRAM


def transport(options: IceOptions | None = None) -> RestartableTransport:
    made = Credentials("ufra" + "x" * 4, "p" * 22)
    return RestartableTransport(IceGatherer([], options or IceOptions(), made))


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[RestartableTransport, RestartableTransport]]:
    """Two transports of this machine that have found each other; the first controls."""
    one, other = transport(), transport()
    one._connection.ice_controlling = True
    await asyncio.gather(one.iceGatherer.gather(), other.iceGatherer.gather())
    for here, there in ((one, other), (other, one)):
        for candidate in there.iceGatherer.getLocalCandidates():
            await here.addRemoteCandidate(candidate)
    await asyncio.gather(
        one.start(other.iceGatherer.getLocalParameters()), other.start(one.iceGatherer.getLocalParameters())
    )
    try:
        yield one, other
    finally:
        await asyncio.gather(one.stop(), other.stop())


def _parameters(connection: IceConnection) -> Credentials:
    return Credentials(connection.local_username, connection.local_password)


async def test_a_restart_keeps_packets_flowing() -> None:
    async with connected() as (one, other):
        waiting = asyncio.create_task(other._recv())
        before = one._connection
        # over HTTP the asking side has its new credentials first; here they are told once both exist
        ours = await other.restart(Credentials("later", "q" * 22))
        theirs = await one.restart(_parameters(ours))
        ours.remote_username, ours.remote_password = theirs.local_username, theirs.local_password
        for here, there in ((ours, theirs), (theirs, ours)):
            for candidate in there.local_candidates:
                await here.add_remote_candidate(candidate)
        await until(lambda: one.restarts == 1 and other.restarts == 1)
        assert one._connection is not before and one.state == other.state == "completed"
        await one._send(b"after")
        assert await asyncio.wait_for(waiting, 5) == b"after"
        await other._send(b"back")
        assert await asyncio.wait_for(one._recv(), 5) == b"back"


async def test_a_failed_restart_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "RESTART_TIMEOUT_S", 0.1)
    async with connected() as (one, other):
        before = other._connection
        await other.restart(Credentials("nobody", "q" * 22))
        await until(lambda: other._pending is None)
        assert other._connection is before and other.restarts == 0 and other.state == "completed"
        await one._send(b"still here")
        assert await asyncio.wait_for(other._recv(), 5) == b"still here"


async def test_a_restart_under_way_ends_with_its_connection() -> None:
    async with connected() as (_, other):
        first = await other.restart(Credentials("nobody", "q" * 22))
        second = await other.restart(Credentials("nobody", "q" * 22))
        assert (first._closed, second._closed) == (True, False)
    assert (second._closed, other.state) == (True, "closed")


async def test_the_end_of_a_connection_is_still_noticed() -> None:
    async with connected() as (one, other):
        await one._connection.close()
        await until(lambda: one.state == "failed")
        with pytest.raises(ConnectionError):
            await one._recv()
        assert other.state == "completed"


def _free_ports(count: int) -> range:
    with socket.socket(socket.AF_INET, UDP) as probe:
        probe.bind(("0.0.0.0", 0))
        first = min(int(probe.getsockname()[1]), 65535 - count)
    return range(first, first + count)


async def test_ports_stay_in_their_range() -> None:
    ports = _free_ports(8)
    made = [transport(IceOptions(ports)) for _ in range(3)]
    for one in made:
        await one.iceGatherer.gather()
    found = [(c.ip, c.port) for one in made for c in one.iceGatherer.getLocalCandidates()]
    assert found and len(set(found)) == len(found) and all(port in ports for _, port in found)
    await asyncio.gather(*(one.stop() for one in made))


async def test_a_full_range_gives_no_candidate(caplog: pytest.LogCaptureFixture) -> None:
    port = _free_ports(1)[0]
    with ExitStack() as held:
        for address in get_host_addresses(use_ipv4=True, use_ipv6=True):
            taken = held.enter_context(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, UDP))
            taken.bind((address, port))
        one = transport(IceOptions(range(port, port + 1)))
        await one.iceGatherer.gather()
    assert not one.iceGatherer.getLocalCandidates() and "no UDP port" in caplog.text
    await one.stop()


@pytest.mark.parametrize("ports", [range(0), _free_ports(8)], ids=["any", "range"])
async def test_the_public_address_is_told(ports: range) -> None:
    one = transport(IceOptions(ports, "203.0.113.7"))
    await one.iceGatherer.gather()
    hosts = {c.ip for c in one.iceGatherer.getLocalCandidates() if ":" not in c.ip}
    assert hosts == {"203.0.113.7"}
    bound = {p.local_candidate.host for p in one._connection._protocols}
    assert "203.0.113.7" not in bound, "packets still leave from the machine's own address"
    await one.stop()


@pytest.mark.parametrize(("owner", "names"), ice.RELIED_ON, ids=lambda value: getattr(value, "__name__", ""))
def test_members_relied_on_exist(owner: type, names: tuple[str, ...]) -> None:
    source = inspect.getsource(owner)
    for name in names:
        assert name.removeprefix(f"_{owner.__name__}") in source, f"{owner.__name__} has no {name} any more"
