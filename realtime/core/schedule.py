"""Earliest deadline first: on one processor, the order that meets all deadlines if any does (Liu & Layland 1973)."""

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(order=True, slots=True)
class _Entry(Generic[T]):
    deadline_s: float
    order: int
    item: T = field(compare=False)


class DeadlineQueue(Generic[T]):
    """Items by deadline; of two with the same deadline, the one that came first."""

    def __init__(self) -> None:
        self._heap: list[_Entry[T]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, deadline_s: float, item: T) -> None:
        """Add an item that should be done by this time."""
        heapq.heappush(self._heap, _Entry(deadline_s, next(self._order), item))

    def pop(self) -> T:
        """Take the item with the earliest deadline. Raises `IndexError` when there is none."""
        return heapq.heappop(self._heap).item
