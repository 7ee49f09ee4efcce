"""Base frames that were drawn on demand, kept on disk: the next start finds them ready, mapped, one copy per process.

A shelf is a folder of one avatar in one version: what another version drew is thrown away when it is opened. Each file
is one picture and its checksum; what does not fit it is drawn anew. Several processes may share a folder: each finds
what the others put there. Writing happens on a thread of its own, and no more of it than a disk bears: what room there
is may be filled at once, after that a part of the budget an hour is written anew."""

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Final
from zlib import crc32

from realtime.core.cache import CacheCounters
from realtime.core.keeping import Allowance, Sieve
from realtime.core.values import I420, BaseKey
from realtime.mapped import mapped

log = logging.getLogger(__name__)

SUFFIX: Final = ".i420"
WRITTEN_PER_H: Final = 0.25
"""Part of the budget that may be written anew in an hour: 1.5 GB a day of 256 MB."""
MAPPED_MOST: Final = 8192
"""Pictures that are mapped at once; a process has 65 530 mappings for everything (Linux, vm.max_map_count)."""
_CHECK_BYTES: Final = 4
_WAITING_MOST: Final = 64
"""Pictures that may wait for a slow disk; more are not kept, and drawn anew when they are needed again."""
_LOOKED_EVERY_S: Final = 10.0
"""How often the folder is looked at for what other processes did, while something is written."""
_UNFINISHED: Final = ".part"
_UNFINISHED_MOST_S: Final = 60.0
"""A file that was begun so long ago belongs to a process that has ended."""


class BaseShelf:
    """One avatar's. `get` and `has` are called where frames are made, `put` hands the work on; `close` waits for it."""

    def __init__(
        self, folder: Path, version: str, size: tuple[int, int], budget_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`folder` is the avatar's; pictures have `size`, width and height. Raises `OSError`."""
        width, height = size
        self._shape = (height * 3 // 2, width)
        self._bytes = self._shape[0] * self._shape[1] + _CHECK_BYTES
        self._most = budget_bytes // self._bytes
        self._place = folder / version
        self._place.mkdir(parents=True, exist_ok=True)
        for other in folder.iterdir():
            if other != self._place:
                shutil.rmtree(other, ignore_errors=True)
        self._clock = clock
        self._lock = Lock()
        """Of what follows; nobody who holds it waits for a disk."""
        self._kept: Sieve[BaseKey] = Sieve()
        self._mapped: dict[BaseKey, I420] = {}
        self._waiting: set[BaseKey] = set()
        self.counters = CacheCounters()
        self.written = 0
        """Files written by this process."""
        self._looked_s = clock()
        self._unfinished()
        self._look()
        self._make_room(0)
        self._allowance = Allowance(self._most - len(self._kept), WRITTEN_PER_H * self._most, clock())
        self._closed = False
        self._writer = ThreadPoolExecutor(1, "shelf")

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return len(self._kept) * self._bytes

    def has(self, key: BaseKey) -> bool:
        """Whether a picture is known to lie here; asking is not a use."""
        return key in self._kept

    def get(self, key: BaseKey) -> I420 | None:
        """A picture, mapped and read-only, also one that another process has just put here; None if it is not here, or
        is not what was put here."""
        found = self._mapped.get(key)
        if found is None:
            found = self._open(key)
        with self._lock:
            if found is None:
                self._kept.drop(key)
                self.counters.misses += 1
                return None
            self.counters.hits += 1
            # the writer may have let go of it meanwhile; what is mapped stays readable
            self._kept.add(key)
            self._kept.use(key)
            self._mapped[key] = found
            # others may have taken away what is mapped here, so that it counts in no folder
            if len(self._mapped) > min(MAPPED_MOST, self._most):
                del self._mapped[next(iter(self._mapped))]
        return found

    def put(self, key: BaseKey, pixels: I420) -> None:
        """Keep a picture that is not written to any more, if the disk has not been written to too much."""
        with self._lock:
            full = self._closed or not self._most or len(self._waiting) >= _WAITING_MOST
            known = key in self._kept or key in self._waiting
            if not full and not known and self._allowance.take(self._clock()):
                self._waiting.add(key)
                self._writer.submit(self._write, key, pixels)

    def close(self) -> None:
        """Write what waits; nothing is put here any more."""
        with self._lock:
            self._closed = True
        self._writer.shutdown()

    def _open(self, key: BaseKey) -> I420 | None:
        path = self._path(key)
        try:
            whole = mapped(path, self._bytes)
        except (OSError, ValueError):
            return None
        pixels = whole[:-_CHECK_BYTES].reshape(self._shape)
        if crc32(pixels.data) != int.from_bytes(whole[-_CHECK_BYTES:].tobytes(), "little"):
            log.warning("a kept base frame is damaged and is drawn anew: %s", path.name)
            path.unlink(missing_ok=True)
            return None
        return pixels

    # --- on the writer's thread, and before it begins ---------------------------------------------------------------

    def _write(self, key: BaseKey, pixels: I420) -> None:
        path = self._path(key)
        work = path.with_suffix(f".{os.getpid()}{_UNFINISHED}")
        try:
            # a process of another version may have cleared it away
            self._place.mkdir(parents=True, exist_ok=True)
            if self._clock() - self._looked_s >= _LOOKED_EVERY_S:
                self._looked_s = self._clock()
                self._look()
            if not path.exists():
                self._make_room(1)
                content = pixels.tobytes()
                work.write_bytes(content + crc32(content).to_bytes(_CHECK_BYTES, "little"))
                work.replace(path)
                self.written += 1
            with self._lock:
                self._kept.add(key)
        except OSError as error:
            log.warning("a base frame could not be kept: %s", error.strerror or error)
            with contextlib.suppress(OSError):
                work.unlink()
        finally:
            with self._lock:
                self._waiting.discard(key)

    def _look(self) -> None:
        """What other processes have put here is known from now on, and what they took away is not."""
        there: dict[BaseKey, float] = {}
        with os.scandir(self._place) as entries:
            for entry in entries:
                key = _key(entry.name)
                # another process may take it away at any time
                with contextlib.suppress(OSError):
                    told = entry.stat()
                    if key is not None and told.st_size == self._bytes:
                        there[key] = told.st_mtime
                    elif key is not None:
                        os.unlink(entry.path)
        with self._lock:
            for key in [key for key in self._kept if key not in there]:
                self._kept.drop(key)
                self._mapped.pop(key, None)
            for key in sorted(there, key=there.__getitem__):
                self._kept.add(key)

    def _make_room(self, wanted: int) -> None:
        with self._lock:
            gone = [self._kept.evict() for _ in range(len(self._kept) + wanted - self._most)]
            for key in gone:
                self._mapped.pop(key, None)
            self.counters.evictions += len(gone)
        for key in gone:
            self._path(key).unlink(missing_ok=True)

    def _unfinished(self) -> None:
        """Delete what processes had begun to write that have ended."""
        for path in self._place.glob(f"*{_UNFINISHED}"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _UNFINISHED_MOST_S:
                    path.unlink()

    def _path(self, key: BaseKey) -> Path:
        return self._place / ("_".join(map(str, key)) + SUFFIX)


def _key(name: str) -> BaseKey | None:
    """The pose that a file is named after; None for other files."""
    stem, dot, suffix = name.partition(".")
    try:
        return tuple(int(part) for part in stem.split("_")) if dot + suffix == SUFFIX else None
    except ValueError:
        return None
