"""A one-slot, newest-wins mailbox between one producer and any number of readers on the same event loop."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class MailboxClosed(Exception):
    """The producer is gone; nothing more will come."""


class Mailbox(Generic[T]):
    """`put` replaces what nobody has taken yet; `newer(than)` waits for something that was put after `than`.

    Each reader keeps the serial number of what it last saw, so that one frame can serve many readers and none of
    them can hold up the producer or another reader."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._serial = 0
        self._closed = False
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def serial(self) -> int:
        """Number of values put so far; 0 means empty."""
        return self._serial

    def put(self, value: T) -> None:
        """Publish a value, replacing the previous one."""
        self._value = value
        self._serial += 1
        self._wake()

    def close(self) -> None:
        """End of production: readers get `MailboxClosed` once they have seen the last value."""
        self._closed = True
        self._wake()

    async def newer(self, than: int = 0) -> tuple[int, T]:
        """The newest value with a serial above `than`, as `(serial, value)`; waits for it."""
        while self._serial <= than or self._value is None:
            if self._closed:
                raise MailboxClosed
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
        return self._serial, self._value

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
