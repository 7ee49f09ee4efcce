"""Rate limits as token buckets. Pure: the caller brings the time."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` in the long run, `burst` at once."""

    per_s: float
    burst: float

    def __str__(self) -> str:
        return f"{self.per_s:g} per second, {self.burst:g} at once"


class TokenBucket:
    """A bucket that holds `burst` tokens and is refilled at `per_s` (leaky bucket as a meter, ITU-T I.371)."""

    __slots__ = ("_at_s", "_level", "rate")

    def __init__(self, rate: Rate, now_s: float) -> None:
        self.rate = rate
        self._level = rate.burst
        self._at_s = now_s

    def take(self, now_s: float, cost: float = 1.0) -> float:
        """Take `cost` tokens if they are there. Returns 0.0 when taken, else the seconds until they would be."""
        level = self.level(now_s)
        self._at_s = max(self._at_s, now_s)
        if level >= cost:
            self._level = level - cost
            return 0.0
        self._level = level
        return (cost - level) / self.rate.per_s

    def level(self, now_s: float) -> float:
        """Tokens in the bucket; a clock that steps back adds none."""
        return min(self.rate.burst, self._level + max(0.0, now_s - self._at_s) * self.rate.per_s)


class KeyedLimiter:
    """One bucket per key (a viewer's address), for at most `max_keys` keys: the longest unused is forgotten first.

    Forgetting gives its address a full bucket again, so `max_keys` bounds memory at the price of exactness when very
    many addresses come at once."""

    def __init__(self, rate: Rate, max_keys: int = 10_000) -> None:
        self.rate = rate
        self._max_keys = max_keys
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable, now_s: float, cost: float = 1.0) -> float:
        """As `TokenBucket.take`, for this key's bucket."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self.rate, now_s)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return bucket.take(now_s, cost)
