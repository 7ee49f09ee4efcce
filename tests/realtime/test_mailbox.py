"""The mailbox: newest wins, nobody waits for anybody."""

import asyncio

import pytest

from realtime.mailbox import Mailbox, MailboxClosed


async def test_a_slow_reader_gets_the_newest_only() -> None:
    box: Mailbox[int] = Mailbox()
    for i in range(5):
        box.put(i)
    assert await box.newer(0) == (5, 4)


async def test_every_reader_sees_every_value_it_waits_for() -> None:
    box: Mailbox[str] = Mailbox()

    async def read() -> list[str]:
        serial = 0
        seen: list[str] = []
        while len(seen) < 3:
            serial, value = await box.newer(serial)
            seen.append(value)
        return seen

    readers = [asyncio.create_task(read()) for _ in range(2)]
    for value in "abc":
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        box.put(value)
        await asyncio.sleep(0)
    assert await asyncio.gather(*readers) == [["a", "b", "c"]] * 2


async def test_closing_wakes_readers_after_the_last_value() -> None:
    box: Mailbox[int] = Mailbox()
    waiting = asyncio.create_task(box.newer(1))
    box.put(1)
    await asyncio.sleep(0)
    box.close()
    with pytest.raises(MailboxClosed):
        await waiting
    assert await box.newer(0) == (1, 1)


async def test_a_reader_that_gives_up_leaves_nothing_behind() -> None:
    box: Mailbox[int] = Mailbox()
    task = asyncio.create_task(box.newer(0))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    box.put(1)
    assert await box.newer(0) == (1, 1)
