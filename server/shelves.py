"""Where avatars' base frames are kept between starts: one shelf for each pack, named after what the pack says."""

import logging
import shutil
from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from realtime.core.errors import AnimaError
from realtime.ports import Avatar
from realtime.shelf import BaseShelf
from server.config import Config
from server.metrics import Metrics

log = logging.getLogger(__name__)

MANIFEST: Final = "manifest.json"
FOLDER: Final = "drawn"
_MIB: Final = 2**20


class Shelves:
    """Those of one process. The budget of the settings is each avatar's."""

    def __init__(self, config: Config, pack_of: Callable[[str], Path], metrics: Metrics) -> None:
        """`pack_of` says where an avatar's pack lies; it may raise `AnimaError`."""
        self._folder = config.packs_path / FOLDER
        self._budget_bytes = config.motion_cache_mb * _MIB
        self._pack_of = pack_of
        self._open: dict[str, BaseShelf] = {}
        metrics.gauge("motion_cache_bytes", "Base frames kept on disk", lambda: self._sum("size_bytes"))
        metrics.gauge("motion_cache_hits", "Base frames found on disk", lambda: self._count("hits"))
        metrics.gauge("motion_cache_written", "Base frames written to disk", lambda: self._sum("written"))
        metrics.gauge("motion_cache_evictions", "Base frames on disk that made room", lambda: self._count("evictions"))

    def of(self, avatar: Avatar) -> BaseShelf | None:
        """An avatar's shelf; None where nothing is to be kept, or can be."""
        if not self._budget_bytes:
            return None
        if avatar.name not in self._open:
            try:
                told = (self._pack_of(avatar.name) / MANIFEST).read_bytes()
                # what draws may change with the version though the pack does not
                mark = sha256(told + version("anima").encode()).hexdigest()[:16]
                size = avatar.width, avatar.height
                self._open[avatar.name] = BaseShelf(self._folder / avatar.name, mark, size, self._budget_bytes)
            except (AnimaError, OSError) as error:
                log.info("base frames of %s are not kept: %s", avatar.name, error)
                return None
        return self._open[avatar.name]

    def forget(self, avatar: str) -> None:
        """Delete what was drawn of an avatar that is there no more. Blocks."""
        if (shelf := self._open.pop(avatar, None)) is not None:
            shelf.close()
        shutil.rmtree(self._folder / avatar, ignore_errors=True)

    def close(self) -> None:
        """Write what waits."""
        for shelf in self._open.values():
            shelf.close()

    def _sum(self, what: str) -> float:
        return float(sum(getattr(shelf, what) for shelf in self._open.values()))

    def _count(self, what: str) -> float:
        return float(sum(getattr(shelf.counters, what) for shelf in self._open.values()))
