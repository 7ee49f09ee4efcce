"""The ready pixels of each avatar, one stock per look: opened when somebody asks for it, kept while it is used."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from typing import Final
from weakref import WeakValueDictionary

from realtime.core.backdrop import Backdrop, parse
from realtime.ports import Avatar
from realtime.shelf import BaseShelf
from realtime.stock import Stock
from server.surfaces import LOOK_SPLIT

KEPT: Final = 3
"""Looks with a background of their own that are kept though no session has them any more; colours are without end."""


class Wardrobe(dict[str, Stock]):
    """Stocks by look. Those in an avatar's own room stay; the others go when nobody shows them."""

    def __init__(
        self,
        ready: Mapping[str, Stock],
        open_look: Callable[[str, Backdrop], Avatar],
        shelf_of: Callable[[Avatar], BaseShelf | None] = lambda avatar: None,
    ) -> None:
        """`shelf_of` gives what keeps the base frames of an avatar in its own room for the next start."""
        super().__init__(ready)
        self._open_look = open_look
        self._shelf_of = shelf_of
        for stock in self.values():
            stock.shelf = shelf_of(stock.avatar)
        self._opening = asyncio.Lock()
        self._staged: WeakValueDictionary[str, Stock] = WeakValueDictionary()
        self._recent: OrderedDict[str, Stock] = OrderedDict()

    def __missing__(self, look: str) -> Stock:
        found = self._staged.get(look)
        return self._open(look) if found is None else self._used(look, found)

    def size_bytes(self) -> float:
        """Bytes of pixels held in memory for all looks that stay."""
        return float(sum(stock.size_bytes for stock in self.values()))

    def forget(self, avatar: str) -> None:
        """An avatar is there no more: its name may come back with another face."""
        kept: tuple[MutableMapping[str, Stock], ...] = (self, self._staged, self._recent)
        for looks in kept:
            for look in [look for look in list(looks) if look.partition(LOOK_SPLIT)[0] == avatar]:
                looks.pop(look, None)

    async def ready(self, look: str) -> None:
        """Open a look without holding up the event loop; a host that was never drawn takes seconds."""
        async with self._opening:
            if look not in self and look not in self._staged:
                await asyncio.to_thread(self._open, look)
            elif (stock := self.get(look)) is not None and stock.shelf is None:
                # a host that was never drawn had no pack yet when it was opened
                stock.shelf = await asyncio.to_thread(self._shelf_of, stock.avatar)

    def _open(self, look: str) -> Stock:
        name, _, background = look.partition(LOOK_SPLIT)
        stock = Stock(self._open_look(name, parse(background) if background else Backdrop()))
        if not background:
            stock.shelf = self._shelf_of(stock.avatar)
            self[look] = stock
            return stock
        self._staged[look] = stock
        return self._used(look, stock)

    def _used(self, look: str, stock: Stock) -> Stock:
        self._recent[look] = stock
        self._recent.move_to_end(look)
        while len(self._recent) > KEPT:
            self._recent.popitem(last=False)
        return stock
