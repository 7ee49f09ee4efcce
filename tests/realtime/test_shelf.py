"""Base frames outlive the process: kept within a budget, mapped, checked, gone with the version that drew them."""

import os
from pathlib import Path

import numpy as np
import pytest

from realtime.core.keeping import APART
from realtime.core.values import I420
from realtime.shelf import WRITTEN_PER_H, BaseShelf
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


def _on_disk(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_the_budget_holds_and_what_was_used_stays(tmp_path: Path) -> None:
    now_s = [0.0]
    shelf = BaseShelf(tmp_path, "a", SIZE, 3 * PICTURE_BYTES + 1, lambda: now_s[0])
    for i in range(5):
        shelf.put((i, -i), _grey(i))
        _written(shelf)
        if i == 2:
            assert shelf.get((0, 0)) is not None
        now_s[0] += 3600.0
    assert shelf.counters.evictions == 2 and shelf.size_bytes == 3 * PICTURE_BYTES and shelf.written == 5
    assert _on_disk(tmp_path) == {"0_0.i420", "3_-3.i420", "4_-4.i420"}
    shelf.close()


def _written(shelf: BaseShelf) -> None:
    """Wait for the writer."""
    shelf._writer.submit(lambda: None).result()


def test_a_disk_is_written_to_as_fast_as_there_is_room_and_slowly_from_then_on(tmp_path: Path) -> None:
    now_s, most = [0.0], 40
    shelf = BaseShelf(tmp_path, "a", SIZE, most * PICTURE_BYTES, lambda: now_s[0])
    for minute in range(4 * 60):
        now_s[0] = 60.0 * minute
        for i in range(10):
            shelf.put((minute, i), _grey(i))
        _written(shelf)
    assert most + 0.9 * 4 * WRITTEN_PER_H * most <= shelf.written <= most + 4 * WRITTEN_PER_H * most
    assert len(_on_disk(tmp_path)) == most
    shelf.close()
    again = BaseShelf(tmp_path, "a", SIZE, most * PICTURE_BYTES, lambda: now_s[0])
    for i in range(most):
        again.put((1000, i), _grey(i))
    _written(again)
    assert again.written == WRITTEN_PER_H * most, "an hour's part, however often it starts"
    again.close()


def test_a_smaller_budget_takes_away_what_is_too_much(tmp_path: Path) -> None:
    _filled(tmp_path, 5)
    shelf = BaseShelf(tmp_path, "a", SIZE, 2 * PICTURE_BYTES)
    assert len(_on_disk(tmp_path)) == 2 and shelf.size_bytes == 2 * PICTURE_BYTES
    shelf.close()


def test_processes_find_what_the_others_keep_and_write_nothing_twice(tmp_path: Path) -> None:
    one, other = (BaseShelf(tmp_path, "a", SIZE, 1 << 20) for _ in range(2))
    one.put((1,), _grey(1))
    _written(one)
    known, found = [other.has((1,))], other.get((1,))
    known.append(other.has((1,)))
    assert found is not None and np.array_equal(found, _grey(1)) and known == [False, True], "once it was asked for"
    one.put((2,), _grey(2))
    _written(one)
    other.put((2,), _grey(2))
    _written(other)
    assert (one.written, other.written) == (2, 0) and other.has((2,))
    for shelf in (one, other):
        shelf.close()


def test_processes_together_keep_to_one_budget(tmp_path: Path) -> None:
    now_s = [0.0]
    shelves = [BaseShelf(tmp_path, "a", SIZE, 8 * PICTURE_BYTES, lambda: now_s[0]) for _ in range(3)]
    for i in range(30):
        now_s[0] += 1800.0
        shelf = shelves[i % 3]
        shelf.put((i,), _grey(i))
        _written(shelf)
        assert len(_on_disk(tmp_path)) <= 8
    for i, shelf in enumerate(shelves):
        for key in range(30):
            found = shelf.get((key,))
            assert found is None or np.array_equal(found, _grey(key))
        assert shelf.size_bytes <= 8 * PICTURE_BYTES, i
        shelf.close()


def test_what_a_process_left_unfinished_is_taken_away(tmp_path: Path) -> None:
    _filled(tmp_path, 1)
    old, fresh = (tmp_path / "a" / name for name in ("7_7.123.part", "8_8.124.part"))
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (1.0, 1.0))
    shelf = BaseShelf(tmp_path, "a", SIZE, 1 << 20)
    assert _on_disk(tmp_path) == {"0_0.i420", fresh.name}, "another process may be at work on the other one"
    shelf.close()


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    _filled(tmp_path, 1)
    for name in ("notes.txt", "thumbs.i420", "1_x.i420", ".i420"):
        (tmp_path / "a" / name).write_text("mine")
    shelf = BaseShelf(tmp_path, "a", SIZE, PICTURE_BYTES)
    assert shelf.get((0, 0)) is not None and shelf.size_bytes == PICTURE_BYTES and len(_on_disk(tmp_path)) == 5
    shelf.close()


def test_a_folder_that_was_cleared_away_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shelf = BaseShelf(tmp_path, "a", SIZE, 1 << 20)
    shelf.put((1,), _grey(1))
    _written(shelf)
    shown = shelf.get((1,))
    BaseShelf(tmp_path, "b", SIZE, 1 << 20).close()
    assert shown is not None and np.array_equal(shown, _grey(1)), "what is mapped stays readable"
    shelf.put((2,), _grey(2))
    _written(shelf)
    assert shelf.get((2,)) is not None and not caplog.text
    shelf.close()


def test_nothing_is_put_on_a_closed_shelf(tmp_path: Path) -> None:
    shelf = _filled(tmp_path, 1)
    shelf.put((9,), _grey(9))
    assert not shelf.has((9,)) and shelf.get((0, 0)) is not None


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
    written = [shelf.written]
    for passing in range(100, 102 + APART):
        stock.make_base((passing,))
    for yaw in (1, 2, 3):
        assert stock.base((yaw,)) is not None
    shelf.close()
    assert [*written, shelf.written] == [0, 3], "what is wanted again"
    held = stock.size_bytes
    assert stock.base((1,)) is not None and stock.size_bytes == held - 96 * 64, "the mapped copy is the one"
    assert avatar.bases_drawn == 5 + APART
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
