"""Files as arrays without descriptors."""

import gc
import mmap
import os
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.mapped import apart, mapped


def _maps(path: Path) -> int:
    return Path("/proc/self/maps").read_text().count(str(path))


def test_many_maps_hold_no_descriptor_and_end_with_their_arrays(tmp_path: Path) -> None:
    paths = [tmp_path / str(index) for index in range(50)]
    for index, path in enumerate(paths):
        path.write_bytes(bytes([index]) * 5000)
    before = len(os.listdir("/proc/self/fd"))
    shown = [mapped(path, 4096)[:100].reshape(10, 10) for path in paths]
    assert len(os.listdir("/proc/self/fd")) == before
    assert all(np.all(part == index) and not part.flags.writeable for index, part in enumerate(shown))
    assert _maps(tmp_path) == 50
    paths[0].unlink()
    assert np.all(shown[0] == 0), "what is mapped stays readable"
    shown.clear()
    del path
    gc.collect()
    assert _maps(tmp_path) == 0


def test_a_short_or_missing_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"abc")
    with pytest.raises(ValueError, match="shorter than 4 bytes"):
        mapped(tmp_path / "short", 4)
    with pytest.raises(FileNotFoundError):
        mapped(tmp_path / "missing", 4)


def pages(shown: NDArray[np.uint8]) -> mmap.mmap:
    """What an array shows in the end."""
    part: object = shown
    while not isinstance(part, mmap.mmap):
        part = part.obj if isinstance(part, memoryview) else getattr(part, "base", None)
        assert part is not None, "it shows memory of the allocator's"
    return part


@pytest.mark.skipif(sys.platform != "linux", reason="pages of their own are Linux's here")
def test_a_copy_apart_has_pages_of_its_own_that_go_with_its_last_view() -> None:
    pixels = np.arange(96 * 64, dtype=np.uint8).reshape(96, 64)
    copy = apart(pixels)
    assert np.array_equal(copy, pixels) and copy.shape == (96, 64) and not copy.flags.writeable
    pixels[:] = 0
    assert copy[0, 1] == 1, "it is a copy"
    gone = weakref.ref(pages(copy))
    view = copy[10:20]
    del copy
    assert gone() is not None and view[0, 0] == 640 % 256, "as long as anything shows them"
    del view
    gc.collect()
    assert gone() is None


def test_nothing_is_copied_apart_too() -> None:
    assert apart(np.zeros((0, 4), np.uint8)).shape == (0, 4)
