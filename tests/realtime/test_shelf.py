"""Base frames outlive the process: kept within a budget, mapped, checked, gone with the version that drew them."""

import os
from pathlib import Path

import numpy as np
import pytest

from realtime.core.values import I420
from realtime.shelf import BaseShelf
from realtime.stock import Stock
from tests.fakes import FlatAvatar

SIZE = (64, 64)
PICTURE_BYTES = 96 * 64 + 4


def _grey(value: int) -> I420:
    return np.full((96, 64), value, np.uint8)


def _filled(folder: Path, count: int, budget_bytes: int = 1 << 20, version: str = "a") -> BaseShelf:
    shelf = BaseShelf(folder, version, SIZE, budget_bytes)
    for i in range(count):
        shelf.put((i, -i), _grey(i))
    shelf.close()
    return shelf


def test_the_next_start_finds_them(tmp_path: Path) -> None:
    _filled(tmp_path, 3)
    shelf = BaseShelf(tmp_path, "a", SIZE, 1 << 20)
    found = shelf.get((2, -2))
    assert found is not None and np.array_equal(found, _grey(2)) and not found.flags.writeable
    assert shelf.get((2, -2)) is found, "one copy"
    assert shelf.get((9, 9)) is None
    assert (shelf.counters.hits, shelf.counters.misses) == (2, 1)
    shelf.close()


def test_the_budget_holds(tmp_path: Path) -> None:
    shelf = _filled(tmp_path, 5, 3 * PICTURE_BYTES + 1)
    assert shelf.counters.evictions == 2 and shelf.size_bytes == 3 * PICTURE_BYTES
    assert len(list(tmp_path.rglob("*.i420"))) == 3 and not shelf.has((0, 0)) and shelf.has((4, -4))


def test_nothing_is_kept_without_a_budget(tmp_path: Path) -> None:
    assert _filled(tmp_path, 2, 0).size_bytes == 0


def test_another_version_begins_anew(tmp_path: Path) -> None:
    _filled(tmp_path, 2)
    shelf = BaseShelf(tmp_path, "b", SIZE, 1 << 20)
    assert not shelf.has((0, 0)) and not (tmp_path / "a").exists()
    shelf.close()


def test_what_is_damaged_is_drawn_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _filled(tmp_path, 2)
    first, second = sorted(tmp_path.rglob("*.i420"))
    content = bytearray(first.read_bytes())
    content[100] ^= 1
    first.write_bytes(bytes(content))
    second.write_bytes(b"short")
    shelf = BaseShelf(tmp_path, "a", SIZE, 1 << 20)
    assert shelf.get((0, 0)) is None and shelf.get((1, -1)) is None and not first.exists()
    assert "damaged" in caplog.text
    shelf.close()


def test_a_stock_draws_nothing_twice_over_two_starts(tmp_path: Path) -> None:
    def start() -> tuple[Stock, FlatAvatar, BaseShelf]:
        avatar = FlatAvatar()
        stock = Stock(avatar)
        stock.shelf = BaseShelf(tmp_path, "a", SIZE, 1 << 20)
        return stock, avatar, stock.shelf

    stock, avatar, shelf = start()
    for yaw in (1, 2, 3):
        assert stock.base((yaw,)) is None
        stock.make_base((yaw,))
    shelf.close()
    held = stock.size_bytes
    assert stock.base((1,)) is not None and stock.size_bytes == held - 96 * 64, "the mapped copy is the one"
    assert avatar.bases_drawn == 3
    stock, avatar, shelf = start()
    for yaw in (1, 2, 3):
        base = stock.base((yaw,))
        assert stock.holds((yaw,)) and base is not None and np.array_equal(base, _grey(100 + yaw))
    assert avatar.bases_drawn == 0 and stock.counters.bases.hits == 3 and stock.size_bytes == 0
    shelf.close()


def test_a_slow_disk_holds_few_pictures_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = BaseShelf(tmp_path, "a", SIZE, 1 << 24)
    held: list[object] = []
    monkeypatch.setattr(shelf._writer, "submit", lambda *work: held.append(work))
    for _ in range(2):
        for i in range(500):
            shelf.put((i,), _grey(1))
    assert 0 < len(held) <= 64
    shelf.close()


def test_pictures_in_use_hold_no_descriptors(tmp_path: Path) -> None:
    _filled(tmp_path, 40)
    before = len(os.listdir("/proc/self/fd"))
    shelf = BaseShelf(tmp_path, "a", SIZE, 1 << 20)
    shown = [shelf.get((i, -i)) for i in range(40)]
    assert all(one is not None for one in shown) and len(os.listdir("/proc/self/fd")) <= before
    shelf.close()
