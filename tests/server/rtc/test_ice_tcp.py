"""ICE over TCP: a viewer of ours comes in by the door, strangers do not, and a slow one costs nobody anything."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aioice import Candidate, stun
from aiortc.rtcicetransport import RTCIceParameters

from server.rtc import ice_tcp, tcp_stream
from server.rtc.datagrams import DatagramSender
from server.rtc.ice import IceConnection, IceGatherer, IceOptions, RestartableTransport, local_candidates
from server.rtc.ice_tcp import STREAMS_MAX, PassiveProtocol, TcpDoor
from server.rtc.sdpfrag import Credentials
from server.rtc.tcp_stream import CLOGGED_BYTES, FULL_BYTES, Streams
from tests.server.rtc.rig import until
from tests.server.rtc.tcp_viewer import TcpViewer

THEIRS = Credentials("server", "s" * 22)
OURS = Credentials("viewer", "v" * 22)


@asynccontextmanager
async def door() -> AsyncIterator[TcpDoor]:
    made = TcpDoor(0, "127.0.0.1")
    try:
        yield made
    finally:
        made.close()


@asynccontextmanager
async def expecting() -> AsyncIterator[tuple[TcpDoor, RestartableTransport]]:
    """A transport that has told its candidates and waits for checks."""
    async with door() as entrance:
        transport = RestartableTransport(IceGatherer([], IceOptions(tcp=entrance), THEIRS))
        await transport.iceGatherer.gather()
        starting = asyncio.create_task(transport.start(RTCIceParameters(OURS.ufrag, OURS.password)))
        await asyncio.sleep(0)
        try:
            yield entrance, transport
        finally:
            await transport.stop()
            await asyncio.gather(starting, return_exceptions=True)
        assert (entrance.expected, entrance.strangers) == (0, 0), "nothing is left of it"


def passive(transport: RestartableTransport) -> PassiveProtocol:
    return next(one for one in transport._connection._protocols if isinstance(one, PassiveProtocol))


async def test_a_viewer_connects_by_tcp_alone_and_data_flows_both_ways() -> None:
    async with expecting() as (entrance, transport):
        viewer = await TcpViewer.open(entrance.port, OURS, THEIRS)
        await viewer.check()
        await until(lambda: transport.state == "completed")
        viewer.send(b"\x80 to the server")
        assert await transport._recv() == b"\x80 to the server"
        await transport._send(b"\x80 to the viewer")
        assert await viewer.receive() == b"\x80 to the viewer"
        await viewer.close()


async def test_a_stream_that_broke_is_followed_by_another() -> None:
    async with expecting() as (entrance, transport):
        first = await TcpViewer.open(entrance.port, OURS, THEIRS)
        await first.check()
        await until(lambda: transport.state == "completed")
        await first.close()
        await until(lambda: passive(transport).streams == 0)
        await transport._send(b"\x80 into nothing")
        second = await TcpViewer.open(entrance.port, OURS, THEIRS)
        await second.check()
        await until(lambda: _port(transport) == second.writer.get_extra_info("sockname")[1])
        await transport._send(b"\x80 again")
        assert await second.receive() == b"\x80 again"
        await second.close()


def _port(transport: RestartableTransport) -> int:
    return int(transport._connection._nominated[1].remote_addr[1])


def test_the_priority_is_that_of_rfc_6544_and_below_udp() -> None:
    assert ice_tcp.passive_priority(1) == (90 << 24) + ((4 << 13) + 8191 << 8) + 255 < (126 << 24)


@pytest.mark.parametrize("public", ["", "203.0.113.7"])
async def test_candidates_say_passive_and_the_public_address_once(public: str) -> None:
    async with door() as entrance:
        connection = IceConnection(IceOptions(public_address=public, tcp=entrance), ice_controlling=False)
        await connection.gather_candidates()
        lines = [line for line in local_candidates(connection) if " tcp " in line]
        assert lines and all(f" {entrance.port} typ host tcptype passive" in line for line in lines)
        assert not public or len([line for line in lines if public in line]) == len(lines) == 1
        await connection.close()


async def test_without_a_door_nothing_is_told_of_tcp() -> None:
    connection = IceConnection(IceOptions(), ice_controlling=False)
    await connection.gather_candidates()
    assert not any(" tcp " in line for line in local_candidates(connection))
    await connection.close()


async def test_a_viewers_own_tcp_candidates_make_no_pairs() -> None:
    async with expecting() as (_, transport):
        active = Candidate.from_sdp("1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active")
        await transport._connection.add_remote_candidate(active)
        assert transport._connection.remote_candidates == [] and transport._connection._check_list == []


async def _nonsense(viewer: TcpViewer) -> None:
    viewer.send(b"GET / HTTP/1.1")


async def _too_long(viewer: TcpViewer) -> None:
    viewer.writer.write(b"\x10\x00")


async def _wrong_password(viewer: TcpViewer) -> None:
    viewer.send(bytes(viewer.request(nominate=True, password="guessed" * 4)))


async def _unsigned(viewer: TcpViewer) -> None:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{THEIRS.ufrag}:{OURS.ufrag}"
    viewer.send(bytes(message))


async def _response(viewer: TcpViewer) -> None:
    message = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    message.attributes["USERNAME"] = f"{THEIRS.ufrag}:{OURS.ufrag}"
    message.add_message_integrity(THEIRS.password.encode())
    viewer.send(bytes(message))


async def _mangled(viewer: TcpViewer) -> None:
    viewer.send(bytes(viewer.request(nominate=True))[:-3])


@pytest.mark.parametrize("begins", [_nonsense, _too_long, _wrong_password, _unsigned, _response, _mangled])
async def test_strangers_are_cut_without_an_answer(begins: Callable[[TcpViewer], Awaitable[None]]) -> None:
    async with expecting() as (entrance, transport):
        viewer = await TcpViewer.open(entrance.port, OURS, THEIRS)
        await begins(viewer)
        assert await viewer.receive() == b""
        assert entrance.refused == 1 and passive(transport).streams == 0
        await viewer.close()


async def test_a_silent_stranger_is_cut_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_stream, "STRANGER_TIMEOUT_S", 0.02)
    async with expecting() as (entrance, _):
        viewer = await TcpViewer.open(entrance.port, OURS, THEIRS)
        assert await viewer.receive() == b"" and entrance.strangers == 0
        await viewer.close()


async def test_a_crowd_of_strangers_keeps_no_viewer_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice_tcp, "STRANGERS_MAX", 3)
    async with expecting() as (entrance, transport):
        crowd = [await TcpViewer.open(entrance.port, OURS, THEIRS) for _ in range(6)]
        assert await crowd[0].receive() == b"", "the oldest makes room"
        assert entrance.strangers <= 3
        viewer = await TcpViewer.open(entrance.port, OURS, THEIRS)
        await viewer.check()
        await until(lambda: transport.state == "completed")
        for one in (*crowd, viewer):
            await one.close()
        await until(lambda: entrance.strangers == 0)


async def test_the_streams_of_one_viewer_are_bounded_and_the_used_one_stays() -> None:
    async with expecting() as (entrance, transport):
        used = await TcpViewer.open(entrance.port, OURS, THEIRS)
        await used.check()
        await until(lambda: transport.state == "completed")
        more = [await TcpViewer.open(entrance.port, OURS, THEIRS) for _ in range(STREAMS_MAX + 2)]
        for one in more:
            await one.check(nominate=False)
        assert passive(transport).streams == STREAMS_MAX
        await transport._send(b"\x80 still here")
        assert await used.receive() == b"\x80 still here"
        for one in (used, *more):
            await one.close()


async def test_what_a_slow_viewer_does_not_take_is_dropped_not_kept() -> None:
    async with expecting() as (entrance, transport):
        viewer = await TcpViewer.open(entrance.port, OURS, THEIRS)
        await viewer.check()
        await until(lambda: transport.state == "completed")
        streams = passive(transport).transport
        assert isinstance(streams, Streams)
        address = transport._connection._nominated[1].remote_addr
        sender, packets = DatagramSender(streams), [bytes(1200)] * 10
        assert not sender.clogged(address)
        for _ in range(2000):
            sender.send(packets, address)
        assert sender.clogged(address) and streams.dropped_packets > 0
        assert CLOGGED_BYTES < streams.get_write_buffer_size() <= FULL_BYTES + 10 * 1202
        while sender.clogged(address):
            assert len(await viewer.receive()) == 1200
        await viewer.close()


@pytest.mark.parametrize(("owner", "names"), ice_tcp.RELIED_ON, ids=lambda value: getattr(value, "__name__", ""))
def test_members_relied_on_exist(owner: type, names: tuple[str, ...]) -> None:
    source = inspect.getsource(owner)
    assert all(name in source for name in names)
