"""Preheating draws what is missing, once, behind what is due."""

import asyncio

from realtime.compute import ComputeThread
from realtime.preheat import keys_of, preheat
from realtime.stock import Stock
from tests.fakes import FlatAvatar


async def test_what_is_missing_is_drawn_once() -> None:
    avatar, compute = FlatAvatar(), ComputeThread()
    stock = Stock(avatar)
    drawn = await preheat(stock, compute, ["shake", "talk"])
    assert drawn == avatar.bases_drawn == len(keys_of(avatar, ["shake", "talk"])) > 3
    assert await preheat(stock, compute, ["shake"]) == 0
    assert stock.counters.bases.hits == stock.counters.bases.misses == 0, "asking is not a use"
    compute.close()


async def test_it_can_be_given_up_in_the_middle() -> None:
    avatar, compute = FlatAvatar(), ComputeThread()
    task = asyncio.create_task(preheat(Stock(avatar), compute, ["talk"]))
    while avatar.bases_drawn < 2:  # noqa: ASYNC110  # the thread has no event of its own
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert avatar.bases_drawn < len(keys_of(avatar, ["talk"]))
    compute.close()
