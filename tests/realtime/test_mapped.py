"""Files as arrays without descriptors."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from realtime.mapped import mapped


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
