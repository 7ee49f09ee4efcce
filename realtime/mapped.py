"""Arrays in memory of their own: files' bytes without a descriptor, copies whose pages go back when they are let go.

A process may map far more files than it may hold open."""

import ctypes
import mmap
import os
import sys
import weakref
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_FAILED: Final = ctypes.c_void_p(-1).value


def mapped(path: Path, size: int) -> NDArray[np.uint8]:
    """The first `size` bytes of a file, read-only. The mapping ends with the last array that shows it.

    Raises `OSError`, and `ValueError` for a file that is shorter."""
    if path.stat().st_size < size:
        raise ValueError(f"{path.name} is shorter than {size} bytes")
    if not sys.platform.startswith("linux"):
        return np.memmap(path, np.uint8, "r", shape=(size,))
    # mmap(2) by hand: Python's own keeps a duplicate of the descriptor for as long as the mapping lives
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        address = _libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0)
    finally:
        os.close(descriptor)
    if address == _FAILED:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
    memory = (ctypes.c_uint8 * size).from_address(address)
    weakref.finalize(memory, _libc.munmap, address, size).atexit = False
    shown: NDArray[np.uint8] = np.frombuffer(memoryview(memory).cast("B"), np.uint8)
    shown.flags.writeable = False
    return shown


def apart(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A read-only copy in pages of its own, which go back to the system with the last array that shows them.

    The allocator keeps what is freed between live blocks: a cache of pictures that shrinks would hold on to its
    memory. A copy that is mapped takes none of it and leaves none behind."""
    if not sys.platform.startswith("linux") or not pixels.size:
        copy = pixels.copy()
    else:
        pages = mmap.mmap(-1, pixels.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        copy = np.frombuffer(pages, np.uint8).reshape(pixels.shape)
        np.copyto(copy, pixels)
    copy.flags.writeable = False
    return copy


def _load() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    return libc


_libc: Any = _load() if sys.platform.startswith("linux") else None
