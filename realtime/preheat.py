"""Preheating: draws the base frames a session is going to need before anybody waits for them."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from realtime.compute import ComputeThread
from realtime.core.clips import primitive
from realtime.core.primitives import clip_controls
from realtime.core.values import BaseKey
from realtime.ports import Avatar
from realtime.stock import Stock

log = logging.getLogger(__name__)

PATIENCE_S: Final = 60.0
"""Deadline of each preheated frame: anything that is due sooner goes first."""


def keys_of(avatar: Avatar, names: Sequence[str]) -> list[BaseKey]:
    """The base frames that these motion primitives pass through, each once. Raises `NotFound` for an unknown one."""
    keys = (avatar.base_key(controls) for name in names for controls in clip_controls(primitive(name)))
    return list(dict.fromkeys(keys))


async def preheat(stock: Stock, compute: ComputeThread, names: Sequence[str]) -> int:
    """Draw what is missing of these primitives' base frames, one after another, behind all work that is due.
    Returns how many were drawn."""
    drawn = 0
    for key in keys_of(stock.avatar, names):
        if stock.holds(key):
            continue
        await compute.run(PATIENCE_S, stock.make_base, key)
        drawn += 1
        await asyncio.sleep(0)
    log.debug("preheated %d base frames for %s", drawn, ", ".join(names))
    return drawn
