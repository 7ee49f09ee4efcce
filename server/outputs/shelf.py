"""The directory of recordings: names, quota, and the last step of a finished one."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

import av

from realtime.core.errors import Conflict, InvalidField

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MEGABYTE: Final = 1_000_000
PLAYLIST: Final = "index.m3u8"
_ASIDE: Final = re.compile(r"\.(.+\.mp4)\.partial")


class Shelf:
    """Recordings of all sessions under one directory. Its methods touch the disk: call them in a thread."""

    def __init__(self, directory: Path, quota_bytes: int) -> None:
        self.directory = directory
        self.quota_bytes = quota_bytes
        self._locks: dict[Path, int] = {}

    def used_bytes(self) -> int:
        """What lies there."""
        total = 0
        for folder, _, files in os.walk(self.directory):
            for name in files:
                # files come and go while a playlist is written
                with suppress(OSError):
                    total += os.stat(os.path.join(folder, name)).st_size
        return total

    @property
    def full(self) -> bool:
        """Whether the quota is used up."""
        return self.used_bytes() >= self.quota_bytes

    def claim(self, name: str, kind: Literal["mp4", "hls"]) -> Path:
        """The file to write a new recording to; a playlist gets a folder of its own. Raises `InvalidField` for a name
        that could lead elsewhere, `Conflict` where it is taken or the quota is used up."""
        if not NAME.fullmatch(name) or ".." in name:
            raise InvalidField(
                "this is no name for a recording", field="name", limit="letters, digits, . _ -; up to 100 characters"
            )
        limit = f"{self.quota_bytes // MEGABYTE} MB (recordings_quota_mb)"
        if self.full:
            raise Conflict("the recordings' quota is used up", field="kind", limit=limit)
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / (f"{name}.mp4" if kind == "mp4" else name)
        try:
            if kind == "mp4":
                # the name is taken by making the file: two requests at once cannot both have it
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
                self._hold(path, path)
                return path
            path.mkdir(mode=0o750)
            self._hold(path / PLAYLIST, path)
            return path / PLAYLIST
        except FileExistsError:
            raise Conflict("there is a recording of this name", field="name") from None

    def release(self, path: Path) -> None:
        """The recording that `claim` gave this path for is over: whoever repairs may have it."""
        lock = self._locks.pop(path, None)
        if lock is not None:
            os.close(lock)

    def _hold(self, path: Path, locked: Path) -> None:
        lock = _locked(locked)
        if lock is not None:
            self._locks[path] = lock


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Have a recording's file or folder to oneself; False where somebody records to it, or no lock can be had."""
    lock = _locked(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def is_aside(path: Path) -> Path | None:
    """The recording that a file is the unfinished rewriting of."""
    found = _ASIDE.fullmatch(path.name)
    return None if found is None else path.with_name(found[1])


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock until it is closed, by whatever end of its process. None without one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def put_index_first(path: Path) -> None:
    """Rewrite a fragmented MP4 as one whose index stands at its beginning, in one step: until that is done the
    fragmented one can be played, and after it the other."""
    aside = path.with_name(f".{path.name}.partial")
    try:
        with av.open(str(path)) as source, av.open(
            str(aside), "w", format="mp4", options={"movflags": "faststart"}
        ) as out:
            streams = {stream.index: out.add_stream_from_template(stream, opaque=True) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
        # as private as it was
        aside.chmod(path.stat().st_mode & 0o777)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
