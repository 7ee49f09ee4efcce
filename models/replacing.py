"""Directories that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from realtime.core.errors import PackError


@contextmanager
def replaced(out_dir: Path, what: str) -> Iterator[Path]:
    """A new directory to fill, which takes the place of `out_dir` when the block ends well, and is gone when it does
    not. Raises `PackError` naming `what` it is (as in "the avatar pack") when it cannot be written."""
    try:
        out_dir.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
        try:
            yield work
            _swap(work, out_dir)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise PackError(f"{what} {out_dir} cannot be written: {error}") from error


def _swap(work: Path, out_dir: Path) -> None:
    """Put the finished directory in the place of the old one."""
    old = out_dir.with_name(f".{out_dir.name}-old-{os.getpid()}")
    if out_dir.exists():
        out_dir.rename(old)
    work.rename(out_dir)
    shutil.rmtree(old, ignore_errors=True)
