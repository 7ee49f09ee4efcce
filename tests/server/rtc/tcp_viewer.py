"""A viewer's side of ICE over TCP, written for the tests alone: one active stream, RFC 4571 frames, STUN by hand."""

import asyncio
from typing import Self

from aioice import stun

from server.rtc.sdpfrag import Credentials


class TcpViewer:
    """An active ICE agent in the controlling role."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ours: Credentials, theirs: Credentials
    ) -> None:
        self.reader, self.writer = reader, writer
        self._ours, self._theirs = ours, theirs

    @classmethod
    async def open(cls, port: int, ours: Credentials, theirs: Credentials, host: str = "127.0.0.1") -> Self:
        """Connect, nothing said."""
        return cls(*await asyncio.open_connection(host, port), ours, theirs)

    def send(self, packet: bytes) -> None:
        """Send one packet in its frame."""
        self.writer.write(len(packet).to_bytes(2, "big") + packet)

    async def receive(self) -> bytes:
        """The next packet; empty at the end of the stream."""
        try:
            async with asyncio.timeout(10):
                size = int.from_bytes(await self.reader.readexactly(2), "big")
                return await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    def request(self, *, nominate: bool, password: str | None = None) -> stun.Message:
        """A signed binding request of ours."""
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self._theirs.ufrag}:{self._ours.ufrag}"
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLING"] = 1
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity((password or self._theirs.password).encode())
        return message

    async def check(self, *, nominate: bool = True) -> None:
        """One check: ours is answered, and theirs, which it triggers, is answered by us."""
        ours = self.request(nominate=nominate)
        self.send(bytes(ours))
        waiting = {"answer", "check"}
        while waiting:
            message = stun.parse_message(await self.receive())
            if message.message_class == stun.Class.REQUEST:
                self.answer(message)
                waiting.discard("check")
            elif message.transaction_id == ours.transaction_id:
                assert message.check_message_integrity(self._theirs.password.encode())
                waiting.discard("answer")

    def answer(self, request: stun.Message) -> None:
        """Answer a check of theirs."""
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = self.writer.get_extra_info("peername")[:2]
        response.add_message_integrity(self._ours.password.encode())
        self.send(bytes(response))

    async def close(self) -> None:
        """End the stream."""
        self.writer.close()
