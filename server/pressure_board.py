"""Workers of one server tell each other of the pressure they feel: a small mapped file each, which all can read."""

import mmap
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from realtime.core.errors import ConfigError
from realtime.core.pressure import Depth

FRESH_S: Final = 0.08
"""What a worker felt longer ago than this, four of its looks, counts no more: it may have ended, or be gone."""
_NOTE: Final = struct.Struct("=2d")
"""When some pressure was last felt, and much. Eight bytes at an address divisible by eight are written at once."""
_NEVER: Final = _NOTE.pack(float("-inf"), float("-inf"))


@contextmanager
def notes(count: int) -> Iterator[list[Path]]:
    """Files for this many workers, in memory where the system has such a place; gone when this is left."""
    memory = Path("/dev/shm")
    held = str(memory) if os.access(memory, os.W_OK) else None
    place = Path(tempfile.mkdtemp(prefix="anima-pressure-", dir=held))
    try:
        files = [place / str(index) for index in range(count)]
        for file in files:
            file.write_bytes(_NEVER)
        yield files
    finally:
        shutil.rmtree(place, ignore_errors=True)


class PressureBoard:
    """One worker's. Its note is its own file, those of the others lie beside it; times are of the system's monotonic
    clock, which is the same for all of them. Nothing is locked: a worker that was killed is only silent."""

    def __init__(self, own: Path) -> None:
        """Raises `ConfigError` for files that are no notes."""
        try:
            self._own = _mapped(own, mmap.ACCESS_WRITE)
            self._others = [_mapped(one, mmap.ACCESS_READ) for one in sorted(own.parent.iterdir()) if one != own]
        except (OSError, ValueError) as error:
            raise ConfigError(f"pressure_note: {own} cannot be used: {error}") from error

    def exchange(self, sign: Depth, now_s: float) -> Depth:
        """Tell what is felt by now, and learn the deepest of what others feel."""
        if sign:
            _, much_s = _NOTE.unpack_from(self._own)
            _NOTE.pack_into(self._own, 0, now_s, now_s if sign == 2 else much_s)
        told = [_NOTE.unpack_from(other) for other in self._others]
        if any(now_s - much_s < FRESH_S for _, much_s in told):
            return 2
        return 1 if any(now_s - some_s < FRESH_S for some_s, _ in told) else 0


def _mapped(path: Path, access: int) -> mmap.mmap:
    with path.open("r+b" if access == mmap.ACCESS_WRITE else "rb") as file:
        return mmap.mmap(file.fileno(), _NOTE.size, access=access)
