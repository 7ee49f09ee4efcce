"""A least-recently-used cache with a budget in bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class CacheCounters:
    """What a cache has done so far."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0


class ByteLru(Generic[K, V]):
    """Keeps the most recently used values whose sizes add up to at most `budget_bytes`."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._items: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0
        self.counters = CacheCounters()

    @property
    def size_bytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: K) -> bool:
        return key in self._items

    def get(self, key: K) -> V | None:
        """The value, which becomes the most recently used; None if it is not here."""
        item = self._items.get(key)
        if item is None:
            self.counters.misses += 1
            return None
        self._items.move_to_end(key)
        self.counters.hits += 1
        return item[0]

    def put(self, key: K, value: V, size_bytes: int) -> None:
        """Keep a value; older ones make room. A value larger than the whole budget is not kept."""
        old = self._items.pop(key, None)
        if old is not None:
            self._bytes -= old[1]
        if size_bytes > self._budget:
            return
        self._items[key] = (value, size_bytes)
        self._bytes += size_bytes
        while self._bytes > self._budget:
            _, (_, freed) = self._items.popitem(last=False)
            self._bytes -= freed
            self.counters.evictions += 1

    def drop(self, key: K) -> None:
        """Forget a value, if it is here."""
        _, freed = self._items.pop(key, (None, 0))
        self._bytes -= freed
