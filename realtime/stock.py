"""The stock of ready pixels that all sessions of a process share: base frames by pose, patches by region."""

from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol, runtime_checkable

from realtime.core.cache import ByteLru, CacheCounters
from realtime.core.keeping import Wanted
from realtime.core.values import I420, BaseKey, Patch, Region
from realtime.mapped import apart
from realtime.ports import Avatar
from realtime.shelf import BaseShelf

BASE_BUDGET_BYTES: Final = 160 * 2**20
"""426 base frames of 512 x 512: a loop of 12 s in a felt posture takes about 300 beside those of the pack."""
PATCH_BUDGET_BYTES: Final = 48 * 2**20


@dataclass(frozen=True, slots=True)
class StockCounters:
    """Hits and misses of both caches; a base frame served from the avatar's pack is a hit."""

    bases: CacheCounters
    patches: CacheCounters


@runtime_checkable
class Holding(Protocol):
    """An avatar that keeps some of what it draws with."""

    @property
    def held_bytes(self) -> int:
        """How much that is, within a budget of its own."""
        ...


class Stock:
    """Ready pixels of one avatar. Base frames come from the avatar's pack or were drawn earlier.

    Looked up from the event loop or the compute thread, never from both at the same time for one key's creation: all
    drawing happens on the compute thread, one piece after another."""

    def __init__(
        self,
        avatar: Avatar,
        base_budget_bytes: int = BASE_BUDGET_BYTES,
        patch_budget_bytes: int = PATCH_BUDGET_BYTES,
    ) -> None:
        self.avatar = avatar
        self._bases: ByteLru[BaseKey, I420] = ByteLru(base_budget_bytes)
        self._patches: ByteLru[object, Patch] = ByteLru(patch_budget_bytes)
        self._lock = Lock()
        """Of both caches: a compute thread that was relieved may still draw while the next one does."""
        self._wanted: Wanted[BaseKey] = Wanted()
        self._packed = 0
        self.shelf: BaseShelf | None = None
        """Where base frames that are wanted again are kept for the next start."""

    @property
    def counters(self) -> StockCounters:
        """What was found and what had to be drawn."""
        drawn = self._bases.counters
        ready = self._packed + (self.shelf.counters.hits if self.shelf is not None else 0)
        return StockCounters(CacheCounters(drawn.hits + ready, drawn.misses, drawn.evictions), self._patches.counters)

    @property
    def size_bytes(self) -> int:
        """Bytes of pixels held, the avatar's pack not counted: at most the sum of both budgets, and what the avatar
        itself keeps for drawing."""
        held_bytes = self.avatar.held_bytes if isinstance(self.avatar, Holding) else 0
        return self._bases.size_bytes + self._patches.size_bytes + held_bytes

    def base(self, key: BaseKey) -> I420 | None:
        """A base frame if it is ready."""
        packed = self.avatar.base(key)
        if packed is not None:
            self._packed += 1
            return packed
        shelf = self.shelf
        if shelf is not None and shelf.has(key) and (kept := shelf.get(key)) is not None:
            # the mapped copy is the one
            with self._lock:
                self._bases.drop(key)
            return kept
        with self._lock:
            found = self._bases.get(key)
            again = found is not None and self._wanted.again(key)
        if shelf is None:
            return found
        if found is None:
            # another process may have drawn it
            return shelf.get(key)
        if again:
            shelf.put(key, found)
        return found

    def holds(self, key: BaseKey) -> bool:
        """Whether a base frame is ready; asking is not a use."""
        kept = self.shelf is not None and self.shelf.has(key)
        return kept or key in self._bases or self.avatar.base(key) is not None

    def make_base(self, key: BaseKey) -> I420:
        """Draw a base frame and keep it (compute thread)."""
        pixels = self.avatar.render_base(key)
        # what cannot be written to is kept by the avatar as well: a copy would be a second one
        if pixels.flags.writeable:
            pixels = apart(pixels)
        with self._lock:
            self._bases.put(key, pixels, pixels.nbytes)
            again = self._wanted.again(key)
        if again and self.shelf is not None:
            self.shelf.put(key, pixels)
        return pixels

    def patch(self, region: Region) -> Patch | None:
        """A patch if these very pixels were drawn before."""
        with self._lock:
            return self._patches.get((region.name, region.key))

    def keep_patch(self, region: Region, patch: Patch) -> None:
        """Keep a drawn patch."""
        with self._lock:
            self._patches.put((region.name, region.key), patch, patch.nbytes)

    def forget_patch(self, region: Region) -> None:
        """A patch that turned out not to be fit to be shown."""
        with self._lock:
            self._patches.drop((region.name, region.key))
