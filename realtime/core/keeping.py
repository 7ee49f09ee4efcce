"""Which of many things are worth keeping: those that are wanted again, and of these the ones that go on being so."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

APART: Final = 100
"""Wants of other things that lie between two wants which count as two: what stays for some frames is wanted once."""
HOUR_S: Final = 3600.0
REMEMBERED: Final = 2000
"""Of so many things it is known that they were wanted: about a quarter of a megabyte."""


class Wanted(Generic[K]):
    """Tells what comes back from what is wanted once. Two thirds of the poses a speaking host passes through are never
    met again (`bench.shelf`): what is kept at its first want pushes out what would have been wanted."""

    def __init__(self, apart: int = APART, remembered: int = REMEMBERED) -> None:
        self._apart = apart
        self._remembered = remembered
        self._wants = 0
        self._last: OrderedDict[K, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._last)

    def again(self, key: K) -> bool:
        """Note a want; whether there was one before, and a pause between them."""
        self._wants += 1
        before = self._last.pop(key, None)
        self._last[key] = self._wants
        if len(self._last) > self._remembered:
            self._last.popitem(last=False)
        return before is not None and self._wants - before > self._apart


class Sieve(Generic[K]):
    """An order in which things make room: from the oldest to the newest and again from the beginning, what was wanted
    since the last round is passed over once (SIEVE: Zhang et al., "SIEVE is simpler than LRU", NSDI 2024). A use does
    not change the order, so that it can be that of files on disk."""

    def __init__(self) -> None:
        self._used: dict[K, bool] = {}
        self._order: list[K] = []
        self._hand = 0

    def __len__(self) -> int:
        return len(self._used)

    def __contains__(self, key: K) -> bool:
        return key in self._used

    def __iter__(self) -> Iterator[K]:
        return iter(self._order)

    def add(self, key: K) -> None:
        """Something new, or nothing if it is here."""
        if key not in self._used:
            self._used[key] = False
            self._order.append(key)

    def use(self, key: K) -> None:
        """It was wanted, if it is here."""
        if key in self._used:
            self._used[key] = True

    def drop(self, key: K) -> None:
        """It is gone, if it was here."""
        if self._used.pop(key, None) is not None:
            place = self._order.index(key)
            del self._order[place]
            self._hand -= place < self._hand

    def evict(self) -> K:
        """Take out what is to make room. Raises `IndexError` where nothing is."""
        while True:
            if self._hand >= len(self._order):
                self._hand = 0
            key = self._order[self._hand]
            if not self._used[key]:
                del self._order[self._hand], self._used[key]
                return key
            self._used[key] = False
            self._hand += 1


class Allowance:
    """How many may be written: at first as many as there is room for, then so many an hour, which may gather for an
    hour. The first hour's are there at the beginning."""

    def __init__(self, room: int, per_h: float, now_s: float) -> None:
        self._per_h = max(1.0, per_h)
        self._left = max(float(room), self._per_h)
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Whether one more may be written now."""
        if self._left < self._per_h:
            self._left = min(self._per_h, self._left + (now_s - self._at_s) / HOUR_S * self._per_h)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
