"""Base frames that were drawn on demand, kept on disk: the next start finds them ready, mapped, one copy per process.

A shelf is a folder of one avatar in one version: what another version drew is thrown away when it is opened. Each file
is one picture and its checksum; what does not fit it is drawn anew. Writing happens on a thread of its own."""

import logging
import shutil
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from zlib import crc32

from realtime.core.cache import CacheCounters
from realtime.core.values import I420, BaseKey
from realtime.mapped import mapped

log = logging.getLogger(__name__)

SUFFIX: Final = ".i420"
_CHECK_BYTES: Final = 4
_WAITING_MOST: Final = 64
"""Pictures that may wait for a slow disk; more are not kept, and drawn anew when they are needed again."""


class BaseShelf:
    """One avatar's. `get` and `has` are called where frames are made, `put` hands the work on; `close` waits for it."""

    def __init__(self, folder: Path, version: str, size: tuple[int, int], budget_bytes: int) -> None:
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
        self._kept: OrderedDict[BaseKey, I420 | None] = OrderedDict()
        """Oldest first; None until it is mapped."""
        for path in sorted(self._place.glob(f"*{SUFFIX}"), key=lambda one: one.stat().st_mtime):
            if path.stat().st_size == self._bytes:
                self._kept[_key(path.stem)] = None
            else:
                path.unlink(missing_ok=True)
        self._writer = ThreadPoolExecutor(1, "shelf")
        self._waiting: set[BaseKey] = set()
        self.counters = CacheCounters()

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return len(self._kept) * self._bytes

    def has(self, key: BaseKey) -> bool:
        """Whether a picture lies here; asking is not a use."""
        return key in self._kept

    def get(self, key: BaseKey) -> I420 | None:
        """A picture, mapped and read-only; None if it is not here, or is not what was put here."""
        found = self._kept.get(key)
        if found is None and key in self._kept:
            found = self._open(key)
            # the writer may have let go of it meanwhile; what is mapped stays readable
            if found is None:
                self._kept.pop(key, None)
            elif key in self._kept:
                self._kept[key] = found
        if found is None:
            self.counters.misses += 1
        else:
            self.counters.hits += 1
        return found

    def put(self, key: BaseKey, pixels: I420) -> None:
        """Keep a picture that is not written to any more."""
        known = key in self._kept or key in self._waiting
        if self._most > 0 and not known and len(self._waiting) < _WAITING_MOST:
            self._waiting.add(key)
            self._writer.submit(self._write, key, pixels)

    def close(self) -> None:
        """Write what waits."""
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

    def _write(self, key: BaseKey, pixels: I420) -> None:
        path = self._path(key)
        work = path.with_suffix(".part")
        try:
            content = pixels.tobytes()
            work.write_bytes(content + crc32(content).to_bytes(_CHECK_BYTES, "little"))
            work.replace(path)
            while len(self._kept) >= self._most:
                oldest, _ = self._kept.popitem(last=False)
                self._path(oldest).unlink(missing_ok=True)
                self.counters.evictions += 1
            self._kept[key] = None
        except OSError as error:
            log.warning("a base frame could not be kept: %s", error.strerror or error)
        finally:
            self._waiting.discard(key)

    def _path(self, key: BaseKey) -> Path:
        return self._place / ("_".join(map(str, key)) + SUFFIX)


def _key(stem: str) -> BaseKey:
    return tuple(int(part) for part in stem.split("_") if part)
