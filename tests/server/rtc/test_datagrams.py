"""Runs of datagrams in one call, and one by one where that does not work."""

import asyncio
import errno
from collections.abc import AsyncIterator

import pytest

from server.rtc.datagrams import DatagramSender, run_end
from tests.server.rtc.rig import until

PACKETS = [bytes([n]) * size for n, size in enumerate((300, 1100, 1100, 1100, 700, 200, 900))]


def test_runs_are_of_one_size_with_a_smaller_end() -> None:
    ends, begin = [], 0
    while begin < len(PACKETS):
        begin = run_end(PACKETS, begin)
        ends.append(begin)
    assert ends == [1, 5, 6, 7]
    assert run_end([bytes(10)] * 100, 0) == 32
    assert run_end([bytes(40_000)] * 2, 0) == 1


class Inbox(asyncio.DatagramProtocol):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.append(data)


@pytest.fixture
async def ends() -> AsyncIterator[tuple[DatagramSender, Inbox, tuple[str, int]]]:
    loop = asyncio.get_running_loop()
    receiver, inbox = await loop.create_datagram_endpoint(Inbox, local_addr=("127.0.0.1", 0))
    sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    yield DatagramSender(sender), inbox, receiver.get_extra_info("sockname")
    sender.close()
    receiver.close()
    await asyncio.sleep(0)


async def test_every_datagram_arrives_as_it_was(ends: tuple[DatagramSender, Inbox, tuple[str, int]]) -> None:
    sender, inbox, address = ends
    sender.send(PACKETS, address)
    await until(lambda: len(inbox.got) == len(PACKETS))
    assert inbox.got == PACKETS


async def test_without_offload_each_goes_by_itself(
    ends: tuple[DatagramSender, Inbox, tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, inbox, address = ends

    class NoOffload:
        def sendmsg(self, *arguments: object) -> int:
            raise OSError(errno.EIO, "no checksum offload")

    monkeypatch.setattr(sender, "_socket", NoOffload())
    sender.send(PACKETS, address)
    await until(lambda: len(inbox.got) == len(PACKETS))
    assert inbox.got == PACKETS and sender.batches == 0
    assert sender._socket is None


async def test_a_transport_without_a_socket() -> None:
    class Relay:
        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def sendto(self, data: bytes, address: object) -> None:
            self.sent.append(data)

    relay = Relay()
    DatagramSender(relay).send(PACKETS, ("192.0.2.1", 9))
    assert relay.sent == PACKETS


