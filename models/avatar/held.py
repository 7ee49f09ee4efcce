"""Pixels that come again, kept within a budget of bytes that is counted."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from realtime.core.cache import ByteLru

T = TypeVar("T")


class Held(Generic[T]):
    """What was made for which key, least recently used first to go. `size_of` says how many bytes one takes.

    Made and asked for on the compute thread only."""

    def __init__(self, budget_bytes: int, size_of: Callable[[T], int]) -> None:
        self._budget_bytes = budget_bytes
        self._size_of = size_of
        self._kept: ByteLru[Hashable, T] = ByteLru(budget_bytes)

    @property
    def size_bytes(self) -> int:
        """Bytes held now."""
        return self._kept.size_bytes

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under this key, or is made now."""
        found = self._kept.get(key)
        if found is None:
            found = make()
            self._kept.put(key, found, self._size_of(found))
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._kept = ByteLru(self._budget_bytes)
